import { limits } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from './testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const event = { tenant: 'acme', type: 'invoice.paid', data: {} }

test('every refusal has the form of RFC 9457, with our code and the request id', async () => {
  const { status, headers, body } = await api.ask('GET', '/v1/nothing', undefined, {
    headers: { 'x-request-id': 'my-id_1.2' },
  })
  expect(status).toBe(404)
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(headers['x-request-id']).toBe('my-id_1.2')
  expect(body).toEqual({
    type: '/docs/errors.md#route_not_found',
    title: 'There is no such route',
    status: 404,
    detail: expect.any(String),
    code: 'route_not_found',
    request_id: 'my-id_1.2',
  })
})

test.each(['', ' ', 'a b', 'x'.repeat(129), '<script>', 'ü'])(
  'the request id %j is replaced by one of ours',
  async (id) => {
    const { headers } = await api.ask('GET', '/healthz', undefined, {
      headers: { 'x-request-id': Buffer.from(id).toString('latin1') },
    })
    expect(headers['x-request-id']).toMatch(/^req_[0-9a-f]{24}$/)
  },
)

test.each([
  ['GET', '/v1/unknown', 404, 'route_not_found'],
  ['GET', '/', 404, 'route_not_found'],
  ['POST', '/v1/nothing/at/all', 404, 'route_not_found'],
  ['GET', '/v1/events/', 404, 'event_not_found'],
  ['GET', `/v1/events/${'x'.repeat(600)}`, 404, 'route_not_found'],
  ['POST', '/v1/events/evt_1', 405, 'method_not_allowed'],
  ['DELETE', '/v1/events', 405, 'method_not_allowed'],
  ['OPTIONS', '/v1/tenants/acme', 405, 'method_not_allowed'],
  ['POST', '/healthz', 405, 'method_not_allowed'],
  ['TRACE', '/v1/events', 405, 'method_not_allowed'],
  ['GET', '/v1/events/%ZZ', 400, 'malformed_request'],
])('%s %s is answered with %d %s', async (method, path, status, code) => {
  const answer = await api.ask(method, path)
  expect([answer.status, answer.body.code, answer.body.status]).toEqual([status, code, status])
  expect(answer.headers['x-request-id']).toBe(answer.body.request_id)
})

test('an id that is missing is said to be, and a token in a path is not repeated', async () => {
  expect((await api.ask('GET', '/v1/events/')).body.detail).toBe('The path ends where the id of the event is missing.')
  for (const path of ['/v1/portal-sessions/TOKEN', '/v1/events/TOKEN', '/v1/tenants/TOKEN/subscriptions']) {
    const token = `phs_${'a'.repeat(33)}`
    const { status, body, text } = await api.ask('DELETE', path.replace('TOKEN', token))
    if (status === 405) continue
    expect([path, status, body.code]).toEqual([path, 401, 'unauthenticated'])
    expect(text).not.toContain(token)
  }
})

test('405 names the methods that the path knows', async () => {
  const { headers } = await api.ask('POST', '/v1/tenants/acme')
  expect(headers['allow']).toBe('DELETE, GET, HEAD, PUT')
})

test('404 for a path that does not exist, whatever the body is', async () => {
  const { status, body } = await api.ask('POST', '/v1/nothing', undefined, { text: '{broken' })
  expect([status, body.code]).toEqual([404, 'route_not_found'])
})

test.each([
  ['{', 'a cut-off object'],
  ['{"tenant":"acme",}', 'a trailing comma'],
  ["{'tenant':'acme'}", 'single quotes'],
  ['NaN', 'a word that JSON does not have'],
  ['\ufeff{}', 'a byte order mark'],
  ['{"a":"\u0001"}', 'a control character in a text'],
])('400 when the body is %j: %s', async (text) => {
  const { status, body } = await api.ask('POST', '/v1/events', undefined, { text })
  expect([status, body.code]).toEqual([400, 'invalid_json'])
})

test('400 when the body is not UTF-8', async () => {
  const response = await api.app.inject({
    method: 'POST',
    url: '/v1/events',
    headers: { authorization: `Bearer ${api.keys.admin}`, 'content-type': 'application/json' },
    payload: Buffer.concat([Buffer.from('{"tenant":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
  })
  expect([response.statusCode, response.json().code]).toEqual([400, 'invalid_json'])
})

test('the parser’s own words, which quote the body, do not get out', async () => {
  const { text } = await api.ask('POST', '/v1/events', undefined, { text: '{"secret":"whsec_CANARY' })
  expect(text).not.toContain('CANARY')
})

test.each([
  ['text/plain', 415],
  ['application/x-www-form-urlencoded', 415],
  ['application/json; charset=utf-7', 415],
  ['application/json; charset=iso-8859-1', 415],
  ['application/jsonp', 415],
  ['nonsense', 415],
  ['application/json; charset=UTF-8', 202],
  ['application/json;charset="utf-8"', 202],
  ['Application/JSON', 202],
])('415 unless the body is JSON in UTF-8: %s gives %d', async (type, status) => {
  const answer = await api.ask('POST', '/v1/events', event, { headers: { 'content-type': type } })
  expect(answer.status).toBe(status)
  if (status === 415) expect(answer.body.code).toBe('unsupported_media_type')
})

test('415 when a body comes without a type, or compressed', async () => {
  const response = await api.app.inject({
    method: 'POST',
    url: '/v1/events',
    headers: { authorization: `Bearer ${api.keys.admin}`, 'content-type': '' },
    payload: JSON.stringify(event),
  })
  expect([response.statusCode, response.json().code]).toEqual([415, 'unsupported_media_type'])
  const zipped = await api.ask('POST', '/v1/events', event, { headers: { 'content-encoding': 'gzip' } })
  expect([zipped.status, zipped.body.code]).toEqual([415, 'unsupported_media_type'])
})

test('413 when the body is larger than any request may be', async () => {
  const { status, body } = await api.ask('POST', '/v1/events', undefined, {
    text: `"${'x'.repeat(limits.requestBodyBytesMax)}"`,
  })
  expect([status, body.code]).toEqual([413, 'body_too_large'])
})

test('413 when the data of an event is too large although the body is not', async () => {
  const { status, body } = await api.ask('POST', '/v1/events', { ...event, data: 'x'.repeat(limits.eventDataBytesMax) })
  expect([status, body.code, body.errors[0].pointer]).toEqual([413, 'body_too_large', '/data'])
  const fits = { ...event, data: 'x'.repeat(limits.eventDataBytesMax - 2) }
  expect((await api.ask('POST', '/v1/events', fits)).status).toBe(202)
})

test.each([
  [{}, ['']],
  [{ ...event, unknown: 1 }, ['/unknown']],
  [{ ...event, tenant: 5 }, ['/tenant']],
  [{ ...event, tenant: 'a b' }, ['/tenant']],
  [{ ...event, tenant: 'x'.repeat(129) }, ['/tenant']],
  [{ ...event, type: 'invoice\r\npaid' }, ['/type']],
  [{ ...event, type: 'invoice.*' }, ['/type']],
  [{ ...event, type: 'x'.repeat(10_000) }, ['/type']],
  [{ ...event, id: '' }, ['/id']],
  [{ ...event, id: 'a\u0000b' }, ['/id']],
  [{ ...event, id: '\ud800' }, ['/id']],
  [{ ...event, timestamp: 'yesterday' }, ['/timestamp']],
  [{ ...event, timestamp: '2026-02-30T00:00:00Z' }, ['/timestamp']],
  [{ ...event, timestamp: '0000-01-01T00:00:00Z' }, ['/timestamp']],
  [{ ...event, timestamp: 1 }, ['/timestamp']],
  [{ ...event, keys: { order: 1 } }, ['/keys/order']],
  [{ ...event, keys: { 'a b': 'x' } }, ['/keys/a b']],
  [{ ...event, keys: { order: 'x'.repeat(257) } }, ['/keys/order']],
  [{ ...event, keys: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) }, ['/keys']],
  [{ ...event, subscriptions: ['dlv_00000000000000000000000000'] }, ['/subscriptions/0']],
  [[event], ['']],
  ['text', ['']],
  [null, ['']],
])('422 with a pointer when the event is %j', async (wrong, pointers) => {
  const { status, body } = await api.ask('POST', '/v1/events', undefined, { text: JSON.stringify(wrong) })
  expect([status, body.code]).toEqual([422, 'invalid_request'])
  for (const pointer of pointers) expect(body.errors.map((one: { pointer: string }) => one.pointer)).toContain(pointer)
})

test('422 when the body is missing', async () => {
  const { status, body } = await api.ask('POST', '/v1/events')
  expect([status, body.code]).toEqual([422, 'invalid_request'])
})

test.each([
  ['{"tenant":"acme","type":"invoice.paid","data":1,"data":2}', '/data'],
  ['{"tenant":"acme","tenant":"globex","type":"invoice.paid","data":1}', '/tenant'],
  ['{"tenant":"acme","type":"invoice.paid","data":{"__proto__":{"admin":true}}}', '/data/__proto__'],
  ['{"tenant":"acme","type":"invoice.paid","data":{"__pr\\u006fto__":1}}', '/data/__proto__'],
  ['{"tenant":"acme","type":"invoice.paid","data":[{"constructor":{"prototype":{}}}]}', '/data/0/constructor'],
  ['{"tenant":"acme","type":"invoice.paid","keys":{"a":"1","a":"2"},"data":1}', '/keys/a'],
])('422 when a body could be read in two ways: %s', async (text, pointer) => {
  const { status, body } = await api.ask('POST', '/v1/events', undefined, { text })
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_request', pointer])
})

test.each([
  ['PUT', '/v1/tenants/twice', '{"name":"a","name":"b"}', '/name'],
  ['PUT', '/v1/tenants/twice', '{"metadata":{"a/b~c":1,"a\\u002fb~c":2}}', '/metadata/a~1b~0c'],
  [
    'PUT',
    '/v1/tenants/twice',
    '{"contacts":[{"email":"a@b.c"},{"email":"a@b.c","email":"d@e.f"}]}',
    '/contacts/1/email',
  ],
  [
    'POST',
    '/v1/tenants/acme/subscriptions',
    '{"url":"https://a.example","url":"https://b.example","event_types":["*"]}',
    '/url',
  ],
  [
    'POST',
    '/v1/tenants/acme/subscriptions',
    '{"url":"https://a.example","event_types":["*"],"filter":{"/data/total":{"$gt":1,"$gt":2}}}',
    '/filter/~1data~1total/$gt',
  ],
  ['POST', '/v1/event-types/invoice.paid/versions', '{"schema":{"type":"object","type":"array"}}', '/schema/type'],
])(
  '422 when a member is given twice, which would otherwise be dropped silently: %s %s %s',
  async (method, path, text, pointer) => {
    const { status, body } = await api.ask(method, path, undefined, { text })
    expect([status, body.code, body.errors]).toEqual([422, 'invalid_request', [{ pointer, detail: 'is given twice' }]])
  },
)

test('what the data of an event gives twice is its publisher’s business, also where it is only tried', async () => {
  const { body: subscription } = await api.ask('POST', '/v1/tenants/acme/subscriptions', {
    url: callbackUrl,
    event_types: ['*'],
  })
  const data = '{"a":1,"a":2,"b":[{"c":1,"c":2}]}'
  for (const [path, text] of [
    ['/v1/events', `{"tenant":"acme","type":"invoice.paid","data":${data}}`],
    [`/v1/subscriptions/${subscription.id}/filter-checks`, `{"type":"invoice.paid","data":${data}}`],
    [`/v1/subscriptions/${subscription.id}/transform-previews`, `{"type":"invoice.paid","data":${data}}`],
  ] as const) {
    const { status } = await api.ask('POST', path, undefined, { text })
    expect([path, status]).toEqual([path, path === '/v1/events' ? 202 : 200])
  }
})

test('422 when the body is nested too deeply, and no stack is harmed', async () => {
  const nested = (depth: number) =>
    `{"tenant":"acme","type":"invoice.paid","data":${'['.repeat(depth)}${']'.repeat(depth)}}`
  const deep = await api.ask('POST', '/v1/events', undefined, { text: nested(100_000) })
  expect([deep.status, deep.body.code]).toEqual([422, 'invalid_request'])
  expect((await api.ask('POST', '/v1/events', undefined, { text: nested(limits.jsonDepthMax) })).status).toBe(422)
  expect((await api.ask('POST', '/v1/events', undefined, { text: nested(limits.jsonDepthMax - 1) })).status).toBe(202)
})

test.each([
  ['/v1/events?unknown=1', '?unknown'],
  ['/v1/events?limit=0', '?limit'],
  ['/v1/events?limit=251', '?limit'],
  ['/v1/events?limit=ten', '?limit'],
  ['/v1/events?limit=1e2', '?limit'],
  ['/v1/events?limit=5&limit=6', '?limit'],
  ['/v1/events?order=up', '?order'],
  ['/v1/events?cursor=nonsense', '?cursor'],
  ['/v1/events?since=soon', '?since'],
  ['/v1/events?since=2026-02-30T00:00:00Z', '?since'],
  ['/v1/events?tenant=a%00b', '?tenant'],
  ['/v1/events?event_type=in%27voice', '?event_type'],
  ['/v1/events?__proto__=1', '?__proto__'],
  ['/v1/deliveries?state=lost', '?state'],
  ['/v1/deliveries?subscription=evt_00000000000000000000000000', '?subscription'],
  ['/v1/tenants/acme?expand=all', '?expand'],
  ['/v1/deliveries/dlv_00000000000000000000000000?expand=everything', '?expand'],
])('422 when a query parameter is unknown or wrong: %s', async (path, pointer) => {
  const { status, body } = await api.ask('GET', path)
  expect([status, body.code]).toEqual([422, 'invalid_request'])
  expect(body.errors.map((one: { pointer: string }) => one.pointer)).toContain(pointer)
})

test('numbers in bodies are not made of texts', async () => {
  const subscription = { url: callbackUrl, event_types: ['*'], timeout_ms: '5000' }
  const { status, body } = await api.ask('POST', '/v1/tenants/acme/subscriptions', subscription)
  expect([status, body.errors]).toEqual([422, [{ pointer: '/timeout_ms', detail: 'must be integer' }]])
})

test('500 says nothing of what went wrong inside', async () => {
  await using broken = await startTestApi({
    readiness: [],
    publisher: {
      publish: () => Promise.reject(new Error('CANARY in /srv/secret.ts')),
      publishMany: async () => [],
      dryRun: () => Promise.reject(new Error('not asked')),
      idle: async () => undefined,
    },
  })
  const { status, body, text } = await broken.ask('POST', '/v1/events', event)
  expect([status, body.code]).toEqual([500, 'internal_error'])
  expect(text).not.toMatch(/CANARY|secret|\.ts/)
})

test('a HEAD is answered as its GET, without a body', async () => {
  const { status, text } = await api.ask('HEAD', '/v1/events')
  expect([status, text]).toEqual([200, ''])
  expect((await api.ask('HEAD', '/v1/events/evt_1')).status).toBe(404)
})

test('nothing that is answered is kept by a cache or guessed at by a browser', async () => {
  const { headers } = await api.ask('GET', '/v1/events')
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
})
