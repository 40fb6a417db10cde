import { afterAll, beforeAll, expect, test } from 'vitest'
import { listenApi } from './listen.ts'
import { startTestApi, type TestApi } from './testing/api.ts'
import { answerIn, exchange } from './testing/raw-http.ts'

let api: TestApi
let origin: string
beforeAll(async () => {
  api = await startTestApi()
  origin = await listenApi(api.app, { host: '127.0.0.1', port: 0, moves: false })
})
afterAll(() => api[Symbol.asyncDispose]())

const key = () => `authorization: Bearer ${api.keys.admin}\r\n`
const json = 'content-type: application/json\r\n'

test.each([
  ['no HTTP at all', 'nonsense\r\n\r\n', 400, 'malformed_request'],
  ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'malformed_request'],
  ['an unknown version', 'GET /healthz HTTP/9.9\r\nhost: a\r\n\r\n', 400, 'malformed_request'],
  ['a header without a colon', 'GET /healthz HTTP/1.1\r\nhost a\r\n\r\n', 400, 'malformed_request'],
  [
    'a header with a control character',
    'GET /healthz HTTP/1.1\r\nhost: a\r\nx: a\x01b\r\n\r\n',
    400,
    'malformed_request',
  ],
  ['no host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'malformed_request'],
  ['a host that is none', 'GET /healthz HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n', 400, 'malformed_request'],
  [
    'two lengths',
    'POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    400,
    'malformed_request',
  ],
  [
    'a length and chunks',
    'POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'malformed_request',
  ],
  [
    'headers without end',
    `GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  ['a path without end', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: a\r\n\r\n`, 431, 'headers_too_large'],
  ['a method of its own', 'BREW /v1/events HTTP/1.1\r\nhost: a\r\n\r\n', 400, 'malformed_request'],
  [
    'a method that the path does not know',
    'PROPFIND /v1/events HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    405,
    'method_not_allowed',
  ],
  [
    'a broken escape in the path',
    'GET /v1/events/%ff%fe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    400,
    'malformed_request',
  ],
  [
    'an absolute path of another host',
    'GET http://evil.example/nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    404,
    'route_not_found',
  ],
  [
    'a path with another path in front',
    'GET //evil.example/healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    404,
    'route_not_found',
  ],
])('%s is answered as a problem, in our words', async (_what, text, status, code) => {
  // biome-ignore format: one row each
  const { status: answered, headers, body } = answerIn(await exchange(origin, text))
  expect(answered).toBe(status)
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  const problem = JSON.parse(body)
  expect(problem).toMatchObject({ code, status, request_id: headers.get('x-request-id') })
  expect(Buffer.byteLength(body)).toBe(Number(headers.get('content-length')))
  expect(body).not.toMatch(/FST_|statusCode|evil\.example/)
})

test('an expectation that we do not know is ignored, and the usual one is met', async () => {
  for (const expectation of ['something', '100-continue']) {
    const text = `GET /healthz HTTP/1.1\r\nhost: a\r\nexpect: ${expectation}\r\nconnection: close\r\n\r\n`
    expect(answerIn(await exchange(origin, text))).toMatchObject({ status: 200, body: '{"status":"ok"}' })
  }
})

test('a request in HTTP/1.0 needs no host', async () => {
  expect(answerIn(await exchange(origin, 'GET /healthz HTTP/1.0\r\n\r\n')).status).toBe(200)
})

test('413 on the wire when the body says that it is too large, before it is read', async () => {
  const text = `POST /v1/events HTTP/1.1\r\nhost: a\r\n${key()}${json}content-length: 99999999\r\n\r\n`
  const { status, body } = answerIn(await exchange(origin, text))
  expect([status, JSON.parse(body).code]).toEqual([413, 'body_too_large'])
})

test('413 on the wire when chunks turn out to be too many', async () => {
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
  const text = `POST /v1/events HTTP/1.1\r\nhost: a\r\n${key()}${json}transfer-encoding: chunked\r\n\r\n${chunk.repeat(5)}`
  const { status, body } = answerIn(await exchange(origin, text))
  expect([status, JSON.parse(body).code]).toEqual([413, 'body_too_large'])
})

test('a caller without a key is answered before its body is read', async () => {
  const text = `POST /v1/events HTTP/1.1\r\nhost: a\r\n${json}content-length: 1000\r\nconnection: close\r\n\r\n`
  const { status, body } = answerIn(await exchange(origin, text))
  expect([status, JSON.parse(body).code]).toEqual([401, 'unauthenticated'])
})

test('a chunked body without a type is refused, not guessed', async () => {
  const text = `POST /v1/events HTTP/1.1\r\nhost: a\r\n${key()}connection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`
  const { status, body } = answerIn(await exchange(origin, text))
  expect([status, JSON.parse(body).code]).toEqual([415, 'unsupported_media_type'])
})

test('a request that follows another on the same connection is answered too', async () => {
  const one = 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n'
  const text = await exchange(origin, `${one}${one}GET /nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
  expect(answerIn(text).status).toBe(404)
})
