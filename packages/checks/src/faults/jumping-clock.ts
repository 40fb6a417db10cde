/**
 * The clock of a process jumps by an hour, forward, back over two, and home again, while retries wait and events flow: the
 * clock of the database decides what is due, and only the signed time is the one of the process.
 */
import type { ReceivedRequest } from 'posthorn/receiver'
import type { Fault } from './fault.ts'
import { type ApiProcess, type Ground, openGround } from './ground.ts'
import { numberIn } from './tally.ts'

const hourMs = 3_600_000
const jumps = [hourMs, -hourMs, 0]
const retryAfterMs = 2_000
/** Jitter adds a fifth at the most; then comes the next look, and a machine that is busy. */
const retryLateMs = retryAfterMs * 0.2 + 2_000
const retried = 5
const ordered = 6
const sizes = { short: { perSecond: 50, between: 50 }, long: { perSecond: 500, between: 10_000 } }
/** Numbers of events that are retried, and of ordered ones, begin here. */
const retriedFrom = 10_000_000
const orderedFrom = 20_000_000

export const jumpingClock: Fault = {
  name: 'clock',
  async bringAbout(parts) {
    const { perSecond, between } = sizes[parts.size]
    const attempts = new Map<number, number[]>()
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url, { answer: (request) => failOnce(attempts, request) })
    const all = await ground.serveApi({ role: 'all', rigged: true })
    const tenants = await ground.subscribe(all, { name: 'clock', count: 10 })
    const [retries = ''] = await ground.subscribe(all, {
      name: 'retried',
      count: 1,
      retryScheduleSeconds: [retryAfterMs / 1000],
    })
    const [inOrder = ''] = await ground.subscribe(all, { name: 'ordered', count: 1, ordered: true })
    const load = ground.load(all, { tenants, perSecond })
    await ground.more(perSecond)

    const wrong: string[] = []
    const jumpedAtMs: number[] = []
    for (const [index, aheadMs] of jumps.entries()) {
      const first = retriedFrom + index * retried
      const failing = ground.load(all, { tenants: [retries], perSecond: 1000, firstNumber: first, countMax: retried })
      await failing.finish()
      await ground.soon(
        'failed attempts',
        all.until(() => all.failed >= (index + 1) * retried),
      )
      await publishInOrder(ground, all, inOrder, orderedFrom + index * ordered * 2)
      all.setClock(aheadMs)
      jumpedAtMs.push(performance.now())
      await publishInOrder(ground, all, inOrder, orderedFrom + index * ordered * 2 + ordered)
      await ground.until('the new time', () => Math.abs(ground.tally.lastAheadSeconds - aheadMs / 1000) < 60)
      await ground.manyMore(between)
      const numbers = Array.from({ length: retried }, (_, offset) => first + offset)
      await ground.until('the retries', () => numbers.every((number) => attempts.get(number)?.length === 2))
      wrong.push(...numbers.flatMap((number) => waitFaults(number, attempts.get(number) ?? [])))
      parts.tell(`the clock is ${aheadMs / hourMs} h ahead`)
    }
    await load.finish()
    const row = await ground.row({
      fault: 'the clock of the process jumps ± 1 h',
      loads: [load],
      overAtMs: jumpedAtMs,
      notes: [`${jumps.length * retried} retries on time`, `${jumps.length * ordered * 2} ordered ones in order`],
      wrong,
    })
    return [{ ...row, wrong: [...row.wrong, ...orderFaults(ground)] }]
  },
}

/** Notes every attempt of the events that are to be retried, and lets the first of each fail. */
function failOnce(attempts: Map<number, number[]>, { body }: ReceivedRequest): { status: number } {
  const number = numberIn(body) ?? 0
  if (number < retriedFrom || number >= orderedFrom) return { status: 204 }
  const made = [...(attempts.get(number) ?? []), performance.now()]
  attempts.set(number, made)
  return { status: made.length === 1 ? 500 : 204 }
}

function waitFaults(number: number, [first = 0, second = 0]: readonly number[]): string[] {
  const waitedMs = second - first
  if (waitedMs >= retryAfterMs && waitedMs <= retryAfterMs + retryLateMs) return []
  return [`event ${number} was retried after ${waitedMs.toFixed(0)} ms instead of ${retryAfterMs}`]
}

/** Each is published when the one before has been acknowledged. */
async function publishInOrder(ground: Ground, api: ApiProcess, tenant: string, first: number): Promise<void> {
  for (let number = first; number < first + ordered; number += 1) {
    await ground.load(api, { tenants: [tenant], perSecond: 100, firstNumber: number, countMax: 1 }).finish()
  }
}

function orderFaults({ tally }: Ground): string[] {
  const came = [...tally.arrivals].filter(([number]) => number >= orderedFrom)
  const numbers = came.sort(([, a], [, b]) => a.atMs - b.atMs).map(([number]) => number)
  const isWhole = numbers.length === jumps.length * ordered * 2
  const isOrdered = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0))
  return isWhole && isOrdered
    ? []
    : [`ordered events came as ${numbers.map((number) => number - orderedFrom).join(' ')}`]
}
