import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { createContext, runInContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HeaderFault } from './errors.ts'
import { WebhookVerificationError } from './errors.ts'
import type { WebhookHeaders } from './headers.ts'
import { parseSecret, type SigningKey } from './secret.ts'
import { type SignedHeaders, signedHeaders } from './sign.ts'
import { type VerifyOptions, verify } from './verify.ts'

const key = parseSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
const otherKey = parseSecret('whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD')
const timestamp = 1614265330
const body = '{"test": 2432232314}'
const headers: SignedHeaders = signedHeaders({ id: 'msg_1', timestamp, body }, [key])
const request = { headers, body, keys: [key], now: new Date(timestamp * 1000) } satisfies VerifyOptions
const verified = { id: 'msg_1', timestamp }

describe('the form of the headers', () => {
  test.each<[string, HeaderFault, Record<string, unknown>]>([
    ['two names that differ only in case', 'repeated', { ...headers, 'Webhook-Id': 'msg_1' }],
    ['a list of two values', 'repeated', { ...headers, 'webhook-signature': ['v1,a', headers['webhook-signature']] }],
    ['a list of a value and nothing', 'repeated', { ...headers, 'webhook-id': ['msg_1', ''] }],
    ['two ids joined by a comma', 'repeated', { ...headers, 'webhook-id': 'msg_1, msg_1' }],
    ['two timestamps joined by a comma', 'repeated', { ...headers, 'webhook-timestamp': '1614265330,1614265330' }],
    ['a number for text', 'not_text', { ...headers, 'webhook-timestamp': timestamp }],
    ['an id with a full stop', 'not_an_id', { ...headers, 'webhook-id': 'msg.1' }],
    ['an id with a letter beyond ASCII', 'not_an_id', { ...headers, 'webhook-id': 'msg_ä' }],
    ['milliseconds', 'not_unix_seconds', { ...headers, 'webhook-timestamp': '1614265330000' }],
    ['a double space', 'not_a_signature_list', { ...headers, 'webhook-signature': 'v1a,a  v1a,b' }],
    ['33 signatures', 'too_many_signatures', { ...headers, 'webhook-signature': 'v1,a '.repeat(32).concat('v1,a') }],
    ['a URL-safe signature', 'url_safe_base64', { ...headers, 'webhook-signature': `v1,${'_'.repeat(43)}=` }],
    ['a short signature', 'not_a_v1_signature', { ...headers, 'webhook-signature': 'v1,aaaa' }],
    [
      'a short signature beside a right one',
      'not_a_v1_signature',
      { ...headers, 'webhook-signature': `${headers['webhook-signature']} v1,aaaa` },
    ],
  ])('is refused: %s', (_, reason, malformed) => {
    expect(() => verify({ ...request, headers: malformed as WebhookHeaders })).toThrow(
      expect.objectContaining({
        name: 'WebhookVerificationError',
        code: 'invalid_header',
        failure: expect.objectContaining({ reason }),
      }),
    )
  })

  test.each<[string, WebhookHeaders]>([
    ['fetch Headers', new Headers(headers)],
    ['the headers of a fetch Request', new Request('https://receiver.test', { headers }).headers],
    ['lists of one value', Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))],
    ['a record without a prototype', Object.assign(Object.create(null), headers)],
    [
      'names in capitals',
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])),
    ],
    ['beside a header called get', { ...headers, get: 'text' }],
    ['beside the same header without a value', { ...headers, 'Webhook-Id': undefined, 'WEBHOOK-ID': [] }],
  ])('is accepted: %s', (_, form) => {
    expect(verify({ ...request, headers: form })).toEqual(verified)
  })

  test('inherited properties are no headers', () => {
    expect(() => verify({ ...request, headers: Object.create(headers) })).toThrow(
      expect.objectContaining({ code: 'missing_header' }),
    )
  })

  test('32 signatures are read, and the last one may be the right one', () => {
    const wrong = headers['webhook-signature'].replace(/^v1,./, 'v1,A')
    const signatures = [...Array.from({ length: 31 }, () => wrong), headers['webhook-signature']].join(' ')

    expect(verify({ ...request, headers: { ...headers, 'webhook-signature': signatures } })).toEqual(verified)
  })
})

describe('the header lines of a real request', () => {
  let server: Server
  let port: number

  beforeAll(async () => {
    server = createServer(async (incoming, response) => {
      const bytes = await buffer(incoming)
      response.end(JSON.stringify([outcomeOf(incoming.headers, bytes), outcomeOf(incoming.headersDistinct, bytes)]))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    // A server listening on a port has an AddressInfo; the type also covers pipes.
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => server.close())

  function outcomeOf(received: IncomingMessage['headers'] | IncomingMessage['headersDistinct'], bytes: Uint8Array) {
    try {
      return verify({ ...request, headers: received, body: bytes })
    } catch (error) {
      return error instanceof WebhookVerificationError ? error.failure : 'another error'
    }
  }

  async function post(lines: [string, string][]): Promise<unknown> {
    const socket = connect(port, '127.0.0.1')
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    socket.end(
      `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n${head}\r\n${body}`,
    )
    const answer = await text(socket)
    return JSON.parse(
      answer
        .slice(answer.indexOf('\r\n\r\n') + 4)
        .replace(/^[0-9a-f]+\r\n/, '')
        .split('\r\n', 1)[0] ?? '',
    )
  }

  test('verify as they are, in any case and order', async () => {
    const lines = Object.entries(headers).map(([name, value]): [string, string] => [name.toUpperCase(), value])

    expect(await post(lines.reverse())).toEqual([verified, verified])
  })

  test.each(Object.keys(headers))('are refused when %s is there twice', async (header) => {
    const lines = Object.entries(headers)
    const refused = expect.objectContaining({ code: 'invalid_header', header })

    expect(await post([...lines, ...lines.filter(([name]) => name === header)])).toEqual([refused, refused])
  })

  test.each(Object.keys(headers))('are refused when %s is not there', async (header) => {
    const refused = { code: 'missing_header', header }

    expect(await post(Object.entries(headers).filter(([name]) => name !== header))).toEqual([refused, refused])
  })
})

describe('what an error tells', () => {
  test('a request by an unknown secret: how much was compared', () => {
    expect(() => verify({ ...request, keys: [otherKey, otherKey] })).toThrow(
      expect.objectContaining({ failure: { code: 'no_matching_signature', signatures: 1, keys: 2 } }),
    )
  })

  test('a request without a v1 signature: which schemes it has', () => {
    expect(() => verify({ ...request, headers: { ...headers, 'webhook-signature': 'v1a,x v2,y' } })).toThrow(
      expect.objectContaining({ failure: { code: 'unsupported_scheme', schemes: ['v1a', 'v2'] } }),
    )
  })

  test('an authentic request that is late: by how much', () => {
    expect(() => verify({ ...request, now: new Date((timestamp + 400) * 1000) })).toThrow(
      expect.objectContaining({
        failure: { code: 'timestamp_too_old', ...verified, ageSeconds: 400, toleranceSeconds: 300 },
      }),
    )
  })

  test('an authentic request from the future: by how much', () => {
    expect(() => verify({ ...request, now: new Date((timestamp - 11) * 1000), toleranceSeconds: 10 })).toThrow(
      expect.objectContaining({
        failure: { code: 'timestamp_too_new', ...verified, aheadSeconds: 11, toleranceSeconds: 10 },
      }),
    )
  })

  test('a forged request that is also late is called forged: the time is judged only when it is authentic', () => {
    expect(() => verify({ ...request, body: '{}', now: new Date((timestamp + 400) * 1000) })).toThrow(
      expect.objectContaining({ code: 'no_matching_signature' }),
    )
  })
})

describe('the tolerance', () => {
  test.each([
    ['the last millisecond of the last second', (timestamp + 301) * 1000 - 1],
    ['the first millisecond of the first second', (timestamp - 300) * 1000],
  ])('is five minutes, by whole seconds: %s', (_, nowMs) => {
    expect(verify({ ...request, now: new Date(nowMs) })).toEqual(verified)
  })

  test('is five minutes and no millisecond more', () => {
    for (const nowMs of [(timestamp + 301) * 1000, (timestamp - 300) * 1000 - 1]) {
      expect(() => verify({ ...request, now: new Date(nowMs) })).toThrow(WebhookVerificationError)
    }
  })

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '300' as unknown as number])(
    'cannot be %s',
    (toleranceSeconds) => {
      expect(() => verify({ ...request, toleranceSeconds })).toThrow(
        expect.objectContaining({ name: 'WebhookArgumentError', code: 'invalid_tolerance' }),
      )
    },
  )

  test.each([new Date(Number.NaN), timestamp * 1000, undefined])('needs a time, not %s', (now) => {
    expect(() => verify({ ...request, now: now as Date })).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', code: 'invalid_now' }),
    )
  })
})

describe('a mistake of the receiver is told apart from a bad request', () => {
  test('a parsed body', () => {
    expect(() => verify({ ...request, body: JSON.parse(body) })).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'body_not_raw', received: 'Object' } }),
    )
  })

  test.each<[string, unknown]>([
    ['none', []],
    ['too_many', Array.from({ length: 11 }, () => key)],
    ['not_a_signing_key', ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']],
  ])('keys: %s', (reason, keys) => {
    expect(() => verify({ ...request, keys: keys as SigningKey[] })).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'invalid_keys', reason } }),
    )
  })
})

test('bytes and times from another realm are bytes and times, as test runners make them', () => {
  const realm = createContext({ text: body, ms: timestamp * 1000 })
  const foreign = runInContext('({ body: Uint8Array.from(text, (c) => c.charCodeAt(0)), now: new Date(ms) })', realm)

  expect(foreign.body).not.toBeInstanceOf(Uint8Array)
  expect(verify({ ...request, ...foreign })).toEqual(verified)
})
