import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn } from './posthorn.ts'

const storedBytesMax = 16 * 1024

test.each([
  ['an empty body', Buffer.alloc(0), 0, false],
  ['a body of exactly what is stored', Buffer.alloc(storedBytesMax, 'a'), storedBytesMax, false],
  ['a body of one byte more', Buffer.alloc(storedBytesMax + 1, 'a'), storedBytesMax, true],
  [
    'bytes that are no text: NUL and invalid UTF-8',
    Buffer.from([0, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0, 0x41]),
    9,
    false,
  ],
])('the answer is stored as it came, up to 16 KiB: %s', async (_what, body, storedBytes, truncated) => {
  await using other = await startServer((response) => response.writeHead(200, { 'x-request-id': 'r-1' }).end(body))
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch({ otherPort: other.port })
  await posthorn.subscribe({ url: `http://127.0.0.1:${other.port}/` })
  await posthorn.publish()
  await posthorn.recorded(1)
  const attempt = await posthorn.db.prisma.attempt.findFirstOrThrow()
  expect(Buffer.from(attempt.responseBody).equals(body.subarray(0, storedBytes))).toBe(true)
  expect(attempt).toMatchObject({
    responseTruncated: truncated,
    responseHeaders: { 'x-request-id': 'r-1' },
    httpStatus: 200,
    remoteAddress: expect.stringContaining('127.0.0.1'),
  })
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered' })
})

test('headers of an answer that no database text could hold do not keep it from being recorded', async () => {
  await using other = await startServer((response) => {
    // Bytes above 0x7f are legal in a header (RFC 9110 §5.5) and are no UTF-8.
    response.socket?.end(
      'HTTP/1.1 500 No\r\nx-odd: \xff\xfe\x80\r\nset-cookie: secret=1\r\nconnection: close\r\n\r\nno',
      'latin1',
    )
  })
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch({ otherPort: other.port })
  await posthorn.subscribe({ url: `http://127.0.0.1:${other.port}/` })
  await posthorn.publish()
  await posthorn.recorded(1)
  const attempt = await posthorn.db.prisma.attempt.findFirstOrThrow()
  expect(attempt).toMatchObject({ httpStatus: 500, failureCode: 'http_5xx' })
  expect(Object.keys(Object(attempt.responseHeaders)).sort()).toEqual(['connection', 'x-odd'])
})

test('an answer that the database refuses is left out, and the attempt is recorded all the same, as are its neighbours', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  await posthorn.subscribe()
  await withClient(posthorn.url, (client) =>
    client.query(`alter table attempt add constraint no_poison check (position('poison'::bytea in response_body) = 0)`),
  )
  const events = [await posthorn.publish(), await posthorn.publish(), await posthorn.publish()]
  await gate.holds(3)
  gate.let(1, { status: 200, body: 'good' })
  gate.let(1, { status: 200, body: 'poison' })
  gate.let(1, { status: 200, body: 'good' })
  await posthorn.recorded(3)
  const attempts = await posthorn.db.prisma.attempt.findMany()
  expect(attempts.map((attempt) => Buffer.from(attempt.responseBody).toString()).sort()).toEqual(['', 'good', 'good'])
  expect(attempts.find((attempt) => attempt.responseBody.length === 0)).toMatchObject({
    httpStatus: 200,
    failureCode: null,
    responseTruncated: true,
  })
  expect(posthorn.told.filter((o) => o.what === 'delivery_fault')).toHaveLength(1)
  expect(await posthorn.db.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(events.length)
})

test('an attempt whose lease ran out is noted as aborted and made again, under the same id', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  await posthorn.subscribe()
  await posthorn.publish()
  await gate.holds(1)
  await posthorn.leasesRunOut()
  await gate.holds(2)
  expect(await attemptsOf(posthorn)).toMatchObject([
    { number: 1, failureCode: 'aborted', httpStatus: null, failureDetail: expect.stringContaining('may have seen') },
  ])
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({
    state: 'retrying',
    attemptCount: 1,
    lastFailureCode: 'aborted',
  })
  const [first, second] = gate.waiting
  expect(second).toMatchObject({ body: first?.body, earlier: 1, signature: 'valid' })
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  gate.open()
  await posthorn.recorded(2)
  expect(posthorn.receiver.requests).toHaveLength(2)
})

test('a late success of an attempt that lost its lease changes nothing for its successor, and both are in the list', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  await posthorn.subscribe({ retryScheduleSeconds: [600] })
  await posthorn.publish()
  await gate.holds(1)
  await posthorn.leasesRunOut()
  await gate.holds(2)
  const [late, successor] = gate.waiting
  gate.reply(successor, { status: 500 })
  await posthorn.recorded(1)
  const before = await posthorn.db.prisma.backlog.findFirstOrThrow()
  gate.reply(late, { status: 200 })
  await posthorn.recorded(2)
  expect(posthorn.attempts.map(({ record, moved }) => [record.number, moved])).toEqual([
    [2, true],
    [1, false],
  ])
  expect(await posthorn.db.prisma.backlog.findFirstOrThrow()).toEqual(before)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({
    state: 'retrying',
    attemptCount: 2,
    lastFailureCode: 'http_5xx',
  })
  expect(await attemptsOf(posthorn)).toMatchObject([
    { number: 1, httpStatus: 200, failureCode: null },
    { number: 2, httpStatus: 500, failureCode: 'http_5xx' },
  ])
})

test('a late 410 of an attempt that lost its lease neither fails the delivery nor disables the subscription', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  await posthorn.subscribe()
  await posthorn.publish()
  await gate.holds(1)
  await posthorn.leasesRunOut()
  await gate.holds(2)
  const [late, successor] = gate.waiting
  gate.reply(late, { status: 410 })
  await posthorn.recorded(1)
  expect(await posthorn.db.prisma.subscription.findFirstOrThrow()).toMatchObject({ state: 'active' })
  gate.reply(successor, { status: 200 })
  await posthorn.recorded(2)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered', attemptCount: 2 })
  expect((await attemptsOf(posthorn)).map((attempt) => attempt.failureCode)).toEqual(['http_410', null])
})

test('a delivery whose dispatcher vanishes again and again is attempted again and again, numbered without gaps', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch()
  await posthorn.subscribe()
  await posthorn.publish()
  for (let held = 1; held <= 4; held += 1) {
    await gate.holds(held)
    await posthorn.leasesRunOut()
  }
  await gate.holds(5)
  const [one, two, three, four, five] = gate.waiting
  gate.reply(five, { status: 200 })
  await posthorn.recorded(1)
  expect((await attemptsOf(posthorn)).map(({ number, failureCode }) => [number, failureCode])).toEqual([
    [1, 'aborted'],
    [2, 'aborted'],
    [3, 'aborted'],
    [4, 'aborted'],
    [5, null],
  ])
  for (const request of [four, three, two, one]) gate.reply(request, { status: 500 })
  await posthorn.recorded(5)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered', attemptCount: 5 })
})

function attemptsOf({ db }: TestPosthorn) {
  return db.prisma.attempt.findMany({ orderBy: { number: 'asc' } })
}

/** A server that answers with what HTTP allows and our own receiver would never send. */
async function startServer(answer: (response: ServerResponse) => void): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Listening on an IP address, so the address is an object.
  const { port } = server.address() as AddressInfo
  return {
    port,
    [Symbol.asyncDispose]() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
