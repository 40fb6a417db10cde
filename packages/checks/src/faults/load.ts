/**
 * Publishers that go on whatever happens: events at an even rate through the API, each with an id of its own and a number
 * in its data, published again under the same id until it is acknowledged.
 */
import { randomBytes } from 'node:crypto'
import type { Tally } from './tally.ts'

/** How often new events are begun, in milliseconds. */
const tickMs = 10
/** Requests under way at the most. What they hold back is published later. */
const underWayMax = 64
/** An answer that takes longer is given up, in milliseconds. */
const answerMsMax = 20_000

export type Publication = {
  tenant: string
  /** When it was first sent, and when a 202 (or a 200 for one that was stored before) came; by `performance.now()`. */
  sentMs: number
  acknowledgedMs?: number
}

export type Load = AsyncDisposable & {
  /** Every event, by its number. */
  readonly publications: ReadonlyMap<number, Publication>
  readonly acknowledged: number
  /** Answers by their status; `none` for those that never came. */
  readonly answers: ReadonlyMap<string, number>
  /** When the last answer of a status came, by `performance.now()`. */
  lastAt(status: string): number | undefined
  /** Where the API is now. */
  moveTo(origin: string): void
  /** Begins no more events, unless their number was given. Resolves when all are acknowledged. */
  finish(): Promise<void>
}

export type LoadOptions = {
  origin: string
  adminKey: string
  tenants: readonly string[]
  tally: Tally
  /** Events a second; on a machine that is too busy for it, fewer. */
  perSecond: number
  /** Of the data of each event, so many bytes cannot be compressed. */
  noiseBytes?: number
  /** The number of the first one, and how many at the most. */
  firstNumber?: number
  countMax?: number
}

export function startLoad(options: LoadOptions): Load {
  const { adminKey, tenants, tally, perSecond, noiseBytes = 0 } = options
  const { firstNumber = 0, countMax = Number.POSITIVE_INFINITY } = options
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
  const publications = new Map<number, Publication>()
  const again: number[] = []
  const answers = new Map<string, number>()
  const lastAt = new Map<string, number>()
  const perTick = (perSecond * tickMs) / 1000
  let origin = options.origin
  let acknowledged = 0
  let underWay = 0
  let ends = false
  let due = 0

  function begin(): number {
    const number = firstNumber + publications.size
    publications.set(number, { tenant: tenants[number % tenants.length] ?? '', sentMs: performance.now() })
    return number
  }

  async function publish(number: number): Promise<void> {
    const publication = publications.get(number)
    if (publication === undefined) return
    const data = { number, noise: randomBytes((noiseBytes / 4) * 3).toString('base64') }
    const body = JSON.stringify({ id: `load-${number}`, tenant: publication.tenant, type: 'load', data })
    underWay += 1
    const status = await ask(`${origin}/v1/events`, { method: 'POST', headers, body })
    underWay -= 1
    answers.set(status, (answers.get(status) ?? 0) + 1)
    lastAt.set(status, performance.now())
    if (status === '202' || status === '200') {
      acknowledged += 1
      publication.acknowledgedMs = performance.now()
    } else {
      again.push(number)
    }
    tally.notify()
  }

  function tick(): void {
    due = Math.min(underWayMax, due + perTick)
    for (; due >= 1 && underWay < underWayMax; due -= 1) {
      const number = again.shift() ?? (ends || publications.size >= countMax ? undefined : begin())
      if (number !== undefined) void publish(number)
    }
  }

  const ticking = setInterval(tick, tickMs)
  return {
    publications,
    answers,
    get acknowledged() {
      return acknowledged
    },
    lastAt: (status) => lastAt.get(status),
    moveTo(to) {
      origin = to
    },
    async finish() {
      ends = countMax === Number.POSITIVE_INFINITY
      await tally.until(() => acknowledged === (ends ? publications.size : countMax))
      clearInterval(ticking)
    },
    async [Symbol.asyncDispose]() {
      clearInterval(ticking)
    },
  }
}

/** The status of the answer, and `none` without one. What counts is the status: a 202 that is cut off behind it is a promise too. */
async function ask(url: string, request: RequestInit): Promise<string> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(answerMsMax) })
    await response.text().catch(() => '')
    return String(response.status)
  } catch {
    return 'none'
  }
}
