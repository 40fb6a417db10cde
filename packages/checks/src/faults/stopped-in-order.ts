/** SIGTERM under load, twice in a row, and while the database is away. */
import { shardCount } from '@posthorn/engine'
import { createGate } from '../flows/gate.ts'
import { differences } from './differences.ts'
import type { Fault, FaultParts, FaultRow } from './fault.ts'
import { type Ground, openGround } from './ground.ts'
import { startOwnPostgres } from './own-postgres.ts'
import { isStopping } from './posthorn-process.ts'

const sizes = { short: { times: 2, perSecond: 100, between: 100 }, long: { times: 10, perSecond: 500, between: 3_000 } }
const inFlight = 8

export const stoppedInOrder: Fault = {
  name: 'stops',
  async bringAbout(parts) {
    return [await rolling(parts), await restarted(parts), ...(await twiceAndWithoutDatabase(parts))]
  },
}

/** Dispatchers are replaced one after the other. */
async function rolling(parts: FaultParts): Promise<FaultRow> {
  const { times, perSecond, between } = sizes[parts.size]
  await using database = await parts.openDatabase()
  await using ground = await openGround(parts, database.url, { answerEveryMs: 25 })
  const api = await ground.serveApi()
  const tenants = await ground.subscribe(api, { name: 'rolling', count: 20 })
  let dispatcher = ground.serve()
  const load = ground.load(api, { tenants, perSecond })
  const stoppedAtMs: number[] = []
  const ends: (number | string)[] = []
  for (let time = 1; time <= times; time += 1) {
    await ground.more(between)
    const successor = ground.serve()
    await ground.soon(
      'the successor',
      successor.until(() => successor.shards.length > 0),
    )
    stoppedAtMs.push(performance.now())
    dispatcher.kill('SIGTERM')
    ends.push(await ground.soon('its end', dispatcher.ended))
    parts.tell(`${time} of ${times} were replaced`)
    dispatcher = successor
    await ground.recovered([load], stoppedAtMs.at(-1) ?? 0)
  }
  await load.finish()
  const row = await ground.row({
    fault: `SIGTERM of a dispatcher under load, ${times} times, with a successor`,
    loads: [load],
    overAtMs: stoppedAtMs,
  })
  return { ...row, wrong: [...row.wrong, ...(await endFaults(ground, ends))] }
}

/** The only process is stopped and started again, with its API, on the same port. */
async function restarted(parts: FaultParts): Promise<FaultRow> {
  const { times, perSecond, between } = sizes[parts.size]
  await using database = await parts.openDatabase()
  await using ground = await openGround(parts, database.url, { answerEveryMs: 25 })
  let all = await ground.serveApi({ role: 'all' })
  const port = Number(new URL(all.origin).port)
  const tenants = await ground.subscribe(all, { name: 'restarted', count: 20 })
  const load = ground.load(all, { tenants, perSecond })
  const stoppedAtMs: number[] = []
  const ends: (number | string)[] = []
  for (let time = 1; time <= times; time += 1) {
    await ground.more(between)
    stoppedAtMs.push(performance.now())
    all.kill('SIGTERM')
    ends.push(await ground.soon('its end', all.ended))
    parts.tell(`${time} of ${times} ended`)
    all = await ground.serveApi({ role: 'all', port })
    await ground.recovered([load], stoppedAtMs.at(-1) ?? 0)
  }
  await load.finish()
  const row = await ground.row({
    fault: `SIGTERM of the only process under load, ${times} times, and a new start`,
    loads: [load],
    overAtMs: stoppedAtMs,
    answersAllowed: ['none', '503'],
    notes: [`${load.answers.get('none') ?? 0} publishes found nobody`],
  })
  return { ...row, wrong: [...row.wrong, ...(await endFaults(ground, ends))] }
}

/** A dispatcher that stops in order says so, and leaves no lease behind that would have to run out. */
async function endFaults({ sql }: Ground, ends: readonly (number | string)[]): Promise<readonly string[]> {
  const [row] = await sql<{ n: number }>(`select count(*)::int as n from attempt where failure_code = 'aborted'`)
  return [
    ...ends.flatMap((end) => differences('exit code', end, 0)),
    ...differences('attempts that were broken off', row?.n, 0),
  ]
}

async function twiceAndWithoutDatabase(parts: FaultParts): Promise<FaultRow[]> {
  await using postgres = await startOwnPostgres({ host: parts.host })
  let gate = createGate()
  await using ground = await openGround(parts, postgres.url, { answer: (request) => gate.answer(request) })
  const api = await ground.serveApi()
  const tenants = await ground.subscribe(api, { name: 'stops', count: 1, maxInFlight: inFlight })
  const rows: FaultRow[] = []

  /** Stops a dispatcher that has requests in flight, whatever else is done to it. */
  async function stop(options: {
    fault: string
    drainSeconds?: number
    duplicatesAllowed?: number
    disturb(dispatcher: ReturnType<typeof ground.serve>): Promise<void>
  }): Promise<void> {
    gate = createGate()
    parts.tell(options.fault)
    const dispatcher = ground.serve(options.drainSeconds === undefined ? {} : { drainSeconds: options.drainSeconds })
    await ground.soon(
      'its shards',
      dispatcher.until(() => dispatcher.shards.length === shardCount),
    )
    const firstNumber = rows.length * 100
    const load = ground.load(api, { tenants, perSecond: 1000, firstNumber, countMax: inFlight })
    await load.finish()
    await ground.soon('the requests', gate.holds(inFlight))
    await options.disturb(dispatcher)
    const end = await ground.soon('its end', dispatcher.ended)
    await postgres.start()
    gate.open()
    const startedAtMs = performance.now()
    const successor = ground.serve()
    await ground.skipWaiting()
    const after = ground.load(api, { tenants, perSecond: 100, firstNumber: firstNumber + 50, countMax: 5 })
    await after.finish()
    const row = await ground.row({
      fault: options.fault,
      loads: [load, after],
      overAtMs: startedAtMs,
      duplicatesAllowed: options.duplicatesAllowed ?? 0,
      answersAllowed: ['503'],
      notes: [`${inFlight} in flight`],
      wrong: differences('exit code', end, 0),
    })
    rows.push(row)
    successor.kill('SIGTERM')
    await ground.soon('the end of the successor', successor.ended)
  }

  await stop({
    fault: 'SIGTERM twice',
    async disturb(dispatcher) {
      dispatcher.kill('SIGTERM')
      await dispatcher.until(() => isStopping(dispatcher))
      dispatcher.kill('SIGTERM')
      gate.open()
    },
  })
  await stop({
    fault: 'SIGTERM while PostgreSQL is away, and back in time',
    async disturb(dispatcher) {
      await postgres.kill('SIGKILL')
      gate.open()
      await dispatcher.until(() => dispatcher.said.has('round failed, trying again'))
      dispatcher.kill('SIGTERM')
      await dispatcher.until(() => isStopping(dispatcher))
      await postgres.start()
    },
  })
  await stop({
    fault: 'SIGTERM while PostgreSQL is away, and stays away',
    drainSeconds: 1,
    // Their answers came and could not be written down.
    duplicatesAllowed: inFlight,
    async disturb(dispatcher) {
      await postgres.kill('SIGKILL')
      gate.open()
      dispatcher.kill('SIGTERM')
      await dispatcher.ended
    },
  })
  return rows
}
