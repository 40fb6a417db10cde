/**
 * Hostile answers on their whole way: sent by a receiver, written down by a dispatcher, read through the API, and told in
 * the log.
 */
import { gzipSync } from 'node:zlib'
import { buildApi } from '@posthorn/api'
import { formatId } from '@posthorn/contract'
import { type RawReceiver, startReceiver } from '@posthorn/dispatcher/testing'
import { createApiKey, createLogger, createResolver, logTo, openJobs } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { seal, startTestPosthorn, type TestPosthorn, world } from '../flows/posthorn.ts'

const html = '<script>alert(document.cookie)</script><img src=x onerror=alert(1)>'
const ansi = '\x1b[2J\x1b]0;owned\x07\x9b31m'
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))

type Hostile = {
  /** The answer as bytes, in Latin-1. */
  readonly bytes: string
  readonly failureCode: string | null
  /** What the API shows. */
  readonly response: object | null
}

const hostile: Readonly<Record<string, Hostile>> = {
  'case 80: a gzip bomb': {
    bytes: answer(200, 'content-encoding: gzip\r\n', bomb.toString('latin1')),
    failureCode: null,
    response: { status: 200, truncated: true, body: bomb.subarray(0, 16_384).toString() },
  },
  'case 86: headers named as what every object has': {
    bytes: answer(200, '__proto__: a\r\nconstructor: b\r\n'),
    failureCode: null,
    response: { headers: JSON.parse('{"__proto__":"a","constructor":"b","content-length":"0"}') },
  },
  'case 87: the status 999': {
    bytes: answer(999, ''),
    failureCode: 'response_malformed',
    response: { status: 999 },
  },
  'case 87: the status 099': { bytes: answer('099', ''), failureCode: 'response_malformed', response: null },
  'case 88: NUL and invalid UTF-8 in the body': {
    bytes: answer(200, '', 'a\x00b\xff\xc3(\xed\xa0\x80'),
    failureCode: null,
    response: { body: Buffer.from('a\x00b\xff\xc3(\xed\xa0\x80', 'latin1').toString(), truncated: false },
  },
  'case 88: no UTF-8 in a header': {
    bytes: answer(200, 'x-odd: \xff\xfe\x80\xed\xa0\x80\r\n'),
    failureCode: null,
    response: { headers: { 'x-odd': 'ÿþ\x80í\xa0\x80' } },
  },
  'case 89: cookies': {
    bytes: answer(200, 'set-cookie: session=canary-cookie\r\n'),
    failureCode: null,
    response: { headers: { 'content-length': '0' } },
  },
  'case 90: Retry-After for three thousand years': {
    bytes: answer(503, 'retry-after: 99999999999\r\n'),
    failureCode: 'http_5xx',
    response: { status: 503, headers: { 'retry-after': '99999999999' } },
  },
  'case 95: HTML with a script': {
    bytes: answer(500, `content-type: text/html\r\nx-html: ${html}\r\n`, html),
    failureCode: 'http_5xx',
    response: { body: html, headers: { 'x-html': html, 'content-type': 'text/html' } },
  },
  'case 96: escape sequences of terminals': {
    bytes: answer(500, 'x-csi: \x9b31m\r\n', ansi),
    failureCode: 'http_5xx',
    response: { body: Buffer.from(ansi, 'latin1').toString(), headers: { 'x-csi': '\x9b31m' } },
  },
}

test('every hostile answer is recorded, read through the API as inert text, and escaped in the log', async () => {
  await using receiver = await startAnswering()
  await using posthorn = await startTestPosthorn()
  await using api = await startApi(posthorn)
  await posthorn.dispatch({ otherPort: receiver.port })
  const names = Object.keys(hostile)
  const bySubscription = new Map<string, string>()
  for (const [index, name] of names.entries()) {
    const { id } = await posthorn.subscribe({ url: `http://127.0.0.1:${receiver.port}/${index}` })
    bySubscription.set(id, name)
  }
  await posthorn.publish()
  const recorded = await posthorn.recorded(names.length)

  for (const { record, moved } of recorded) {
    const name = bySubscription.get(record.subscriptionId) ?? ''
    const { failureCode, response } = hostile[name] ?? { failureCode: '', response: null }
    expect([name, moved, record.failureCode]).toEqual([name, true, failureCode])
    const answer = await api.get(`/v1/deliveries/${formatId('delivery', record.deliveryId)}/attempts`)
    expect([name, answer.json().data]).toMatchObject([name, [{ failure_code: failureCode, response }]])
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/json\b/),
      'x-content-type-options': 'nosniff',
    })
    expect(answer.body).not.toContain('canary-cookie')
  }
  expect(await posthorn.db.prisma.attempt.count()).toBe(names.length)
  expect(posthorn.told.filter(({ what }) => what === 'delivery_fault' || what === 'round_failed')).toEqual([])

  const waits = recorded.flatMap(({ record }) => (record.status === 503 ? [record.next] : []))
  const dayMs = 24 * 3_600_000
  expect(waits).toMatchObject([
    { kind: 'retry', delayMs: expect.toSatisfy((ms: number) => ms >= dayMs && ms <= 1.2 * dayMs) },
  ])

  const lines: string[] = []
  const tell = logTo(createLogger('trace', { write: (line) => lines.push(line) }))
  for (const occurrence of posthorn.told) tell(occurrence)
  tell({ what: 'delivery_fault', deliveryId: recorded[0]?.record.deliveryId ?? '', error: new Error(`${html}${ansi}`) })
  expect(lines.length).toBeGreaterThan(names.length)
  // One line each, of printable characters: no terminal obeys them.
  for (const line of lines) expect(line).toMatch(/^[^\p{Cc}]+\n$/u)
})

function answer(status: number | string, headers: string, body = ''): string {
  return `HTTP/1.1 ${status} Word\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`
}

/** A receiver that gives the hostile answer whose index is the path. */
async function startAnswering() {
  const answers = Object.values(hostile)
  const receiver: RawReceiver = await startReceiver((socket) => {
    const text = receiver.received[receiver.connections.indexOf(socket)] ?? ''
    socket.write(answers[Number(/^POST \/(\d+)/.exec(text)?.[1])]?.bytes ?? '', 'latin1')
  })
  return { port: receiver.port, [Symbol.asyncDispose]: () => receiver.close() }
}

/** The API over the same database. */
async function startApi({ db, url, publisher, transforms }: TestPosthorn) {
  await using stack = new AsyncDisposableStack()
  const jobs = stack.use(await openJobs({ url, mode: 'send', onError: () => undefined }))
  const app = await buildApi({
    db,
    world,
    jobs,
    seal,
    publisher,
    transforms,
    onWork: () => undefined,
    policy: { allowHttp: false, allowed: [] },
    resolve: createResolver(),
    logger: false,
    settings: {},
  })
  stack.defer(() => app.close())
  const { key } = await createApiKey({ db, world }, { name: 'reader', role: 'admin', tenantId: null, expiresAt: null })
  const parts = stack.move()
  return {
    get: (path: string) => app.inject({ method: 'GET', url: path, headers: { authorization: `Bearer ${key}` } }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
