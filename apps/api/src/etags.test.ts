import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from './testing/api.ts'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi()
})

afterAll(() => api[Symbol.asyncDispose]())

test('of two people who change the same subscription the second is told that it is not what was read', async () => {
  const { path, etag } = await subscribed()
  const first = await api.ask('PATCH', path, { description: 'first' }, ifMatch(etag))
  expect(first.status).toBe(200)
  const second = await api.ask('PATCH', path, { description: 'second' }, ifMatch(etag))
  expect([second.status, second.body.code]).toEqual([412, 'precondition_failed'])
  expect((await api.ask('GET', path)).body.description).toBe('first')
  // The answer to the change has the tag of what it made.
  expect((await api.ask('PATCH', path, { description: 'third' }, ifMatch(String(first.headers['etag'])))).status).toBe(
    200,
  )
})

test('without a precondition the last one wins', async () => {
  const { path } = await subscribed()
  expect((await api.ask('PATCH', path, { description: 'first' })).status).toBe(200)
  expect((await api.ask('PATCH', path, { description: 'second' })).status).toBe(200)
})

test('what we change ourselves changes the tag too: a pause is not overlooked', async () => {
  const { path, etag } = await subscribed()
  await api.ask('POST', `${path}/pause`)
  expect((await api.ask('DELETE', path, undefined, ifMatch(etag))).status).toBe(412)
  const { headers } = await api.ask('GET', path)
  expect((await api.ask('DELETE', path, undefined, ifMatch(String(headers['etag'])))).status).toBe(204)
})

test('who has read it already is answered 304 without a body', async () => {
  const { path, etag } = await subscribed()
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await api.ask('GET', path, undefined, { headers: { 'if-none-match': tag } })
    expect([again.status, again.text, again.headers['etag']]).toEqual([304, '', etag])
  }
  expect((await api.ask('GET', path, undefined, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
})

test('a tenant is made only if there is none, or changed only if it is what was read', async () => {
  const fresh = { headers: { 'if-none-match': '*' } }
  const made = await api.ask('PUT', '/v1/tenants/initech', { name: 'Initech' }, fresh)
  expect(made.status).toBe(201)
  expect((await api.ask('PUT', '/v1/tenants/initech', { name: 'Other' }, fresh)).status).toBe(412)
  expect((await api.ask('PUT', '/v1/tenants/hooli', {}, ifMatch('*'))).status).toBe(412)
  expect((await api.ask('GET', '/v1/tenants/hooli')).status).toBe(404)
  expect((await api.ask('PUT', '/v1/tenants/initech', {}, ifMatch(String(made.headers['etag'])))).status).toBe(200)
})

test('of many who make the same event type at once, each only if there is none, one does', async () => {
  const make = () => api.ask('PUT', '/v1/event-types/at.once', {}, { headers: { 'if-none-match': '*' } })
  const statuses = (await Promise.all(Array.from({ length: 4 }, make))).map(({ status }) => status)
  expect(statuses.toSorted()).toEqual([201, 412, 412, 412])
})

test('a tag of another tenant tells nothing: what is not yours is not found', async () => {
  const { path, etag } = await subscribed('globex')
  const answer = await api.ask('PATCH', path, { description: 'mine' }, { as: 'tenant', ...ifMatch(etag) })
  expect([answer.status, answer.body.code]).toEqual([404, 'subscription_not_found'])
})

async function subscribed(tenant = 'acme'): Promise<{ path: string; etag: string }> {
  const { body } = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, {
    url: callbackUrl,
    event_types: ['*'],
  })
  const path = `/v1/subscriptions/${body.id}`
  const { headers } = await api.ask('GET', path)
  expect(headers['etag']).toMatch(/^"[\w-]{27}"$/)
  return { path, etag: String(headers['etag']) }
}

function ifMatch(etag: string) {
  return { headers: { 'if-match': etag } }
}
