import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './testing/api.ts'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi({
    settings: { POSTHORN_TENANT_REQUESTS_PER_MINUTE: 5, POSTHORN_STRANGER_REQUESTS_PER_MINUTE: 3 },
  })
})

afterAll(() => api[Symbol.asyncDispose]())

test("a customer's credential has so many requests in a minute, is told how many are left, and when to come back", async () => {
  for (const left of [4, 3, 2, 1, 0]) {
    const { status, headers } = await api.ask('GET', '/v1/subscriptions', undefined, { as: 'tenant' })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'ratelimit-policy': '"tenant";q=5;w=60',
      ratelimit: expect.stringMatching(new RegExp(`^"tenant";r=${left};t=\\d+$`)),
    })
  }
  const { status, headers, body } = await api.ask('GET', '/v1/subscriptions', undefined, { as: 'tenant' })
  expect([status, body.code]).toEqual([429, 'rate_limited'])
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60)
  // Nobody else is concerned.
  const operator = await api.ask('GET', '/v1/subscriptions')
  expect(operator.status).toBe(200)
  expect(operator.headers['ratelimit']).toBeUndefined()
})

test('who guesses keys is answered 429 after a few, and a valid key from the same address still works', async () => {
  const guess = () => api.ask('GET', '/v1/subscriptions', undefined, { as: `phk_${'x'.repeat(40)}` })
  const statuses: number[] = []
  for (let n = 0; n < 5; n += 1) statuses.push((await guess()).status)
  expect(statuses).toEqual([401, 401, 401, 429, 429])
  expect((await api.ask('GET', '/v1/subscriptions')).status).toBe(200)
})
