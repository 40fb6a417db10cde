import { expect, test } from 'vitest'
import { isPosthornError, PosthornError } from './errors.ts'
import { createPosthorn, type Posthorn } from './posthorn.ts'
import { broken, json, problem, silent, startScriptedApi } from './testing/scripted-api.ts'

const event = { tenant: 'acme', type: 'invoice.paid', data: { total: 1 } }
const published = json(202, { id: 'evt_1', duplicate: false, deliveries: [] })

test('every retry of a POST carries the key of its first request, and another call has another key', async () => {
  await using api = await startScriptedApi()
  const posthorn = api.client()
  api.answer(broken, problem(503, 'overloaded'), problem(409, 'idempotency_key_in_use'), published)
  expect(await posthorn.events.publish(event)).toMatchObject({ id: 'evt_1' })
  await posthorn.events.publish(event)
  const keys = api.seen.map(({ headers }) => headers['idempotency-key'])
  expect(keys).toHaveLength(5)
  expect(new Set(keys.slice(0, 4))).toEqual(new Set([keys[0]]))
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
  expect(keys[4]).not.toBe(keys[0])
  expect(new Set(api.seen.map(({ body }) => body))).toEqual(new Set([JSON.stringify(event)]))
})

test('a key of one’s own is sent as it is, and only a POST has one', async () => {
  await using api = await startScriptedApi()
  const posthorn = api.client()
  api.answer(published)
  await posthorn.events.publish(event, { idempotencyKey: 'mine' })
  api.answer(json(200, { id: 'acme' }))
  await posthorn.tenants.put('acme')
  expect(api.seen.map(({ headers }) => headers['idempotency-key'])).toEqual(['mine', undefined])
})

test('the pauses double, with jitter, and are never shorter than the API asks for', async () => {
  await using api = await startScriptedApi()
  const posthorn = api.client({ retries: 4 })
  const limited = problem(429, 'rate_limited', { 'retry-after': '3' })
  api.answer(problem(503, 'overloaded'), problem(500, 'internal_error'), limited, problem(502, 'not_ready'), published)
  await posthorn.events.publish(event)
  // Chance is one half here, so a pause is three quarters of the whole one.
  expect(api.pauses).toEqual([187.5, 375, 3_000, 1_500])
})

test('a date in Retry-After counts as well', async () => {
  await using api = await startScriptedApi()
  const later = new Date(Date.now() + 5_000).toUTCString()
  api.answer(problem(503, 'overloaded', { 'retry-after': later }), published)
  await api.client().events.publish(event)
  expect(api.pauses[0]).toBeGreaterThanOrEqual(3_000)
  expect(api.pauses[0]).toBeLessThanOrEqual(5_000)
})

test.each([
  [400, 'invalid_json'],
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'tenant_not_found'],
  [409, 'delivery_state_conflict'],
  [409, 'idempotency_outcome_unknown'],
  [422, 'invalid_request'],
])(
  '%i %s is final: one request, and the code, the detail and the request’s id are in the error',
  async (status, code) => {
    await using api = await startScriptedApi()
    api.answer(problem(status, code))
    const error = await api
      .client()
      .events.publish(event)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PosthornError)
    expect(error).toMatchObject({ code, status, detail: `It is ${code}.`, requestId: 'req_1', requests: 1 })
    expect(String(error)).toContain(`(${code}, ${status}, req_1)`)
    expect(api.seen).toHaveLength(1)
  },
)

test.each([408, 429, 500, 502, 503, 504])('%i is tried again as often as allowed, and then told', async (status) => {
  await using api = await startScriptedApi()
  api.answer((response) => response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>proxy</h1>'))
  const failing = api.client({ retries: 2 }).tenants.get('acme')
  await expect(failing).rejects.toMatchObject({ code: 'unexpected_answer', status, requests: 3 })
  await expect(api.client().tenants.get('acme', { retries: 0 })).rejects.toMatchObject({ requests: 1 })
})

test('what is asked to wait longer than the call may last is told at once', async () => {
  await using api = await startScriptedApi()
  api.answer(problem(429, 'rate_limited', { 'retry-after': '61' }))
  await expect(api.client().tenants.get('acme')).rejects.toMatchObject({
    code: 'rate_limited',
    requests: 1,
    retryAfterSeconds: 61,
  })
  expect(api.pauses).toEqual([])
})

test('a deletion whose answer was lost is done when its retry finds nothing', async () => {
  await using api = await startScriptedApi()
  const posthorn = api.client()
  api.answer(broken, problem(404, 'tenant_not_found'))
  await expect(posthorn.tenants.delete('acme')).resolves.toBeUndefined()
  api.answer(problem(404, 'tenant_not_found'))
  await expect(posthorn.tenants.delete('acme')).rejects.toMatchObject({ code: 'tenant_not_found' })
  // Nothing was done by who was told to come back.
  api.answer(problem(503, 'overloaded'), problem(404, 'tenant_not_found'))
  await expect(posthorn.tenants.delete('acme')).rejects.toMatchObject({ code: 'tenant_not_found' })
  api.answer(broken, problem(404, 'route_not_found'))
  await expect(posthorn.tenants.delete('acme')).rejects.toMatchObject({ code: 'route_not_found' })
})

test('a change with a condition is not made again when the first may have been made', async () => {
  await using api = await startScriptedApi()
  const change = () => api.client().subscriptions.patch('sub_1', { description: 'x' }, { ifMatch: '"1"' })
  api.answer(broken)
  await expect(change()).rejects.toMatchObject({ code: 'connection_failed', requests: 1 })
  api.answer(problem(503, 'overloaded'), problem(412, 'precondition_failed'))
  await expect(change()).rejects.toMatchObject({ code: 'precondition_failed', requests: 2 })
  expect(api.seen.map(({ headers }) => headers['if-match'])).toEqual(['"1"', '"1"', '"1"'])
  expect(api.seen[0]?.headers['content-type']).toBe('application/merge-patch+json')
})

test('a server that never answers, or never ends its answer, costs one request its time and not more', async () => {
  await using api = await startScriptedApi()
  const trickle = json(200, {})
  api.answer(
    (_, request) => {
      expect(request.method).toBe('GET')
      api.timeIsOver()
    },
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{')
      response.once('drain', () => undefined)
      setImmediate(() => api.timeIsOver())
    },
    trickle,
  )
  await expect(api.client().tenants.get('acme')).resolves.toEqual({})
  expect(api.seen).toHaveLength(3)
  api.answer((_, __) => api.timeIsOver())
  await expect(api.client({ retries: 1 }).tenants.get('acme')).rejects.toMatchObject({ code: 'timed_out', requests: 2 })
})

test('an aborted call rejects with the reason, whether it waits for an answer or between two requests', async () => {
  await using api = await startScriptedApi()
  const reason = new RangeError('no longer wanted')
  const waiting = new AbortController()
  api.answer(() => waiting.abort(reason))
  await expect(api.client().tenants.get('acme', { signal: waiting.signal })).rejects.toBe(reason)
  await expect(api.client().tenants.get('acme', { signal: waiting.signal })).rejects.toBe(reason)
  expect(api.seen).toHaveLength(1)

  const pausing = new AbortController()
  api.answer((response, request) => {
    problem(503, 'overloaded', { 'retry-after': '30' })(response, request)
    response.once('close', () => setImmediate(() => pausing.abort(reason)))
  })
  await expect(api.client().tenants.get('acme', { signal: pausing.signal })).rejects.toBe(reason)
  expect(api.seen).toHaveLength(2)
})

test('a redirect is followed nowhere: the key would go with it, and a POST would become a GET', async () => {
  await using api = await startScriptedApi()
  api.answer((response) => response.writeHead(302, { location: `${api.origin}/elsewhere` }).end())
  await expect(api.client().events.publish(event)).rejects.toMatchObject({ code: 'unexpected_answer', status: 302 })
  expect(api.seen.map(({ url }) => url)).toEqual(['/v1/events'])
})

test('what answers in another form than the API’s is no answer', async () => {
  await using api = await startScriptedApi()
  for (const [type, text] of [
    ['application/json', '{"half":'],
    ['text/html', '<h1>Welcome</h1>'],
  ] as const) {
    api.answer((response) => response.writeHead(404, { 'content-type': type }).end(text))
    await expect(api.client().tenants.get('acme')).rejects.toMatchObject({ code: 'unexpected_answer', status: 404 })
  }
  api.answer((response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"half":'))
  await expect(api.client({ retries: 0 }).tenants.get('acme')).rejects.toMatchObject({ code: 'unexpected_answer' })
})

test('nobody listening is told as such, without the key', async () => {
  const gone = await startScriptedApi()
  await gone[Symbol.asyncDispose]()
  const posthorn = createPosthorn({ url: gone.origin, apiKey: 'phk_hidden', retries: 0 })
  const error = await posthorn.tenants.get('acme').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'connection_failed', status: undefined })
  expect(String(error)).toContain('ECONNREFUSED')
  expect(JSON.stringify(error) + String(error)).not.toContain('phk_hidden')
})

test('a key may be fetched for each request, and one that no header can hold is named but not shown', async () => {
  await using api = await startScriptedApi()
  let number = 0
  api.answer(broken, json(200, {}))
  await api
    .client({
      async apiKey() {
        number += 1
        return `phs_${number}`
      },
    })
    .tenants.get('acme')
  expect(api.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer phs_1', 'Bearer phs_2'])
  const wrong = await api
    .client({ apiKey: 'phk_a\nb' })
    .tenants.get('acme')
    .catch((thrown: unknown) => thrown)
  expect(wrong).toMatchObject({ code: 'invalid_argument' })
  expect(String(wrong)).not.toContain('phk_a')
  await expect(
    api
      .client({
        apiKey: () => {
          throw new RangeError('no session')
        },
      })
      .tenants.get('acme'),
  ).rejects.toThrow(new RangeError('no session'))
  expect(api.seen).toHaveLength(2)
})

test('settings that make no sense are refused where they are given', async () => {
  const apiKey = 'phk_test'
  for (const options of [
    { url: 'posthorn.example.com', apiKey },
    { url: 'ftp://posthorn.example.com', apiKey },
    { url: 'https://user:password@posthorn.example.com', apiKey },
    { url: 'https://posthorn.example.com/?tenant=1', apiKey },
    { url: 'https://posthorn.example.com', apiKey: '' },
    { url: 'https://posthorn.example.com', apiKey, retries: -1 },
    { url: 'https://posthorn.example.com', apiKey, timeoutMs: 0 },
    { url: 'https://posthorn.example.com', apiKey, requestTimeoutMs: Number.NaN },
  ])
    expect(() => createPosthorn(options)).toThrow(PosthornError)
  await using api = await startScriptedApi()
  await expect(api.client().tenants.get('acme', { headers: { Authorization: 'x' } })).rejects.toMatchObject({
    code: 'invalid_argument',
  })
  for (const headers of [{ 'x-request-id': 'a\r\nb: c' }, { 'x y': 'z' }, { 'x-secret': 'CANARY→' }]) {
    const refused = await api
      .client()
      .tenants.get('acme', { headers })
      .catch((thrown: unknown) => thrown)
    expect(refused).toMatchObject({ code: 'invalid_argument' })
    expect(String(refused)).not.toContain('CANARY')
  }
  const key = api.client().events.publish(event, { idempotencyKey: 'a\nb' })
  await expect(key).rejects.toMatchObject({ code: 'invalid_argument' })
  await expect(api.client().tenants.get('acme', { timeoutMs: 0.5 })).rejects.toMatchObject({ code: 'invalid_argument' })
  expect(api.seen).toEqual([])
})

test('a reason in any language reaches the audit log as UTF-8, and one that is no line is refused', async () => {
  await using api = await startScriptedApi()
  api.answer(json(200, {}))
  await api.client().tenants.put('acme', {}, { reason: 'Kundin rief an – チケット 4711' })
  const header = String(api.seen[0]?.headers['x-audit-reason'])
  expect(Buffer.from(header, 'latin1').toString('utf8')).toBe('Kundin rief an – チケット 4711')
  const twoLines = api.client().tenants.put('acme', {}, { reason: 'a\r\nx-forged: 1' })
  await expect(twoLines).rejects.toMatchObject({ code: 'invalid_argument' })
  expect(api.seen).toHaveLength(1)
})

test('an API behind a path is reached there, and filters are written as the API reads them', async () => {
  await using api = await startScriptedApi()
  api.answer(json(200, { data: [], next_cursor: null, prev_cursor: null }))
  const posthorn = api.client({ url: `${api.origin}/posthorn/` })
  await posthorn.deliveries.list({ tenant: 'a&b', state: ['failed', 'held'], since: '24h', limit: 2 }).page()
  expect(api.seen[0]?.url).toBe('/posthorn/v1/deliveries?tenant=a%26b&state=failed&state=held&since=24h&limit=2')
})

test('a list that names its page as the next one ends with an error, not in a circle', async () => {
  await using api = await startScriptedApi()
  api.answer(json(200, { data: [{ id: 'a' }], next_cursor: 'same', prev_cursor: null }))
  await expect(api.client().tenants.list().all()).rejects.toMatchObject({ code: 'unexpected_answer' })
  expect(api.seen).toHaveLength(2)
  expect(await api.client().tenants.list().all(1)).toEqual([{ id: 'a' }])
})

test('an error is told apart by its code', () => {
  const error: unknown = new PosthornError('tenant_not_found', 'There is no tenant "x".')
  expect(isPosthornError(error)).toBe(true)
  expect(isPosthornError(error, 'event_not_found', 'tenant_not_found')).toBe(true)
  expect(isPosthornError(error, 'event_not_found')).toBe(false)
  expect(isPosthornError(new Error('x'))).toBe(false)
})

test.each([
  ['a call', (posthorn: Posthorn) => posthorn.tenants.get('acme'), 20_000],
  // 5 s until a dispatcher takes it, the subscription's own time-out of up to 30 s, and what the API allows for beyond.
  ['a test of a receiver', (posthorn: Posthorn) => posthorn.subscriptions.test('sub_1'), 48_000],
  ['a check of a receiver', (posthorn: Posthorn) => posthorn.subscriptions.checkReceiver('sub_1'), 58_000],
])('%s does not wait for silence without end, and as long as the API may take', async (_, ask, ms) => {
  await using api = await startScriptedApi()
  api.answer(silent)
  const settled = expect(ask(api.client({ retries: 0 }))).rejects.toMatchObject({
    code: 'timed_out',
    message: expect.stringContaining(`within ${ms} ms`),
  })
  while (api.seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
  api.timeIsOver()
  await settled
})
