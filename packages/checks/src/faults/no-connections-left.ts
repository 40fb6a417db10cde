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
    await using held = await crowd(postgres.url)
    await ground.until('refusals', () => (load.answers.get('503') ?? 0) >= refused)
    const connections = await held.letGo()
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
        notes: [`${connections} held`, `${load.answers.get('503')} × 503`],
        wrong: (await stillRuns(all)) ? [] : ['Posthorn ended'],
      }),
    ]
  },
}

/** Holds every connection that the server gives, and those that come free when ours are ended, until told to let go. */
type Crowd = AsyncDisposable & {
  /** Resolves, when all are closed, with how many there were. */
  letGo(): Promise<number>
}

/**
 * Takes connections until none is left and ends the sessions of Posthorn, again and again: one that is just being made
 * has no name yet, is not ended, and would be enough for Posthorn to go on with.
 */
async function crowd(url: string): Promise<Crowd> {
  const over = Promise.withResolvers<void>()
  let isTaking = true
  const holders: Promise<void>[] = []
  /** By the first connection that was taken; the others only stand in the way. */
  let endOurs: (() => Promise<unknown>) | undefined

  /** Resolves with whether there was one. */
  function take(): Promise<boolean> {
    const taken = Promise.withResolvers<boolean>()
    const holder = withClient(url, async (client) => {
      client.on('error', () => undefined)
      endOurs ??= () => client.query(statement)
      holders.push(holder)
      taken.resolve(true)
      await over.promise
    })
    holder.catch((error: unknown) => {
      // 53300 too_many_connections: this is what was wanted.
      if (error instanceof Error && 'code' in error && error.code === '53300') taken.resolve(false)
      else taken.reject(error)
    })
    return taken.promise
  }

  async function takeAll(): Promise<void> {
    await endOurs?.()
    while (isTaking && (await take()));
  }

  let taking = takeAll()
  const beat = setInterval(() => {
    taking = taking.then(takeAll)
    // What went wrong is told by `letGo`.
    taking.catch(() => undefined)
  }, everyMs)
  async function letGo(): Promise<number> {
    clearInterval(beat)
    isTaking = false
    // The one that ends ours is in use until then.
    await taking.finally(over.resolve)
    await Promise.all(holders)
    return holders.length
  }
  return { letGo, [Symbol.asyncDispose]: async () => void (await letGo()) }
}

const everyMs = 100

const statement = `
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and application_name like 'posthorn%'`

async function stillRuns({ ended }: ApiProcess): Promise<boolean> {
  return Promise.race([ended.then(() => false), Promise.resolve(true)])
}
