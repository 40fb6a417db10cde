/**
 * Somebody else holds every connection that the server gives, and ours are ended, so that none is left: nothing can be
 * asked, until they let go.
 */
import { withClient } from '@posthorn/engine/testing'
import type { Fault } from './fault.ts'
import { type ApiProcess, openGround } from './ground.ts'
import { startOwnPostgres } from './own-postgres.ts'

const connectionsMax = 40
const sizes = { short: { perSecond: 100, refused: 50 }, long: { perSecond: 500, refused: 2_000 } }

export const noConnectionsLeft: Fault = {
  name: 'connections',
  async bringAbout(parts) {
    const { perSecond, refused } = sizes[parts.size]
    const settings = { max_connections: String(connectionsMax) }
    await using postgres = await startOwnPostgres({ host: parts.host, settings })
    await using ground = await openGround(parts, postgres.url)
    const all = await ground.serveApi({ role: 'all' })
    const tenants = await ground.subscribe(all, { name: 'crowd', count: 20 })
    const load = ground.load(all, { tenants, perSecond })
    await ground.more(perSecond)
    const held = await crowd(postgres.url, async () => {
      await ground.until('refusals', () => (load.answers.get('503') ?? 0) >= refused)
      return stillRuns(all)
    })
    const overAtMs = performance.now()
    await ground.recovered([load], overAtMs)
    await load.finish()
    return [
      await ground.row({
        fault: `all ${connectionsMax} connections taken`,
        loads: [load],
        overAtMs,
        hasten: true,
        answersAllowed: ['503', 'none'],
        notes: [`${held.connections} held`, `${load.answers.get('503')} × 503`],
        wrong: held.result ? [] : ['Posthorn ended'],
      }),
    ]
  },
}

/** Takes connections until none is left, ends all sessions of Posthorn meanwhile, and lets go after `work`. */
async function crowd<T>(url: string, work: () => Promise<T>): Promise<{ connections: number; result: T }> {
  let connections = 0
  async function take(): Promise<T> {
    try {
      return await withClient(url, async (client) => {
        client.on('error', () => undefined)
        connections += 1
        await client.query(endOurs)
        return take()
      })
    } catch (error) {
      // 53300 too_many_connections: this is what was wanted, once and innermost.
      if (!(error instanceof Error && 'code' in error && error.code === '53300')) throw error
      return work()
    }
  }
  return { result: await take(), connections }
}

const endOurs = `
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and application_name like 'posthorn%'`

async function stillRuns({ ended }: ApiProcess): Promise<boolean> {
  return Promise.race([ended.then(() => false), Promise.resolve(true)])
}
