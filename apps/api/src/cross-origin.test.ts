import type { InjectOptions } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './testing/api.ts'

const origin = 'https://console.example'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ settings: { POSTHORN_CORS_ORIGINS: [origin], POSTHORN_STRANGER_REQUESTS_PER_MINUTE: 2 } })
})
afterAll(() => api[Symbol.asyncDispose]())

/** What a browser asks before it sends a request with such headers. */
function preflight(from: string, method: string, url: string) {
  const headers = {
    origin: from,
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,content-type,idempotency-key',
  }
  return api.app.inject({ method: 'OPTIONS', url, headers })
}

function ask(from: string, key: string, over: InjectOptions = {}) {
  return api.app.inject({
    url: '/v1/subscriptions',
    ...over,
    headers: { authorization: `Bearer ${key}`, origin: from },
  })
}

test('a page of an origin that is named is let through before anybody asks for its token', async () => {
  for (const [method, url] of [
    ['POST', '/v1/events'],
    ['PATCH', '/v1/subscriptions/sub_1'],
    ['GET', '/v1/stream'],
  ] as const) {
    const { statusCode, headers, body } = await preflight(origin, method, url)
    expect([statusCode, body]).toEqual([204, ''])
    expect(headers['access-control-allow-origin']).toBe(origin)
    expect(String(headers['access-control-allow-methods']).split(', ')).toContain(method)
    for (const name of ['authorization', 'content-type', 'idempotency-key', 'if-match', 'x-audit-reason'])
      expect(String(headers['access-control-allow-headers']).split(', ')).toContain(name)
    expect(headers['access-control-allow-credentials']).toBeUndefined()
    expect(headers.vary).toContain('Origin')
  }
})

test('it may read answers, refusals among them, with their tags and how long to wait', async () => {
  const answers = [
    await ask(origin, api.keys.admin),
    await ask(origin, api.keys.admin, { url: '/v1/subscriptions/sub_nowhere' }),
    await ask(origin, api.keys.admin, { url: '/v1/nowhere' }),
    await ask(origin, 'phk_wrong'),
    await ask(origin, 'phk_wrong'),
    await ask(origin, 'phk_wrong'),
  ]
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 404, 404, 401, 401, 429])
  for (const { headers } of answers) {
    expect(headers['access-control-allow-origin']).toBe(origin)
    expect(String(headers['access-control-expose-headers']).split(', ')).toEqual(
      expect.arrayContaining(['etag', 'link', 'retry-after', 'x-request-id']),
    )
  }
})

test.each(['https://other.example', 'https://console.example.evil.example', 'http://console.example', 'null'])(
  'a page of the origin %s is answered as if there was no such thing',
  async (from) => {
    const answer = await ask(from, api.keys.admin)
    expect(answer.statusCode).toBe(200)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    // Whatever keeps answers must not give one that was for another origin.
    expect(answer.headers.vary).toContain('Origin')
    const asked = await preflight(from, 'POST', '/v1/events')
    expect([asked.statusCode, asked.json().code, asked.headers.allow]).toEqual([
      405,
      'method_not_allowed',
      'GET, HEAD, POST',
    ])
    expect(asked.headers['access-control-allow-origin']).toBeUndefined()
    const nowhere = await preflight(from, 'POST', '/v1/nowhere')
    expect([nowhere.statusCode, nowhere.json().code]).toEqual([404, 'route_not_found'])
  },
)

test('without any origin named, a preflight is a method that no path knows', async () => {
  await using closed = await startTestApi()
  const { statusCode, headers } = await closed.app.inject({
    method: 'OPTIONS',
    url: '/v1/events',
    headers: { origin, 'access-control-request-method': 'POST' },
  })
  expect(statusCode).toBe(405)
  expect(headers['access-control-allow-origin']).toBeUndefined()
  expect(headers.vary).toBeUndefined()
})
