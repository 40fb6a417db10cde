import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type AttemptResult,
  type DeliveryPlan,
  defaultRetryScheduleSeconds,
  finalStatuses,
  nextStep,
  slowDownMs,
} from './schedule.ts'

const plan = (over: Partial<DeliveryPlan> = {}): DeliveryPlan => ({
  scheduleStep: 0,
  retryScheduleSeconds: defaultRetryScheduleSeconds,
  finalStatuses: [],
  extra: false,
  scheduleWaits: false,
  ...over,
})
const answer = (status: number | null, retryAfterMs: number | null = null): AttemptResult => ({
  status,
  retryAfterMs,
  delivered: status !== null && status >= 200 && status < 300,
})

test('the default schedule makes ten attempts over about three days', () => {
  const total = defaultRetryScheduleSeconds.reduce((sum, seconds) => sum + seconds, 0)
  expect(defaultRetryScheduleSeconds.length + 1).toBe(10)
  expect(total).toBe(75 * 3600 + 35 * 60 + 5)
})

test('a delivery goes through the whole schedule and then fails', () => {
  const delays: number[] = []
  for (let step = 0; ; ) {
    const next = nextStep(answer(500), plan({ scheduleStep: step }), 0)
    if (next.kind !== 'retry') {
      expect(next).toEqual({ kind: 'failed' })
      break
    }
    delays.push(next.delayMs / 1000)
    step = next.scheduleStep
  }
  expect(delays).toEqual(defaultRetryScheduleSeconds)
})

test('jitter only ever adds, and never more than a fifth', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 0, max: 8 }),
      (random, step) => {
        const next = nextStep(answer(500), plan({ scheduleStep: step }), random)
        const base = (defaultRetryScheduleSeconds[step] ?? 0) * 1000
        expect(next.kind === 'retry' && next.delayMs >= base && next.delayMs <= base * 1.2 + 1).toBe(true)
      },
    ),
  )
})

test('Retry-After puts the next attempt off, but never brings it forward', () => {
  expect(nextStep(answer(503, 60_000), plan(), 0)).toMatchObject({ kind: 'retry', delayMs: 60_000 })
  expect(nextStep(answer(503, 1_000), plan(), 0)).toMatchObject({ kind: 'retry', delayMs: 5_000 })
})

test.each([429, 502, 503, 504])('%i slows the whole subscription down, by what the receiver asks', (status) => {
  expect(slowDownMs(answer(status, 30_000))).toBe(30_000)
  expect(slowDownMs(answer(status))).toBe(1_000)
})

test.each([200, 301, 400, 410, 500, null])('%s slows nothing else down', (status) => {
  expect(slowDownMs(answer(status, 30_000))).toBe(0)
})

test('a 410 is final whatever the schedule still holds', () => {
  expect(nextStep(answer(410), plan(), 0)).toEqual({ kind: 'failed' })
})

test('a status that the subscription declares final ends the delivery at once, and no other does', () => {
  const own = plan({ finalStatuses: [400, 422] })
  for (const status of [400, 422]) expect(nextStep(answer(status), own, 0)).toEqual({ kind: 'failed' })
  for (const status of [401, 404, 500, 503, null]) {
    expect(nextStep(answer(status), own, 0)).toMatchObject({ kind: 'retry' })
  }
  expect(nextStep(answer(400), plan(), 0)).toMatchObject({ kind: 'retry' })
})

test('a resend that meets a final status ends the delivery, whatever schedule waits behind it', () => {
  const own = plan({ finalStatuses: [404], extra: true, scheduleWaits: true })
  expect(nextStep(answer(404), own, 0)).toEqual({ kind: 'failed' })
  expect(nextStep(answer(405), own, 0)).toEqual({ kind: 'resume' })
})

test.each([410, 429, 502, 503, 504])('%i cannot be declared final, because it has a meaning of its own', (status) => {
  expect(() => finalStatuses([400, status])).toThrow(
    expect.objectContaining({
      code: 'invalid_request',
      errors: [{ pointer: '/final_statuses/1', detail: expect.stringMatching(`^${status} `) }],
    }),
  )
})

test('final statuses are kept in order', () => {
  expect(finalStatuses([422, 301, 500])).toEqual([301, 422, 500])
})

test('a resend is one attempt: when it fails, a waiting schedule goes on and a finished delivery is failed again', () => {
  expect(nextStep(answer(500), plan({ extra: true, scheduleWaits: true }), 0)).toEqual({ kind: 'resume' })
  expect(nextStep(answer(500), plan({ extra: true }), 0)).toEqual({ kind: 'failed' })
  expect(nextStep(answer(200), plan({ extra: true, scheduleWaits: true }), 0)).toEqual({ kind: 'delivered' })
})

test('a subscription with a schedule of its own is retried by that one', () => {
  const own = plan({ retryScheduleSeconds: [1, 2] })
  expect(nextStep(answer(null), own, 0)).toEqual({ kind: 'retry', delayMs: 1000, scheduleStep: 1 })
  expect(nextStep(answer(null), { ...own, scheduleStep: 2 }, 0)).toEqual({ kind: 'failed' })
})
