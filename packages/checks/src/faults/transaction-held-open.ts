/**
 * A transaction that somebody holds open under load: nothing that is deleted or updated meanwhile can be cleaned up, so
 * every statement over a busy table passes more and more dead rows.
 */
import { withClient } from '@posthorn/engine/testing'
import type { Fault } from './fault.ts'
import { openGround } from './ground.ts'

const sizes = { short: { perSecond: 100, deliveries: 300 }, long: { perSecond: 500, deliveries: 60_000 } }
/** A claim in a database that cannot be cleaned up takes no longer than this, in milliseconds: half of the time to look. */
const claimMsMax = 125

export const transactionHeldOpen: Fault = {
  name: 'held-transaction',
  async bringAbout(parts) {
    const { perSecond, deliveries } = sizes[parts.size]
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url)
    const all = await ground.serveApi({ role: 'all', rigged: true })
    const tenants = await ground.subscribe(all, { name: 'held', count: 20 })
    const load = ground.load(all, { tenants, perSecond })
    await ground.more(perSecond)
    await all.claimMs()
    await ground.more(deliveries / 3)
    const before = await all.claimMs()
    await withClient(database.url, async (client) => {
      await client.query('begin isolation level repeatable read')
      // From here on its snapshot keeps every dead row.
      await client.query('select txid_current()')
      await ground.manyMore(deliveries)
    })
    const held = await all.claimMs()
    const overAtMs = performance.now()
    await ground.recovered([load], overAtMs)
    await load.finish()
    return [
      await ground.row({
        fault: `a transaction held open over ${deliveries} deliveries`,
        loads: [load],
        overAtMs,
        notes: [`claims before ${times(before)}`, `meanwhile ${times(lastPart(held))}`],
        wrong: percentile(lastPart(held), 0.5) > claimMsMax ? [`claims took ${times(lastPart(held))}`] : [],
      }),
    ]
  },
}

/** What it was like in the end, when most was in the way. */
function lastPart(all: readonly number[]): readonly number[] {
  return all.slice(-Math.ceil(all.length / 4))
}

function times(all: readonly number[]): string {
  return `p50 ${percentile(all, 0.5).toFixed(1)} ms, p99 ${percentile(all, 0.99).toFixed(1)} ms`
}

/** The value that so many of all values do not exceed (nearest rank). */
function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}
