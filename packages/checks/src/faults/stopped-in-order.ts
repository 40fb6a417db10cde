/** SIGTERM under load: of one dispatcher after the other, and of the only process. */
import { differences } from './differences.ts'
import type { Fault, FaultParts, FaultRow } from './fault.ts'
import { type Ground, openGround } from './ground.ts'

const sizes = { short: { times: 1, perSecond: 100, between: 100 }, long: { times: 5, perSecond: 500, between: 3_000 } }

export const stoppedInOrder: Fault = {
  name: 'stops',
  async bringAbout(parts) {
    return [await rolling(parts), await restarted(parts)]
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
    fault: `SIGTERM of a dispatcher under load${often(times)}, with a successor`,
    loads: [load],
    overAtMs: stoppedAtMs,
  })
  return { ...row, wrong: [...row.wrong, ...(await endFaults(ground, ends))] }
}

function often(times: number): string {
  return times === 1 ? '' : `, ${times} times`
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
    fault: `SIGTERM of the only process under load${often(times)}, and a new start`,
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
