import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

async function subscribed(tenant = 'acme'): Promise<string> {
  const { body } = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, {
    url: callbackUrl,
    event_types: ['*'],
  })
  return body.id
}

test('503 when no dispatcher comes for the test, and nothing is left of it', async () => {
  const { status, body, headers } = await api.ask('POST', `/v1/subscriptions/${await subscribed()}/test`)
  expect([status, body.code, headers['retry-after']]).toEqual([503, 'no_dispatcher', '5'])
  expect(await api.db.prisma.subscriptionTest.count()).toBe(0)
})

test('404 for another tenant and for no subscription, 403 for roles that may not test', async () => {
  const id = await subscribed('globex')
  const ask = async (path: string, as: string) => {
    const { status, body } = await api.ask('POST', path, undefined, { as })
    return [status, body.code]
  }
  expect(await ask(`/v1/subscriptions/${id}/test`, 'tenant')).toEqual([404, 'subscription_not_found'])
  expect(await ask('/v1/subscriptions/sub_x/test', 'admin')).toEqual([404, 'subscription_not_found'])
  expect(await ask(`/v1/subscriptions/${id}/test`, 'viewer')).toEqual([403, 'forbidden'])
})

test.each([
  ['?event_type=nothing', 404, 'event_type_not_found'],
  ['?event_type=invoice.paid', 422, 'invalid_request'],
  ['?event_type=a..b', 422, 'invalid_request'],
  ['?url=x', 422, 'invalid_request'],
])('a test with %s is refused before anything is sent', async (query, status, code) => {
  const answer = await api.ask('POST', `/v1/subscriptions/${await subscribed()}/test${query}`)
  expect([answer.status, answer.body.code]).toEqual([status, code])
})
