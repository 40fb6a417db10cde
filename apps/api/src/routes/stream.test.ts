import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { formatId, parseId, type StreamedAttempt, uuidV7 } from '@posthorn/contract'
import { type AttemptRecord, createStreamTeller, ensurePartitions } from '@posthorn/engine'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { listenApi } from '../listen.ts'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
let origin: string
const subscriptions: Record<string, string> = {}
const closing: (() => void)[] = []

beforeAll(async () => {
  api = await startTestApi({ heartbeatMs: 20 })
  origin = await listenApi(api.app, { host: '127.0.0.1', port: 0, moves: false })
  for (const tenant of ['acme', 'globex']) {
    const draft = { url: callbackUrl, event_types: ['*'] }
    subscriptions[tenant] = (await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, draft)).body.id
  }
})
afterEach(() => {
  for (const close of closing.splice(0)) close()
})
afterAll(() => api[Symbol.asyncDispose]())

type Message = { id?: string; event?: string; data: string }
type Reading = {
  /** The next message with a name, or the one of that name. */
  next(
    event?: string,
  ): Promise<{ id: string | undefined; event: string; data: Partial<StreamedAttempt> & { reason?: string } }>
  /** Where the reader is, as it was told last without a message: the next time. */
  place(): Promise<string>
  /** Resolves when a comment has come. */
  comment(): Promise<string>
  /** Resolves when the server has ended it. */
  ended(): Promise<void>
}

async function read(
  query = '',
  { as = 'admin', lastEventId }: { as?: string; lastEventId?: string } = {},
): Promise<Reading> {
  const stop = new AbortController()
  closing.push(() => stop.abort())
  const keys: Readonly<Record<string, string>> = api.keys
  const response = await fetch(`${origin}/v1/stream${query}`, {
    signal: stop.signal,
    headers: {
      authorization: `Bearer ${keys[as] ?? as}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const blocks = blocksOf(response.body ?? new ReadableStream())
  async function block(): Promise<string> {
    const { value, done } = await blocks.next()
    if (done) throw new Error('The stream has ended')
    return value
  }
  return {
    async next(event) {
      for (;;) {
        const message = messageOf(await block())
        if (message.event === undefined || (event !== undefined && message.event !== event)) continue
        return { id: message.id, event: message.event, data: JSON.parse(message.data) }
      }
    },
    async place() {
      for (;;) {
        const { id, event } = messageOf(await block())
        if (id !== undefined && event === undefined) return id
      }
    },
    async comment() {
      for (;;) {
        const text = await block()
        if (text.startsWith(':')) return text
      }
    },
    async ended() {
      while (!(await blocks.next()).done);
    },
  }
}

async function* blocksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    yield* blocks
  }
}

function messageOf(block: string): Message {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  const [id, event] = [fields.get('id'), fields.get('event')]
  return {
    ...(id === undefined ? {} : { id }),
    ...(event === undefined ? {} : { event }),
    data: fields.get('data') ?? '',
  }
}

/** An attempt in the database, of a new delivery. Answers with the id that the stream tells. */
async function attempt(
  over: { tenant?: string; type?: string; failureCode?: string; agoMs?: number } = {},
): Promise<string> {
  const { tenant = 'acme', type = 'invoice.paid', failureCode = null, agoMs = 0 } = over
  const id = uuidV7(Date.now() - agoMs, randomBytes(10))
  const [tenantId, subscriptionId] = [tenant, parseId('subscription', subscriptions[tenant] ?? '') ?? '']
  const at = new Date()
  const common = { id, tenantId, eventId: id, eventType: type, subscriptionId, attemptCount: 1, finishedAt: at }
  const ended = failureCode === null ? { state: 'delivered', deliveredAt: at } : { state: 'failed' }
  await api.db.prisma.delivery.create({ data: { ...common, ...ended } })
  await api.db.prisma.attempt.create({
    data: {
      id, tenantId, deliveryId: id, eventId: id, subscriptionId, number: 1, trigger: 'automatic', startedAt: new Date(Date.now() - agoMs),
      url: callbackUrl, requestHeaders: {}, httpStatus: failureCode === null ? 204 : 503, failureCode, responseHeaders: {},
      responseBody: Buffer.from(''), responseTruncated: false, waitMs: 0, totalMs: 5,
    },
  }) // biome-ignore format: one column after the other
  return formatId('attempt', id)
}

const teller = () => createStreamTeller(api.db, () => 0)

/** Tells as a dispatcher does that somebody has asked. */
function tell(...attempts: readonly string[]): void {
  const one = teller()
  one.asked()
  // A dispatcher tells records, of which only the ids are looked at.
  one.tell(attempts.map((text) => ({ id: parseId('attempt', text) }) as AttemptRecord))
}

test('an attempt that is recorded is told with ids and states, and nothing else', async () => {
  const reading = await read()
  const id = await attempt({ failureCode: 'http_5xx' })
  tell(id)
  const uuid = parseId('attempt', id) ?? ''
  expect(await reading.next()).toEqual({
    id,
    event: 'attempt',
    data: {
      attempt_id: id,
      delivery_id: formatId('delivery', uuid),
      event_id: formatId('event', uuid),
      subscription_id: subscriptions['acme'],
      tenant: 'acme',
      event_type: 'invoice.paid',
      state: 'failed',
      number: 1,
      trigger: 'automatic',
      failure_code: 'http_5xx',
      http_status: 503,
      ended_at: expect.stringMatching(/Z$/),
    },
  })
})

test('each reader is told what it may see and what it asked for', async () => {
  const [all, own, foreign, failed, typed, nothing] = await Promise.all([
    read(), read('', { as: 'tenant' }), read('?tenant=globex&tenant=acme', { as: 'tenant' }), read('?failure_code=http_5xx&http_status=5xx&state=failed&trigger=automatic'),
    read('?event_type=order.*&http_status=204'), read('?tenant=globex', { as: 'tenant' }),
  ]) // biome-ignore format: who they are
  const theirs = await attempt({ tenant: 'globex', failureCode: 'http_5xx' })
  const ours = await attempt({ type: 'order.made' })
  tell(theirs, ours)
  const ids = async (reading: Reading, count: number) => {
    const told: (string | undefined)[] = []
    while (told.length < count) told.push((await reading.next()).id)
    return told
  }
  expect(await ids(all, 2)).toEqual([theirs, ours])
  expect(await ids(own, 1)).toEqual([ours])
  expect(await ids(foreign, 1)).toEqual([ours])
  expect(await ids(failed, 1)).toEqual([theirs])
  expect(await ids(typed, 1)).toEqual([ours])
  // Both were told before these: whoever gets one now was told nothing before.
  const last = await attempt()
  tell(last)
  expect(await ids(own, 1)).toEqual([last])
  api.app.server.closeAllConnections()
  await expect(nothing.next()).rejects.toThrow()
})

test('a stream is taken up again behind the message that is named', async () => {
  const before = await attempt({ agoMs: 60_000 })
  const named = await attempt({ agoMs: 20_000 })
  const missed = await attempt()
  await attempt({ tenant: 'globex' })
  const reading = await read('', { as: 'tenant', lastEventId: named })
  const later = await attempt()
  tell(later)
  const told: (string | undefined)[] = []
  while (told.at(-1) !== later) told.push((await reading.next()).id)
  // Those of other tests too, and each once; nothing of another tenant, and nothing from before.
  expect(told).toContain(missed)
  expect(told).not.toContain(before)
  expect(told).not.toContain(named)
  expect(new Set(told).size).toBe(told.length)
  const foreign = await api.db.prisma.attempt.findMany({ where: { tenantId: 'globex' } })
  for (const { id } of foreign) expect(told).not.toContain(formatId('attempt', id))
})

test('a stream that broke before anything came is taken up again where it began, and after a silence where that was', async () => {
  const before = await attempt({ agoMs: 30_000 })
  const reading = await read('', { as: 'tenant' })
  const began = await reading.place()
  expect(Math.abs(Date.parse(began) - Date.now())).toBeLessThan(60_000)
  const beat = await reading.place()
  expect(beat > began).toBe(true)
  const missed = await attempt()
  for (const lastEventId of [began, beat]) {
    const again = await read('', { as: 'tenant', lastEventId })
    const later = await attempt()
    tell(later)
    const told: (string | undefined)[] = []
    while (told.at(-1) !== later) told.push((await again.next()).id)
    expect(told).toContain(missed)
    expect(told).not.toContain(before)
  }
})

test('where a stream cannot be taken up again it says so, and goes on with what is new', async () => {
  await ensurePartitions(api.db.pool, { now: new Date() })
  const theirs = await attempt({ tenant: 'globex' })
  const old = await attempt({ agoMs: 16 * 60_000 })
  for (const [lastEventId, reason] of [
    [formatId('attempt', uuidV7(Date.now(), randomBytes(10))), 'unknown_position'],
    ['nonsense', 'unknown_position'],
    ['2026-11-26', 'unknown_position'],
    [new Date(Date.now() + 3_600_000).toISOString(), 'unknown_position'],
    ['+275760-09-13T00:00:00.000Z', 'unknown_position'],
    ['-000001-01-01T00:00:00.000Z', 'unknown_position'],
    [new Date(Date.now() - 16 * 60_000).toISOString(), 'too_old'],
    [theirs, 'unknown_position'],
    [old, 'too_old'],
  ] as const) {
    const reading = await read('', { as: 'tenant', lastEventId })
    const reset = await reading.next()
    expect(reset).toMatchObject({ event: 'reset', data: { reason } })
    // From there on it can be taken up again.
    expect(Date.parse(reset.id ?? '')).toBeGreaterThan(Date.now() - 60_000)
    const fresh = await attempt()
    tell(fresh)
    expect((await reading.next()).id).toBe(fresh)
  }
})

test('when the connection to the database breaks, or a dispatcher could not tell, every stream says that something may be missing', async () => {
  const reading = await read()
  await api.db.pool.query(`select pg_notify('posthorn_attempts', '!')`)
  expect(await reading.next()).toMatchObject({ event: 'reset', data: { reason: 'interrupted' } })
  await api.db.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'posthorn-stream' and datname = current_database()`,
  )
  expect(await reading.next()).toMatchObject({ event: 'reset', data: { reason: 'interrupted' } })
})

test('a stream shows that it lives, and ends when its key is revoked', async () => {
  const { body } = await api.ask('POST', '/v1/api-keys', { name: 'to be revoked', role: 'viewer' })
  const reading = await read('', { as: body.key })
  expect(await reading.comment()).toMatch(/^: heartbeat\nid: 20\S+Z$/)
  await api.ask('DELETE', `/v1/api-keys/${body.id}`)
  expect(await reading.next()).toMatchObject({ event: 'end', data: { reason: 'credential_ended' } })
  await reading.ended()
})

test('503 for one stream too many of a key; another key still has room', async () => {
  for (let opened = 0; opened < 20; opened += 1) await read('', { as: 'viewer' })
  const { status, body, headers } = await api.ask('GET', '/v1/stream', undefined, { as: 'viewer' })
  expect([status, body.code, headers['retry-after']]).toEqual([503, 'overloaded', '5'])
  await read('', { as: 'support' })
})

test.each([
  '?state=unknown',
  '?since=24h',
  '?key.order=1',
  '?http_status=99',
  '?subscription=evt_1',
  '?max_seconds=-1',
  '?max_seconds=3601',
])('422 for a stream with %s', async (query) => {
  const { status, body } = await api.ask('GET', `/v1/stream${query}`)
  expect([status, body.code]).toEqual([422, 'invalid_request'])
})

test('403 for a key that publishes, which sees no deliveries', async () => {
  expect((await api.ask('GET', '/v1/stream', undefined, { as: 'publisher' })).status).toBe(403)
})

test('a stream ends after the time that it was asked for; after none at all it tells what was missed', async () => {
  const named = await attempt({ agoMs: 1_000 })
  const missed = await attempt()
  const reading = await read('?max_seconds=0', { as: 'tenant', lastEventId: named })
  const told: (string | undefined)[] = []
  for (let last = await reading.next(); last.event !== 'end'; last = await reading.next()) told.push(last.id)
  expect(told).toContain(missed)
  await reading.ended()
})

test('a server that stops ends its streams and says so', async () => {
  await using own = await startTestApi()
  const at = await listenApi(own.app, { host: '127.0.0.1', port: 0, moves: false })
  const response = await fetch(`${at}/v1/stream`, { headers: { authorization: `Bearer ${own.keys.admin}` } })
  const [text] = await Promise.all([response.text(), own.app.close()])
  expect(text).toMatch(/^retry: 3000\n\nid: 20\S+Z\n\nevent: end\ndata: {"reason":"stopping"}\n\n$/)
})

test('a stream that is asked for while the server stops is refused, so that it can stop', async () => {
  await using own = await startTestApi()
  const at = new URL(await listenApi(own.app, { host: '127.0.0.1', port: 0, moves: false }))
  const open = await fetch(new URL('/v1/stream', at), { headers: { authorization: `Bearer ${own.keys.admin}` } })
  const socket = connect(Number(at.port), at.hostname)
  // A request that has begun to arrive belongs to a connection that is not closed.
  socket.write('GET /v1/meta HTTP/1.1\r\nhost: a\r\n\r\nGET /v1/stream HTTP/1.1\r\nhost: a\r\n')
  await once(socket, 'readable')
  socket.read()
  const [, refusal] = await Promise.all([
    own.app.close(),
    open.text().then(() => {
      socket.write(`authorization: Bearer ${own.keys.admin}\r\n\r\n`)
      return text(socket)
    }),
  ])
  expect(refusal).toMatch(/^HTTP\/1\.1 503 /)
  expect(refusal).toMatch(/^retry-after: 1\r$/im)
  expect(refusal).toContain('This process is being stopped. Ask again.')
})
