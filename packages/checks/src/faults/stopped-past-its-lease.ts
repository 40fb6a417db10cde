/**
 * SIGSTOP of a dispatcher with requests in flight until another one has made its attempts again, then SIGCONT: it wakes
 * up with answers that nobody waits for any more, and which say the contrary.
 */
import { shardCount } from '@posthorn/engine'
import { createGate } from '../flows/gate.ts'
import { differences } from './differences.ts'
import type { Fault } from './fault.ts'
import { type Ground, openGround } from './ground.ts'
import { numberIn } from './tally.ts'

const inFlight = 8

export const stoppedPastItsLease: Fault = {
  name: 'stall',
  async bringAbout(parts) {
    const gate = createGate(
      ({ headers, body }) => headers['posthorn-attempt'] === '1' && (numberIn(body) ?? inFlight) < inFlight,
    )
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url, { answer: gate.answer })
    const api = await ground.serveApi()
    const tenants = await ground.subscribe(api, { name: 'stall', count: 1, maxInFlight: inFlight })
    const stalled = ground.serve()
    await ground.soon(
      'its shards',
      stalled.until(() => stalled.shards.length === shardCount),
    )
    const before = ground.load(api, { tenants, perSecond: 1000, countMax: inFlight })
    await before.finish()
    await ground.soon('the requests', gate.holds(inFlight))
    stalled.kill('SIGSTOP')
    const stoppedAtMs = performance.now()

    const meanwhile = ground.load(api, { tenants, perSecond: 100, firstNumber: inFlight, countMax: 10 })
    await meanwhile.finish()
    const successor = ground.serve()
    await ground.skipWaiting()
    await ground.soon(
      'the successor',
      successor.until(() => successor.recorded >= inFlight + 10),
    )
    // The stalled one is told that all of its requests failed.
    gate.let(inFlight, { status: 500 })
    stalled.kill('SIGCONT')
    await ground.soon(
      'its outcomes',
      stalled.until(() => stalled.notMoved >= inFlight),
    )
    const after = ground.load(api, { tenants, perSecond: 100, firstNumber: 100, countMax: 50 })
    await after.finish()

    const row = await ground.row({
      fault: 'SIGSTOP past the lease, then SIGCONT',
      loads: [before, meanwhile, after],
      overAtMs: stoppedAtMs,
      duplicatesAllowed: inFlight,
      notes: [`${stalled.notMoved} late outcomes moved nothing`],
    })
    const wrong = [
      ...differences('duplicates', row.duplicated, inFlight),
      ...differences('the history', await history(ground), {
        late: inFlight,
        second: inFlight,
        aborted: 0,
        undelivered: 0,
      }),
    ]
    return [{ ...row, wrong: [...row.wrong, ...wrong] }]
  },
}

/** Both attempts stand in the history, the first with what really came of it, and the second one decides. */
async function history({ sql }: Ground): Promise<unknown> {
  const [row] = await sql(
    `select (select count(*)::int from attempt where number = 1 and failure_code in ('http_5xx', 'response_timeout')) as late,
            (select count(*)::int from attempt where number = 2 and failure_code is null) as second,
            (select count(*)::int from attempt where failure_code = 'aborted') as aborted,
            (select count(*)::int from delivery where state <> 'delivered') as undelivered`,
  )
  return row
}
