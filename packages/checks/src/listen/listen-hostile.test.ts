/** `listen` where something is not as it should be: an API that is none, or a hostile one, and local receivers out of order. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { formatId, uuidV7 } from '@posthorn/contract'
import { startReceiver } from 'posthorn/receiver'
import { expect, test } from 'vitest'
import { type LoopbackServer, serveOnLoopback } from '../loopback.ts'
import { type ListeningOptions, listened, startListening } from './listening.ts'

const key = 'phk_of_a_test'
const permissions = ['stream:read', 'deliveries:read', 'payloads:read', 'secrets:reveal']
const credential = { kind: 'api_key', role: 'tenant', tenant: 'acme', permissions }
const idOf = (noun: 'attempt' | 'delivery' | 'event' | 'subscription', index: number) =>
  formatId(noun, uuidV7(index, new Uint8Array(10)))

const told = (index: number, more: object = {}) => ({
  attempt_id: idOf('attempt', index),
  delivery_id: idOf('delivery', index),
  event_id: idOf('event', index),
  subscription_id: idOf('subscription', 1),
  tenant: 'acme',
  event_type: 'order.paid',
  state: 'delivered',
  number: 1,
  trigger: 'automatic',
  failure_code: null,
  http_status: 204,
  ended_at: '2026-11-26T12:00:00.000Z',
  ...more,
})

const signed = () => ({
  'content-type': 'application/json',
  'webhook-id': idOf('event', 1),
  'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
  'webhook-signature': 'v1,AAAA',
})

const attempts = (index: number, headers: object = signed(), more: object = {}) => ({
  data: [{ id: idOf('attempt', index), erased_at: null, request: { headers } }],
  next_cursor: null,
  request_body: '{"a":1}',
  ...more,
})

/** With the id that the API gives it. */
const message = (event: string, data: object) => {
  const id = 'attempt_id' in data && typeof data.attempt_id === 'string' ? `id: ${data.attempt_id}\n` : ''
  return `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

function answerJson(response: ServerResponse, body: object, status = 200, headers: Record<string, string> = {}): void {
  const type = status === 200 ? 'application/json' : 'application/problem+json'
  response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body))
}

type FakeApi = LoopbackServer & {
  /** What was asked, with the id behind which the stream was to go on. */
  readonly asked: readonly { path: string; authorization: string | undefined; lastEventId: string | undefined }[]
}

/** What answers like Posthorn, as far as it is not told otherwise. Streams stay open. */
async function startApi(given: {
  credential?: RequestListener
  /** One for each connection; the last one for all further ones. */
  streams?: readonly ((response: ServerResponse) => void)[]
  attempts?: (request: IncomingMessage, response: ServerResponse) => void
}): Promise<FakeApi> {
  const asked: { path: string; authorization: string | undefined; lastEventId: string | undefined }[] = []
  let connections = 0
  const server = await serveOnLoopback((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const { authorization, 'last-event-id': lastEventId } = request.headers
    asked.push({ path: request.url ?? '', authorization, lastEventId: lastEventId?.toString() })
    if (pathname === '/v1/credential') {
      if (given.credential === undefined) answerJson(response, credential)
      else given.credential(request, response)
    } else if (pathname === '/v1/stream') {
      const streams = given.streams ?? []
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      response.write('retry: 3000\n\n')
      streams[Math.min(connections, streams.length - 1)]?.(response)
      connections += 1
    } else if (given.attempts === undefined) {
      const index = [1, 2, 3, 4].find((one) => pathname.includes(idOf('delivery', one))) ?? 0
      answerJson(response, attempts(index))
    } else given.attempts(request, response)
  })
  return { ...server, asked, origin: server.origin, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const toNobody = ['--to', 'http://127.0.0.1:1/webhooks']

/** Ends when so many lines came. */
async function linesOf(api: FakeApi, to: string, count: number, options: ListeningOptions = {}) {
  await using listening = startListening(['--api', api.origin, '--to', to], { key, ...options })
  await listening.until(() => listening.lines.length >= count)
  expect(await listening.stop()).toBe(0)
  return { lines: listening.lines, said: listening.said() }
}

const controls = '\u001b[2J\u0007\u009b\u202e\u2028'
const visible = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u

test('what answers in place of the API is told apart, and gets no more time and no more room than an API needs', async () => {
  await using elsewhere = await startApi({})
  const cases: [credential: RequestListener, said: RegExp, limits?: ListeningOptions['limits']][] = [
    [
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
      /answers 200 with text\/html, as Posthorn never does\. Is --api right/,
    ],
    [
      (_request, response) => response.writeHead(302, { location: `${elsewhere.origin}/v1/credential` }).end(),
      /answers with a redirect to http:\/\/127\.0\.0\.1:\d+\/v1\/credential, which is not followed/,
    ],
    [(_request, response) => response.writeHead(404).end(), /answers 404 with no content type/],
    [(_request, response) => answerJson(response, { hello: 1 }), /says something about the key that is not understood/],
    [(_request, response) => answerJson(response, { detail: 'We rest.' }, 503), /^listen: We rest\.$/m],
    [(_request, response) => response.writeHead(500).end(), /answers 500$/m],
    [
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const fill = () => {
          while (response.write('x'.repeat(65_536)));
          response.once('drain', fill)
        }
        fill()
      },
      /answers with more than 1000000 bytes, as Posthorn never does/,
      { answerBytesMax: 1_000_000 },
    ],
    [() => undefined, /says nothing$/m, { answerMs: 50 }],
    [(request) => request.socket.destroy(), /does not answer: the connection was broken off$/m],
  ]
  for (const [answer, said, limits = {}] of cases) {
    await using api = await startApi({ credential: answer })
    const ended = await listened(['--api', api.origin, ...toNobody], { key, limits })
    expect(ended).toEqual({ code: 1, lines: [], said: expect.stringMatching(said) })
  }
  expect(elsewhere.asked).toEqual([])
  const gone = await serveOnLoopback(() => undefined)
  await gone[Symbol.asyncDispose]()
  const nobody = await listened(['--api', gone.origin, ...toNobody], { key })
  expect(nobody).toMatchObject({ code: 1, said: expect.stringContaining(`nothing listens on ${gone.origin.slice(7)}`) })
})

test('control characters of the API and of the receiver do not reach the terminal', async () => {
  await using local = await startReceiver({ answer: () => ({ status: 500, body: `bad ${controls} luck\nand more` }) })
  await using api = await startApi({
    streams: [
      (response) => {
        response.write(
          message('attempt', told(1, { event_type: `order${controls}`, failure_code: controls, http_status: null })),
        )
        response.write(message('reset', { reason: controls }))
      },
    ],
    credential: (_request, response) => answerJson(response, { ...credential, tenant: `acme${controls}` }),
  })
  for (const json of [[], ['--json']]) {
    await using listening = startListening(['--api', api.origin, '--to', local.origin, ...json], { key })
    await listening.until(() => listening.lines.length > 0 && listening.said().includes('Some attempts may be missing'))
    expect(listening.lines).toEqual([expect.stringMatching(visible)])
    for (const line of listening.said().split('\n')) expect(line).toMatch(visible)
  }
  for (const status of [401, 403, 503]) {
    await using hostile = await startApi({
      credential: (_request, response) =>
        answerJson(response, { detail: `No ${controls}${'x'.repeat(100_000)}` }, status),
    })
    const { said, code } = await listened(['--api', hostile.origin, ...toNobody], { key })
    expect([code, said.trimEnd()]).toEqual([1, expect.stringMatching(visible)])
    expect(said).toContain('No \ufffd')
    expect(said.length).toBeLessThan(2_100)
  }
})

test('a stream that falls silent, breaks or is ended is taken up behind the last message, and an attempt comes once', async () => {
  await using local = await startReceiver()
  await using api = await startApi({
    streams: [
      (response) => response.write(message('attempt', told(1))),
      (response) => response.write(message('attempt', told(1)) + message('attempt', told(2)), () => response.destroy()),
      (response) => response.end(message('attempt', told(3)) + message('end', { reason: 'stopping' })),
      (response) => response.write(message('attempt', told(3)) + message('attempt', told(4))),
    ],
  })
  const { lines, said } = await linesOf(api, local.origin, 4, { limits: { silentMs: 100 } })
  expect(lines.map((line) => line.match(/evt_\w+/)?.[0])).toEqual([1, 2, 3, 4].map((index) => idOf('event', index)))
  const streams = api.asked.filter(({ path }) => path === '/v1/stream')
  expect(streams.slice(0, 4).map(({ lastEventId }) => lastEventId)).toEqual([
    undefined,
    ...[1, 2, 3].map((index) => idOf('attempt', index)),
  ])
  expect(said).toContain('says nothing. Connecting again.')
  expect(said).toContain('the connection was broken off. Connecting again.')
  expect(said).toContain('The API is being stopped or restarted. Connecting again.')
})

test('a stream that breaks before anything has come is taken up where it began, and what was missed comes', async () => {
  await using local = await startReceiver()
  const began = '2026-11-26T12:00:00.000Z'
  await using api = await startApi({
    streams: [
      (response) => response.write(`id: ${began}\n\n`, () => response.destroy()),
      (response) => response.write(message('attempt', told(1))),
    ],
  })
  const { lines } = await linesOf(api, local.origin, 1)
  expect(lines[0]).toContain(idOf('event', 1))
  const streams = api.asked.filter(({ path }) => path === '/v1/stream')
  expect(streams.map(({ lastEventId }) => lastEventId)).toEqual([undefined, began])
})

test('whoever listens to a subscription that is held back, or that the key cannot see, is told so', async () => {
  const subscription = idOf('subscription', 1)
  const listenTo = async (more: readonly string[]) => {
    await using api = await startApi({
      credential: (_request, response) =>
        answerJson(response, { ...credential, permissions: [...permissions, ...more] }),
      attempts: (_request, response) =>
        answerJson(response, {
          url: 'https://a.example/',
          state: 'active',
          breaker_opened_at: '2026-11-26T12:00:00.000Z',
        }),
    })
    const words = ['--api', api.origin, ...toNobody, '--subscription', subscription]
    await using listening = startListening(words, { key })
    await listening.until(() => listening.said().includes('Listening to'))
    return listening.said()
  }
  expect(await listenTo(['subscriptions:read'])).toContain(
    'https://a.example/ has failed too often: new events are held back',
  )
  expect(await listenTo([])).toContain(`This key cannot see whether there is ${subscription}, and whether it is active`)
})

test('a key that is revoked meanwhile, and one that is no longer taken, end it', async () => {
  const ends = [
    [(response: ServerResponse) => response.end(message('end', { reason: 'credential_ended' })), /The key was revoked/],
    [
      (response: ServerResponse) => response.write(`data: ${'x'.repeat(100_000)}`),
      /A message of the stream never ends/,
    ],
    [(response: ServerResponse) => response.write('data: x\n'.repeat(100_000)), /A message of the stream never ends/],
  ] as const
  for (const [stream, said] of ends) {
    await using api = await startApi({ streams: [stream] })
    expect(await listened(['--api', api.origin, ...toNobody], { key })).toMatchObject({
      code: 1,
      said: expect.stringMatching(said),
    })
  }
  await using api = await startApi({
    streams: [(response) => response.write(message('attempt', told(1)))],
    attempts: (_request, response) => answerJson(response, { detail: 'No such key.' }, 401),
  })
  expect(await listened(['--api', api.origin, ...toNobody], { key })).toMatchObject({
    code: 1,
    lines: [],
    said: expect.stringContaining('does not take this key: No such key.'),
  })
})

test('messages and requests that are not those of Posthorn are left out, and why one has no request is said', async () => {
  await using local = await startReceiver()
  const strange = [
    { ...told(2), delivery_id: '../../secrets' },
    { ...told(2), attempt_id: undefined },
    { ...told(2), ended_at: 'yesterday' },
    { ...told(2), number: 'one' },
    { ...told(2), http_status: '204' },
    { ...told(2), event_type: 1 },
    { ...told(2), event_type: 'x'.repeat(129) },
    { ...told(2), failure_code: 'x'.repeat(65) },
  ]
  const bodies = [
    attempts(1, { ...signed(), 'x-a': 'a\r\nx-b: b' }),
    attempts(1, { ...signed(), 'bad name': 'a' }),
    attempts(1, { ...signed(), 'x-a': ['a'] }),
    attempts(1, signed(), { request_body: { a: 1 } }),
    attempts(1, signed(), { request_body: null }),
    attempts(1, { ...signed(), 'webhook-signature': '[redacted]' }),
    attempts(1, {}),
    { ...attempts(1), data: [{ ...attempts(1).data[0], erased_at: '2026-11-26T12:00:00Z' }] },
    { ...attempts(1), data: [] },
    { detail: 'There is no such delivery.' },
    { ...attempts(2), next_cursor: 'the&next' },
    attempts(1, {
      ...signed(),
      connection: 'upgrade',
      'Transfer-Encoding': 'gzip',
      host: 'evil.example',
      authorization: '[redacted]',
    }),
  ]
  let pages = 0
  await using api = await startApi({
    streams: [
      (response) => {
        response.write(`${strange.map((one) => message('attempt', one)).join('')}event: attempt\ndata: [\n\n`)
        for (let index = 1; index < bodies.length; index += 1) {
          response.write(message('attempt', { ...told(1), attempt_id: idOf('attempt', index === 1 ? 1 : 100 + index) }))
        }
      },
    ],
    attempts(request, response) {
      const body = bodies[pages] ?? {}
      pages += 1
      // Each is about the attempt that was told of.
      const text = JSON.stringify(body)
      if ('detail' in body) return answerJson(response, body, 404)
      const wanted = request.url?.includes('cursor') ? pages - 1 : pages
      const id = wanted === 1 ? idOf('attempt', 1) : idOf('attempt', 100 + wanted)
      answerJson(response, JSON.parse(text.replaceAll(idOf('attempt', 1), id)))
    },
  })
  const { lines, said } = await linesOf(api, local.origin, bodies.length - 1)
  expect(lines.map((line) => line.split('→ ')[1])).toEqual([
    ...Array(4).fill('its request is not one of Posthorn'),
    'the API cannot tell its body any more',
    'the API does not show its signature',
    'Posthorn has sent no request',
    'its content was erased',
    'the API does not show this attempt any more',
    'There is no such delivery.',
    expect.stringMatching(/^204 in \d+ ms$/),
  ])
  expect(said.match(/A message of the stream was not understood/g)).toHaveLength(strange.length + 1)
  expect(api.asked.at(-1)?.path).toMatch(/\?limit=1&cursor=the%26next$/)
  expect(local.requests).toHaveLength(1)
  expect(local.requests[0]?.headers).toEqual({
    ...signed(),
    'webhook-timestamp': expect.any(String),
    host: new URL(local.origin).host,
    connection: 'close',
    'content-length': '7',
  })
  expect(said.match(/the header authorization\./g)).toHaveLength(1)
})

test('an API that cannot answer at once is asked again, when it says so, and nothing is lost', async () => {
  await using local = await startReceiver()
  let asked = 0
  await using api = await startApi({
    streams: [(response) => response.write(message('attempt', told(1)))],
    attempts(request, response) {
      asked += 1
      if (asked === 1) answerJson(response, { detail: 'Too many requests.' }, 429, { 'retry-after': '0' })
      else if (asked === 2) request.socket.destroy()
      else if (asked === 3) answerJson(response, { detail: 'We rest.' }, 503)
      else answerJson(response, attempts(1))
    },
  })
  const { lines, said } = await linesOf(api, local.origin, 1)
  expect(lines).toEqual([expect.stringMatching(/→ 204 in \d+ ms$/)])
  expect(said.match(/Asking again\./g)).toHaveLength(1)
  expect(asked).toBe(4)
})

test('local receivers that are away, silent, endless or elsewhere are told in plain words', async () => {
  const cases: [answer: RequestListener | undefined, line: RegExp, limits?: ListeningOptions['limits']][] = [
    [undefined, /→ nothing listens on 127\.0\.0\.1:1$/],
    [(request) => request.socket.destroy(), /→ the connection was broken off$/],
    [(request) => request.socket.end('no HTTP\r\n\r\n'), /→ what it says is no HTTP$/],
    [() => undefined, /→ no answer within 0\.05 s$/, { localMs: 50 }],
    [(_request, response) => response.writeHead(202).flushHeaders(), /→ 202 in \d+ ms$/, { localMs: 50 }],
    [
      (_request, response) => {
        const fill = () => {
          while (response.write('x'.repeat(65_536)));
          response.once('drain', fill)
        }
        fill()
      },
      /→ 200 in \d+ ms$/,
    ],
    [
      (_request, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end('over there'),
      /→ 307 in \d+ ms: over there$/,
    ],
  ]
  await using api = await startApi({ streams: [(response) => response.write(message('attempt', told(1)))] })
  for (const [answer, line, limits = {}] of cases) {
    await using local = answer === undefined ? undefined : await serveOnLoopback(answer)
    const { lines } = await linesOf(api, local?.origin ?? 'http://127.0.0.1:1', 1, { limits })
    expect(lines).toEqual([expect.stringMatching(line)])
  }
})

test('a request that was signed too long ago for receivers says so', async () => {
  await using local = await startReceiver({ answer: () => ({ status: 401 }) })
  const old = String(Math.floor(Date.now() / 1000) - 400)
  await using api = await startApi({
    streams: [(response) => response.write(message('attempt', told(1)))],
    attempts: (_request, response) => answerJson(response, attempts(1, { ...signed(), 'webhook-timestamp': old })),
  })
  const { lines } = await linesOf(api, local.origin, 1)
  expect(lines).toEqual([expect.stringMatching(/→ 401 in \d+ ms \(signed 40\d s ago, which receivers refuse\)$/)])
})

test('Ctrl+C ends it at once, whatever it waits for', async () => {
  const silent = await serveOnLoopback(() => undefined)
  const held = Promise.withResolvers<void>()
  await using local = await serveOnLoopback(() => held.resolve())
  await using api = await startApi({ streams: [(response) => response.write(message('attempt', told(1)))] })
  await using slow = await startApi({
    streams: [(response) => response.write(message('attempt', told(1)))],
    attempts: (_request, response) => answerJson(response, {}, 503, { 'retry-after': '300' }),
  })
  // The answer about the key.
  await using first = startListening(['--api', silent.origin, ...toNobody], { key })
  expect(await first.stop()).toBe(0)
  // The next message.
  await using second = startListening(['--api', api.origin, '--to', 'http://127.0.0.1:1'], { key })
  await second.until(() => second.lines.length > 0)
  expect(await second.stop()).toBe(0)
  // The local receiver.
  await using third = startListening(['--api', api.origin, '--to', local.origin], { key })
  await held.promise
  expect(await third.stop()).toBe(0)
  // The API, which has asked for patience.
  await using fourth = startListening(['--api', slow.origin, '--to', local.origin], { key })
  await fourth.until(() => fourth.said().includes('Asking again.'))
  expect(await fourth.stop()).toBe(0)
  await silent[Symbol.asyncDispose]()
})
