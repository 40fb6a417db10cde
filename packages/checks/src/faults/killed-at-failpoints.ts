/**
 * kill -9 of a dispatcher at every failpoint in turn, with eight deliveries of one subscription claimed together. The
 * receiver lets one request end and holds the others, so what each place leaves behind is known exactly.
 */
import { type Failpoint, failpoints } from '@posthorn/dispatcher'
import { shardCount } from '@posthorn/engine'
import { createGate } from '../flows/gate.ts'
import { differences } from './differences.ts'
import type { Fault, FaultRow } from './fault.ts'
import { type ApiProcess, type Ground, openGround } from './ground.ts'
import type { PosthornProcess } from './posthorn-process.ts'

const deliveries = 8

/** What a kill leaves: requests that the receiver saw, deliveries that are claimed, attempts that are written down. */
type Left = { requests: number; claimed: number; recorded: number }

const expected: Readonly<Record<Failpoint, Left>> = {
  before_claim: { requests: 0, claimed: 0, recorded: 0 },
  after_claim: { requests: 0, claimed: deliveries, recorded: 0 },
  before_request: { requests: 0, claimed: deliveries, recorded: 0 },
  after_request: { requests: deliveries, claimed: deliveries, recorded: 0 },
  before_record: { requests: deliveries, claimed: deliveries, recorded: 0 },
  after_record: { requests: deliveries, claimed: deliveries - 1, recorded: 1 },
}

export const killedAtFailpoints: Fault = {
  name: 'failpoints',
  async bringAbout(parts) {
    const rows: FaultRow[] = []
    let gate = createGate()
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url, { answer: (request) => gate.answer(request) })
    const api = await ground.serveApi()
    const tenants = await ground.subscribe(api, { name: 'victim', count: 1, maxInFlight: deliveries })
    let victim = ground.serve({ rigged: true })
    for (const [index, failpoint] of failpoints.entries()) {
      parts.tell(failpoint)
      gate = createGate()
      const { left, ...killed } = await killAt(failpoint, { ground, gate, api, tenants, victim, first: index * 100 })
      gate.open()
      // Who makes the attempts again is killed next.
      victim = ground.serve({ rigged: true })
      await ground.skipWaiting()
      await ground.soon(
        'the rest',
        victim.until(() => victim.recorded >= deliveries - left.recorded),
      )
      const after = ground.load(api, { tenants, perSecond: 100, firstNumber: index * 100 + deliveries, countMax: 1 })
      await after.finish()
      const row = await ground.row({
        fault: `kill -9 ${failpoint.replace('_', ' the ')}`,
        loads: [killed.load, after],
        overAtMs: killed.atMs,
        duplicatesAllowed: left.requests - left.recorded,
        notes: [`${left.claimed} claimed`],
      })
      const wrong = [
        ...differences('the end', killed.end, 'SIGKILL'),
        ...differences('what is left', left, expected[failpoint]),
        // Not one less either, or nothing was in flight when it was killed.
        ...differences('duplicates', row.duplicated, row.duplicatesAllowed),
        ...differences('the history', await history(ground), historyAfter(left)),
      ]
      rows.push({ ...row, wrong: [...row.wrong, ...wrong] })
    }
    return rows
  },
}

type Victim = { ground: Ground; api: ApiProcess; victim: PosthornProcess; tenants: readonly string[]; first: number }

/** Lets eight deliveries be claimed together, and the victim end itself on their way. Answers with what is left. */
async function killAt(failpoint: Failpoint, scene: Victim & { gate: ReturnType<typeof createGate> }) {
  const { ground, gate, victim } = scene
  await ground.soon(
    'its shards',
    victim.until(() => victim.shards.length === shardCount),
  )
  await ground.sql('truncate event, delivery, backlog, attempt, event_publish_id')
  const requestsBefore = ground.tally.requests
  const load = await publishBefore(failpoint, scene)
  if (expected[failpoint].requests > 0) {
    await ground.soon('the requests', gate.holds(deliveries))
    gate.let(1)
  }
  const end = await ground.soon('its end', victim.ended)
  return { load, end, atMs: performance.now(), left: await leftBehind(ground, requestsBefore) }
}

/** Publishes so that the victim claims everything at once, on its way to the failpoint. */
async function publishBefore(failpoint: Failpoint, { ground, api, victim, tenants, first }: Victim) {
  if (failpoint === 'before_claim') {
    // It passes this one all the time.
    victim.dieAt(failpoint)
    await victim.ended
  } else {
    victim.kill('SIGSTOP')
    victim.dieAt(failpoint)
  }
  const load = ground.load(api, { tenants, perSecond: 1000, firstNumber: first, countMax: deliveries })
  await load.finish()
  victim.kill('SIGCONT')
  return load
}

async function leftBehind({ sql, tally }: Ground, requestsBefore: number): Promise<Left> {
  const [row] = await sql<{ claimed: number; recorded: number }>(
    `select (select count(*)::int from backlog where leased_at is not null) as claimed,
            (select count(*)::int from attempt) as recorded`,
  )
  return { requests: tally.requests - requestsBefore, claimed: row?.claimed ?? -1, recorded: row?.recorded ?? -1 }
}

type History = { aborted: number; second: number; undelivered: number; gaps: number }

/** Every attempt whose end nobody saw stands there as `aborted`, followed by one that delivered; no number is missing. */
function historyAfter({ claimed }: Left): History {
  return { aborted: claimed, second: claimed, undelivered: 0, gaps: 0 }
}

async function history({ sql }: Ground): Promise<History | undefined> {
  const [row] = await sql<History>(
    `select (select count(*)::int from attempt where failure_code = 'aborted' and number = 1) as aborted,
            (select count(*)::int from attempt where failure_code is null and number = 2) as second,
            (select count(*)::int from delivery where state <> 'delivered') as undelivered,
            (select count(*)::int from delivery d
             where attempt_count <> (select count(*) from attempt a where a.delivery_id = d.id)) as gaps`,
  )
  return row
}
