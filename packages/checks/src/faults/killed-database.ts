/** kill -9 of PostgreSQL's postmaster, and an immediate shutdown, under load; then it is started again. */
import type { Fault, FaultRow } from './fault.ts'
import { openGround } from './ground.ts'
import { startOwnPostgres } from './own-postgres.ts'

const sizes = { short: { times: 1, perSecond: 100 }, long: { times: 5, perSecond: 500 } }
/** After the database is back, a publish is accepted within this time, in milliseconds. */
const acceptedWithinMs = 5_000
/** Refused publishes that are waited for before the database is started again. */
const refusedMin = 20

export const killedDatabase: Fault = {
  name: 'database-kills',
  async bringAbout(parts) {
    const { times, perSecond } = sizes[parts.size]
    await using postgres = await startOwnPostgres({ host: parts.host })
    await using ground = await openGround(parts, postgres.url)
    const all = await ground.serveApi({ role: 'all' })
    const tenants = await ground.subscribe(all, { name: 'outage', count: 20 })
    const rows: FaultRow[] = []
    for (const [signal, fault] of [
      ['SIGKILL', 'kill -9 of PostgreSQL'],
      ['SIGQUIT', 'pg_ctl stop -m immediate'],
    ] as const) {
      parts.tell(fault)
      const load = ground.load(all, { tenants, perSecond, firstNumber: rows.length * 10_000_000 })
      const overAtMs: number[] = []
      let acceptedMs = 0
      for (let time = 1; time <= times; time += 1) {
        await ground.more(perSecond)
        const refused = load.answers.get('503') ?? 0
        await postgres.kill(signal)
        await ground.until('refusals', () => (load.answers.get('503') ?? 0) >= refused + refusedMin)
        await postgres.start()
        const backAtMs = performance.now()
        overAtMs.push(backAtMs)
        await ground.until('an accepted event', () => (load.lastAt('202') ?? 0) > backAtMs)
        acceptedMs = Math.max(acceptedMs, (load.lastAt('202') ?? Number.POSITIVE_INFINITY) - backAtMs)
        await ground.recovered([load], backAtMs)
      }
      await load.finish()
      rows.push(
        await ground.row({
          fault: times === 1 ? fault : `${fault}, ${times} times`,
          loads: [load],
          overAtMs,
          hasten: true,
          answersAllowed: ['503'],
          notes: [`${load.answers.get('503')} × 503`, `202 again after ${(acceptedMs / 1000).toFixed(1)} s`],
          wrong: acceptedMs > acceptedWithinMs ? [`the first event was accepted after ${acceptedMs} ms`] : [],
        }),
      )
    }
    return rows
  },
}
