import { expect, test } from 'vitest'
import { batchesOf } from './batches.ts'
import { json, problem, startScriptedApi } from './testing/scripted-api.ts'

const event = { tenant: 'acme', type: 'invoice.paid', data: 1 }

/** Answers each event with its own data. */
async function startEchoingApi() {
  const api = await startScriptedApi()
  api.answer((response, { body }) => {
    const results = JSON.parse(body).events.map(({ data }: { data: unknown }) => ({ status: 202, event: { id: data } }))
    response.writeHead(207, { 'content-type': 'application/json' }).end(JSON.stringify({ results }))
  })
  return api
}

test('as many events as there are go in as many batches as they need, one after the other, with one result each', async () => {
  await using api = await startEchoingApi()
  const events = Array.from({ length: 2_001 }, (_, number) => ({ ...event, data: number }))
  const { results } = await api.client().events.publishMany(events, { idempotencyKey: 'mine' })
  expect(results.map((one) => one.event?.id)).toEqual(events.map(({ data }) => data))
  expect(api.seen.map(({ body }) => JSON.parse(body).events.length)).toEqual([1_000, 1_000, 1])
  expect(api.seen.map(({ headers }) => headers['idempotency-key'])).toEqual(['mine', 'mine-2', 'mine-3'])
})

test('without a key of one’s own every batch has another one', async () => {
  await using api = await startEchoingApi()
  await api.client().events.publishMany(Array.from({ length: 1_001 }, () => event))
  const keys = api.seen.map(({ headers }) => String(headers['idempotency-key']))
  expect(keys).toHaveLength(2)
  expect(new Set(keys).size).toBe(2)
})

test('a batch is no larger than the API takes, in bytes as they are sent', () => {
  const large = { ...event, data: 'ü'.repeat(100_000) }
  const batches = batchesOf(Array.from({ length: 60 }, () => large))
  expect(batches.flat()).toHaveLength(60)
  for (const batch of batches)
    expect(Buffer.byteLength(JSON.stringify({ events: batch }))).toBeLessThanOrEqual(5 * 1024 * 1024)
  expect(batches.map(({ length }) => length)).toEqual([26, 26, 8])
  // One that is too large by itself is for the API to refuse.
  expect(
    batchesOf([event, { ...event, data: 'x'.repeat(6 * 1024 * 1024) }, event]).map(({ length }) => length),
  ).toEqual([1, 1, 1])
  expect(batchesOf([])).toEqual([[]])
})

test('what can never be sent is refused before anything is, wherever it stands', async () => {
  await using api = await startEchoingApi()
  const events: (typeof event)[] = Array.from({ length: 1_500 }, () => event)
  const wrong = api.client().events.publishMany([...events, { ...event, data: 1n } as never])
  await expect(wrong).rejects.toMatchObject({ code: 'invalid_argument' })
  const key = 'k'.repeat(255)
  const tooLong = api.client().events.publishMany(events, { idempotencyKey: key })
  await expect(tooLong).rejects.toMatchObject({ code: 'invalid_argument' })
  expect(api.seen).toEqual([])
  await api.client().events.publishMany([event], { idempotencyKey: key })
  expect(api.seen).toHaveLength(1)
})

test('the time of a call is for all of its batches', async () => {
  await using api = await startScriptedApi()
  const later = (seconds: number) => problem(503, 'overloaded', { 'retry-after': String(seconds) })
  // 24 s for the first batch leave 16 s for the second one, which is asked to wait for longer.
  api.answer(later(8), later(8), later(8), json(207, { results: [] }), later(20))
  const events = Array.from({ length: 1_001 }, () => event)
  const publishing = api.client({ timeoutMs: 40_000 }).events.publishMany(events)
  await expect(publishing).rejects.toMatchObject({ code: 'overloaded', requests: 1, retryAfterSeconds: 20 })
  expect(api.pauses).toEqual([8_000, 8_000, 8_000])
})
