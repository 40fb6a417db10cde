/**
 * The publishers: a process of its own, with one connection for each client.
 *
 * Two ways to ask. *Closed loop*: each client publishes as soon as its last answer came, which finds the capacity.
 * *Open loop*: events are due at fixed times whatever the answers do, and every time is counted from when an event was
 * due, not from when it could be sent. So a server that stands still for a second is charged for all the events of that
 * second (no coordinated omission).
 */
import { Pool } from 'undici'

export type LoadTarget = {
  /** `http://127.0.0.1:4400` */
  origin: string
  path: string
  key: string
  /** One body for each tenant; they take turns. */
  bodies: readonly string[]
  clients: number
  /** What is published before the counting begins, in seconds. */
  warmUpSeconds: number
  seconds: number
}

export type ClosedLoopResult = {
  /** Events accepted in the counted time. */
  counted: number
  /** How long was counted, in milliseconds. */
  ms: number
  /** All that were accepted, the warm-up's too. */
  accepted: number
  /** Other answers, as `status body`, at most a few. */
  refusals: readonly string[]
}

export type OpenLoopResult = {
  /** When each accepted event was due, by the id that the answer gave, on the clock of the machine in milliseconds. */
  dueAt: Map<string, number>
  /** When the counting began, on the same clock. */
  countedFrom: number
  refusals: readonly string[]
}

export type LoadCalls = {
  closedLoop(target: LoadTarget): Promise<ClosedLoopResult>
  openLoop(target: LoadTarget, perSecond: number): Promise<OpenLoopResult>
}

/** Kept of what was refused. */
const refusalsMax = 5
const acceptedStatus = 202

/** @param nowMs a monotonic clock that is the same in every process */
export function createLoad(nowMs: () => number): LoadCalls {
  return {
    async closedLoop(target) {
      const pool = poolOf(target)
      const refusals: string[] = []
      const fromMs = nowMs() + target.warmUpSeconds * 1_000
      const toMs = fromMs + target.seconds * 1_000
      let accepted = 0
      let counted = 0
      let countedToMs = toMs
      let turn = 0
      async function client(): Promise<void> {
        // A server that accepts nothing within the time is measured by the first that it accepts.
        while (nowMs() < toMs || counted === 0) {
          turn += 1
          const { status, text } = await publish(pool, target, turn)
          const ms = nowMs()
          if (status !== acceptedStatus) {
            if (refusals.push(`${status} ${text}`) >= refusalsMax) return
            continue
          }
          accepted += 1
          if (ms >= fromMs && (ms < toMs || counted === 0)) {
            counted += 1
            countedToMs = Math.max(countedToMs, ms)
          }
        }
      }
      await Promise.all(Array.from({ length: target.clients }, client))
      await pool.close()
      return { counted, ms: countedToMs - fromMs, accepted, refusals }
    },
    async openLoop(target, perSecond) {
      const pool = poolOf(target)
      const refusals: string[] = []
      const dueAt = new Map<string, number>()
      const startMs = nowMs()
      const countedFrom = startMs + target.warmUpSeconds * 1_000
      const events = Math.round((target.warmUpSeconds + target.seconds) * perSecond)
      async function send(turn: number, dueMs: number): Promise<void> {
        try {
          const { status, text } = await publish(pool, target, turn)
          if (status === acceptedStatus) dueAt.set(idIn(text), dueMs)
          else refusals.push(`${status} ${text}`)
        } catch (error) {
          refusals.push(String(error))
        }
      }
      const sent: Promise<void>[] = []
      for (let event = 0; event < events; event += 1) {
        const dueMs = startMs + (event * 1_000) / perSecond
        await until(dueMs, nowMs)
        sent.push(send(event, dueMs))
      }
      await Promise.all(sent)
      await pool.close()
      return { dueAt, countedFrom, refusals: refusals.slice(0, refusalsMax) }
    },
  }
}

function poolOf({ origin, clients }: LoadTarget): Pool {
  return new Pool(origin, { connections: clients, pipelining: 1 })
}

async function publish(pool: Pool, target: LoadTarget, turn: number): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: target.path,
    headers: { authorization: `Bearer ${target.key}`, 'content-type': 'application/json' },
    body: target.bodies[turn % target.bodies.length] ?? '',
  })
  return { status: statusCode, text: await body.text() }
}

/** The first member of the answer is the event's id. */
function idIn(text: string): string {
  return /"id":"(evt_\w+)"/.exec(text)?.[1] ?? text
}

async function until(dueMs: number, nowMs: () => number): Promise<void> {
  for (;;) {
    const leftMs = dueMs - nowMs()
    if (leftMs <= 0) return
    await new Promise((resolve) => setTimeout(resolve, leftMs))
  }
}
