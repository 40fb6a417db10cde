/**
 * Answers that hurt, each over a real socket: the receiver does its worst, and the sender ends in time, with the right
 * code, and lets go of the connection. The numbers are those of the cases of hostile input (74 to 96) and of the faults
 * (10 to 17) in docs/delivery-rules.md. What TLS can do is in send-tls.test.ts, what names can do in the guard's tests,
 * and what all this costs in memory in packages/checks/src/hostile.
 */
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { FailureCode } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { parseRetryAfterMs } from './retry-after.ts'
import {
  keep,
  listenerThat,
  openSender,
  post,
  receiverSaying,
  receiverThat,
  shortTimeoutMs,
  textOf,
} from './testing/sending.ts'

/** How much later than the deadline an attempt may end, in milliseconds. */
const toleranceMs = 500
const ample = 5_000

type Bad = {
  readonly number: string
  readonly what: string
  /** What the receiver does once it has the request. */
  readonly react: (socket: Socket) => void
  readonly status: number | null
  readonly failureCode: FailureCode | null
}

const answerHead = 'HTTP/1.1 200 OK\r\n'
const emptyOk = `${answerHead}content-length: 0\r\n\r\n`
const chunkedHead = `${answerHead}transfer-encoding: chunked\r\n\r\n`

/** Writes these bytes again and again, as fast as they are taken, until the connection is closed. */
function pour(socket: Socket, bytes: string): void {
  const go = () => {
    while (socket.writable && socket.write(bytes, 'latin1'));
  }
  socket.on('drain', go)
  go()
}

/** Writes these bytes again and again, a few a second. */
function trickle(socket: Socket, bytes: string): void {
  const timer = setInterval(() => socket.write(bytes, 'latin1'), 20)
  socket.on('close', () => clearInterval(timer))
}

function saying(text: string): (socket: Socket) => void {
  return (socket) => void socket.write(text, 'latin1')
}

function first(text: string, then: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.write(text, 'latin1')
    then(socket)
  }
}

const noAnswer = { status: null, failureCode: 'response_timeout' } as const
const malformed = { status: null, failureCode: 'response_malformed' } as const
const accepted = { status: 200, failureCode: null } as const

describe('an answer that does not end', () => {
  const cases: Bad[] = [
    { number: 'fault 10', what: 'nothing at all', react: () => undefined, ...noAnswer },
    {
      number: 'case 74',
      what: 'interim answers, one after the other',
      react: (socket) => trickle(socket, 'HTTP/1.1 102 Processing\r\n\r\n'),
      ...noAnswer,
    },
    { number: 'case 74', what: 'a few interim answers', react: saying('HTTP/1.1 103 Hints\r\n\r\n'), ...noAnswer },
    { number: 'case 76', what: 'a head that stops', react: saying(`${answerHead}x-a: `), ...noAnswer },
    {
      number: 'case 76',
      what: 'a head, a letter at a time',
      react: first(`${answerHead}x-a: `, (socket) => trickle(socket, 'a')),
      ...noAnswer,
    },
    {
      number: 'case 76',
      what: 'a head, a header at a time',
      react: first(answerHead, (socket) => trickle(socket, 'x-a: b\r\n')),
      ...noAnswer,
    },
    { number: 'case 76', what: 'line ends before the head', react: (socket) => trickle(socket, '\r\n'), ...noAnswer },
    {
      number: 'case 77',
      what: 'a body that stops',
      react: saying(`${answerHead}content-length: 10\r\n\r\nabc`),
      ...accepted,
    },
    {
      number: 'case 77',
      what: 'the body of a failure that stops',
      react: saying('HTTP/1.1 500 Word\r\ncontent-length: 10\r\n\r\nabc'),
      status: 500,
      failureCode: 'http_5xx',
    },
    {
      number: 'case 77',
      what: 'a body, a letter at a time',
      react: first(`${answerHead}content-length: 100000\r\n\r\n`, (socket) => trickle(socket, 'a')),
      ...accepted,
    },
    {
      number: 'case 78',
      what: 'chunks, one after the other',
      react: first(chunkedHead, (socket) => trickle(socket, '1\r\na\r\n')),
      ...accepted,
    },
    {
      number: 'case 78',
      what: 'the extension of a chunk, a letter at a time',
      react: first(`${chunkedHead}1;`, (socket) => trickle(socket, 'a')),
      ...accepted,
    },
    {
      number: 'case 78',
      what: 'trailers, one after the other',
      react: first(`${chunkedHead}0\r\n`, (socket) => trickle(socket, 'x-a: b\r\n')),
      ...accepted,
    },
    {
      number: 'case 79',
      what: 'a gigabyte that is announced and does not come',
      react: saying(`${answerHead}content-length: 1073741824\r\n\r\n`),
      ...accepted,
    },
  ]

  test.each(cases)('$number: $what: ends with the deadline, and its status counts', async (one) => {
    const receiver = await receiverThat(one.react)
    const outcome = await post(openSender(), receiver.url, { timeoutMs: shortTimeoutMs })
    expect(outcome).toMatchObject({
      status: one.status,
      failureCode: one.failureCode,
      responseTruncated: one.status !== null,
    })
    expect(outcome.timings.total).toBeGreaterThanOrEqual(shortTimeoutMs - 10)
    expect(outcome.timings.total).toBeLessThan(shortTimeoutMs + toleranceMs)
    await receiver.allClosed()
  })

  test('fault 10: a receiver that reads nothing of a large request: ends with the deadline', async () => {
    const receiver = await listenerThat((socket) => socket.pause())
    const body = 'a'.repeat(8 * 1024 * 1024)
    const outcome = await post(openSender(), receiver.url, { timeoutMs: shortTimeoutMs, body })
    expect(outcome).toMatchObject(noAnswer)
    expect(outcome.timings.total).toBeLessThan(shortTimeoutMs + toleranceMs)
    for (const socket of receiver.connections) socket.resume()
    await receiver.allClosed()
  })
})

describe('an answer that is too much', () => {
  const cases: Bad[] = [
    {
      number: 'case 74',
      what: 'interim answers without end',
      react: (socket) => pour(socket, 'HTTP/1.1 102 Processing\r\n\r\n'),
      ...malformed,
    },
    {
      number: 'case 74',
      what: 'interim answers with long heads without end',
      react: (socket) => pour(socket, `HTTP/1.1 103 Hints\r\nlink: ${'a'.repeat(10_000)}\r\n\r\n`),
      ...malformed,
    },
    {
      number: 'case 76',
      what: 'line ends before the head without end',
      react: (s) => pour(s, '\r\n'.repeat(5_000)),
      ...malformed,
    },
    {
      number: 'case 76',
      what: 'a reason phrase without end',
      react: first('HTTP/1.1 200 ', (socket) => pour(socket, 'a'.repeat(10_000))),
      ...malformed,
    },
    {
      number: 'case 76',
      what: 'spaces in a header without end',
      react: first(`${answerHead}x-a:`, (socket) => pour(socket, ' '.repeat(10_000))),
      ...malformed,
    },
    {
      number: 'case 78',
      what: 'chunks without end',
      react: first(chunkedHead, (socket) => pour(socket, `1000\r\n${'a'.repeat(4096)}\r\n`)),
      ...accepted,
    },
    {
      number: 'case 78',
      what: 'a body without a length and without end',
      react: first(`${answerHead}connection: close\r\n\r\n`, (socket) => pour(socket, 'a'.repeat(10_000))),
      ...accepted,
    },
    {
      number: 'case 78',
      what: 'chunks of one byte with long extensions without end',
      react: first(chunkedHead, (socket) => pour(socket, `1;${'a'.repeat(50_000)}\r\na\r\n`)),
      ...accepted,
    },
    {
      number: 'case 78',
      what: 'one extension of a chunk without end',
      react: first(`${chunkedHead}1;`, (socket) => pour(socket, 'a'.repeat(10_000))),
      ...accepted,
    },
    {
      number: 'case 78',
      what: 'trailers without end',
      react: first(`${chunkedHead}0\r\n`, (socket) => pour(socket, `x-a: ${'a'.repeat(1000)}\r\n`)),
      ...accepted,
    },
    {
      number: 'case 79',
      what: 'a gigabyte',
      react: first(`${answerHead}content-length: 1073741824\r\n\r\n`, (socket) => pour(socket, 'a'.repeat(10_000))),
      ...accepted,
    },
    {
      number: 'case 81',
      what: '16 MB of headers',
      react: first(answerHead, (socket) => pour(socket, `x-a: ${'a'.repeat(1000)}\r\n`)),
      ...malformed,
    },
    {
      number: 'case 81',
      what: 'a header of 32 KiB',
      react: saying(`${answerHead}x-a: ${'a'.repeat(32_768)}\r\n\r\n`),
      ...malformed,
    },
    {
      number: 'case 82',
      what: '2,000 headers',
      react: saying(`${answerHead}${Array.from({ length: 2_000 }, (_, n) => `${n}:\r\n`).join('')}\r\n`),
      ...malformed,
    },
    {
      number: 'case 82',
      what: 'headers of one letter without end',
      react: first(answerHead, (socket) => pour(socket, 'a:\r\n'.repeat(5_000))),
      ...malformed,
    },
  ]

  test.each(cases)('$number: $what: is read no further, long before the deadline', async (one) => {
    const receiver = await receiverThat(one.react)
    const outcome = await post(openSender(), receiver.url, { timeoutMs: ample })
    expect(outcome).toMatchObject({
      status: one.status,
      failureCode: one.failureCode,
      responseTruncated: one.status !== null,
    })
    expect(outcome.timings.total).toBeLessThan(ample / 2)
    await receiver.allClosed()
    for (const { bytesWritten } of receiver.connections) expect(bytesWritten).toBeLessThan(16_000_000)
  })

  test.each([
    ['gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024))],
    ['br', brotliCompressSync(Buffer.alloc(64 * 1024 * 1024))],
    ['zstd', zstdCompressSync(Buffer.alloc(64 * 1024 * 1024))],
  ])('case 80: a bomb of 64 MiB in %s: is its few compressed bytes', async (encoding, bomb) => {
    const receiver = await receiverThat((socket) => {
      socket.write(`${answerHead}content-encoding: ${encoding}\r\ncontent-length: ${bomb.length}\r\n\r\n`)
      socket.write(bomb)
    })
    const outcome = await post(openSender(), receiver.url)
    expect(outcome).toMatchObject({ ...accepted, responseTruncated: bomb.length > 16 * 1024 })
    expect(Buffer.from(outcome.responseBody).equals(bomb.subarray(0, 16 * 1024))).toBe(true)
  })

  test('an answer of hundreds of headers, and one whose body is all line ends, are not', async () => {
    const many = Array.from({ length: 400 }, (_, n) => `x-${n}: a\r\n`).join('')
    const lines = '\n'.repeat(60_000)
    const receiver = await receiverSaying(`${answerHead}${many}content-length: ${lines.length}\r\n\r\n${lines}`)
    const sender = openSender()
    expect(await post(sender, receiver.url)).toMatchObject(accepted)
    expect(await post(sender, receiver.url)).toMatchObject({ ...accepted, timings: { connect: null } })
  })
})

describe('an answer that is not HTTP/1.1', () => {
  const cases: Bad[] = [
    ['fault 11', 'garbage', 'hello\r\n\r\n'],
    ['fault 11', 'HTTP/0.9', '<html>hello</html>'],
    ['fault 11', 'the bytes of a TLS alert', '\x15\x03\x01\x00\x02\x02\x28'],
    ['fault 15', 'the frames of HTTP/2', '\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64'],
    ['case 74', 'an unexpected 100', `HTTP/1.1 100 Continue\r\n\r\n${emptyOk}`],
    ['case 74', '101 interim answers', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(101)],
    [
      'case 75',
      'an upgrade nobody asked for',
      'HTTP/1.1 101 Word\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    ],
    ['case 75', 'a bare 101', 'HTTP/1.1 101 Word\r\n\r\n'],
    ['case 79', 'a length beyond all numbers', `${answerHead}content-length: 99999999999999999999999\r\n\r\n`],
    ['case 79', 'a length below zero', `${answerHead}content-length: -1\r\n\r\n`],
    ['case 83', 'two lengths', `${answerHead}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
    ['case 83', 'one length twice', `${answerHead}content-length: 2\r\ncontent-length: 2\r\n\r\nab`],
    [
      'case 84',
      'a length and chunks',
      `${answerHead}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    ],
    [
      'case 84',
      'chunks and a length',
      `${answerHead}transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    ],
    ['case 85', 'line ends without a carriage return', 'HTTP/1.1 200 OK\nx-a: b\n\n'],
    ['case 85', 'a folded header', `${answerHead}x-a: b\r\n c\r\ncontent-length: 0\r\n\r\n`],
    ['case 86', 'a control character in the name of a header', `${answerHead}x\x01a: b\r\n\r\n`],
    ['case 86', 'a space in the name of a header', `${answerHead}x a: b\r\n\r\n`],
    ['case 86', 'a header without a name', `${answerHead}: b\r\n\r\n`],
    ['case 86', 'NUL in the value of a header', `${answerHead}x-a: b\x00c\r\n\r\n`],
    ['case 86', 'a line end without its partner in the value of a header', `${answerHead}x-a: b\rc\r\n\r\n`],
    ['case 87', 'the status 000', 'HTTP/1.1 000 Word\r\ncontent-length: 0\r\n\r\n'],
    ['case 87', 'the status 099', 'HTTP/1.1 099 Word\r\ncontent-length: 0\r\n\r\n'],
    ['case 87', 'a status of four digits', 'HTTP/1.1 1000 Word\r\ncontent-length: 0\r\n\r\n'],
    ['case 87', 'a status of letters', 'HTTP/1.1 OK 200\r\ncontent-length: 0\r\n\r\n'],
  ].map(([number = '', what = '', text = '']) => ({ number, what, react: saying(text), ...malformed }))

  test.each(cases)('$number: $what: is malformed, and the connection is closed', async ({ react, ...expected }) => {
    const receiver = await receiverThat(react)
    const outcome = await post(openSender(), receiver.url, { timeoutMs: ample })
    expect(outcome).toMatchObject({ status: null, failureCode: expected.failureCode, responseHeaders: {} })
    await receiver.allClosed()
  })

  test.each([600, 999])('case 87: the status %d: is malformed, and is told', async (status) => {
    const receiver = await receiverSaying(`HTTP/1.1 ${status} Word\r\ncontent-length: 0\r\n\r\n`)
    expect(await post(openSender(), receiver.url)).toMatchObject({ status, failureCode: 'response_malformed' })
  })

  test('fault 15: a receiver that speaks HTTP/2 alone, without TLS: fails, and nothing hangs', async () => {
    const server = createHttp2Server()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    keep({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) })
    // A server that listens on an IP address has one.
    const { port } = server.address() as AddressInfo
    const outcome = await post(openSender(), `http://127.0.0.1:${port}/`, { timeoutMs: ample })
    expect(outcome.status === null || outcome.status >= 400).toBe(true)
    expect(['response_malformed', 'connection_reset', 'http_4xx']).toContain(outcome.failureCode)
  })
})

describe('an answer that breaks off', () => {
  test.each<[string, string, (socket: Socket) => void, Partial<Bad>]>([
    ['fault 10', 'a reset before the answer', (socket) => socket.resetAndDestroy(), reset()],
    ['fault 11', 'an end before the answer', (socket) => socket.end(), reset()],
    ['fault 11', 'an end within the head', (socket) => socket.end(`${answerHead}x-a: b\r\n`), reset()],
    [
      'fault 11',
      'a reset within the body',
      (socket) => socket.write(`${answerHead}content-length: 9\r\n\r\na`, () => socket.resetAndDestroy()),
      accepted,
    ],
    ['fault 11', 'an end within the body', (socket) => socket.end(`${answerHead}content-length: 9\r\n\r\na`), accepted],
    ['fault 11', 'an end within the chunks', (socket) => socket.end(`${chunkedHead}5\r\nab`), accepted],
    ['case 78', 'a chunk that is none', (socket) => socket.write(`${chunkedHead}3\r\nabc\r\nzzz\r\n`), accepted],
    [
      'case 84',
      'a coding that is not chunked',
      (socket) => socket.end(`${answerHead}transfer-encoding: gzip\r\n\r\nabc`),
      accepted,
    ],
  ])(
    '%s: %s: a status that has arrived counts, and without one it is a reset',
    async (_number, _what, react, expected) => {
      const receiver = await receiverThat(react)
      const { status, failureCode } = expected
      const outcome = await post(openSender(), receiver.url, { timeoutMs: ample })
      expect(outcome).toMatchObject({ status, failureCode })
      expect(receiver.connections).toHaveLength(1)
      await receiver.allClosed()
    },
  )

  test('fault 12: a 413 and a reset while the request is still being sent: the status counts', async () => {
    const receiver = await listenerThat((socket) => {
      socket.once('data', () => {
        socket.pause()
        socket.write('HTTP/1.1 413 Word\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', () =>
          socket.resetAndDestroy(),
        )
      })
    })
    const outcome = await post(openSender(), receiver.url, { body: 'a'.repeat(8 * 1024 * 1024) })
    expect(outcome).toMatchObject({ status: 413, failureCode: 'http_4xx' })
  })

  function reset() {
    return { status: null, failureCode: 'connection_reset' } as const
  }
})

describe('what an answer contains', () => {
  test('case 88: NUL and invalid UTF-8 in the body: are kept as they are', async () => {
    const bytes = Uint8Array.from([0, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x0a])
    const receiver = await receiverThat((socket) => {
      socket.write(`${answerHead}content-length: ${bytes.length}\r\n\r\n`)
      socket.write(bytes)
    })
    const { responseBody } = await post(openSender(), receiver.url)
    expect(Uint8Array.from(responseBody)).toEqual(bytes)
  })

  test('case 88: bytes that are no UTF-8 in a header: are read as Latin-1, and no text is cut within a character', async () => {
    const long = `${'a'.repeat(4095)}\xf0\x9f\x98\x80`
    const receiver = await receiverThat(
      saying(`${answerHead}x-odd: \xff\xfe\x80\r\nx-long: ${long}\r\ncontent-length: 0\r\n\r\n`),
    )
    const { responseHeaders } = await post(openSender(), receiver.url)
    expect(responseHeaders).toMatchObject({ 'x-odd': 'ÿþ\x80', 'x-long': `${'a'.repeat(4095)}\xf0` })
    for (const value of Object.values(responseHeaders)) expect(value.isWellFormed()).toBe(true)
  })

  test('case 86: headers named as what every object of JavaScript has: are headers like any other', async () => {
    const odd = '__proto__: a\r\nconstructor: b\r\nhasOwnProperty: c\r\ntoString: d\r\n'
    const receiver = await receiverThat(saying(`${answerHead}${odd}${odd}content-length: 0\r\n\r\n`))
    const outcome = await post(openSender(), receiver.url)
    expect(outcome).toMatchObject(accepted)
    expect(Object.entries(outcome.responseHeaders)).toEqual([
      ['__proto__', 'a, a'],
      ['constructor', 'b, b'],
      ['hasownproperty', 'c, c'],
      ['tostring', 'd, d'],
      ['content-length', '0'],
    ])
  })

  test('case 89: cookies: are not kept', async () => {
    const receiver = await receiverThat(
      saying(
        `${answerHead}Set-Cookie: session=secret\r\nset-cookie: b=c\r\nset-cookie2: x\r\ncontent-length: 0\r\n\r\n`,
      ),
    )
    const { responseHeaders } = await post(openSender(), receiver.url)
    expect(responseHeaders).toEqual({ 'content-length': '0' })
  })

  test.each([
    ['99999999999', 86_400_000],
    ['-1', null],
    ['NaN', null],
    ['1e9', null],
    ['Thu, 01 Jan 1970 00:00:00 GMT', null],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 86_400_000],
    ['5\r\nretry-after: 10', null],
    ['\xff\x01', undefined],
  ])('case 90: Retry-After %j: is clamped to a day, or asks for nothing', async (value, waitMs) => {
    const receiver = await receiverThat(
      saying(`HTTP/1.1 503 Word\r\nretry-after: ${value}\r\ncontent-length: 0\r\n\r\n`),
    )
    const outcome = await post(openSender(), receiver.url)
    if (waitMs === undefined) expect(outcome).toMatchObject(malformed)
    else expect(parseRetryAfterMs(outcome.retryAfter, Date.now())).toBe(waitMs)
  })

  test.each(['with the answer', 'a moment later'])(
    'case 91: a second answer that nobody asked for, %s: the connection is closed and not used again',
    async (when) => {
      const planted = `${answerHead}content-length: 7\r\n\r\nplanted`
      const late = Promise.withResolvers<void>()
      const receiver = await receiverThat((socket) => {
        if (receiver.connections.length > 1) {
          socket.write('HTTP/1.1 500 Word\r\ncontent-length: 6\r\n\r\nhonest')
        } else if (when === 'with the answer') socket.write(emptyOk + planted)
        else socket.write(emptyOk, () => void late.promise.then(() => socket.write(planted)))
      })
      const sender = openSender()
      expect(textOf(await post(sender, receiver.url))).toBe('')
      late.resolve()
      await receiver.allClosed()
      const second = await post(sender, receiver.url)
      expect(second).toMatchObject({ status: 500 })
      expect(textOf(second)).toBe('honest')
      expect(receiver.connections).toHaveLength(2)
    },
  )

  test('case 91: a body behind a 204: is no answer to the next request', async () => {
    const receiver = await receiverThat((socket) => {
      if (receiver.connections.length > 1) socket.write(emptyOk)
      else socket.write('HTTP/1.1 204 Word\r\ncontent-length: 40\r\n\r\nHTTP/1.1 418 Word\r\ncontent-length: 0\r\n\r\n')
    })
    const sender = openSender()
    await post(sender, receiver.url)
    await receiver.allClosed()
    expect(await post(sender, receiver.url)).toMatchObject(accepted)
  })

  test.each(['<script>alert(1)</script>', '\x1b[2J\x1b]0;owned\x07', '\x9b31m'])(
    'cases 95 and 96: the text %j in body and headers: is kept as it is, and is in no sentence of ours',
    async (text) => {
      const inHeader = [...text].filter((character) => character >= ' ').join('')
      const receiver = await receiverThat(
        saying(`HTTP/1.1 500 ${inHeader}\r\nx-text: ${inHeader}\r\ncontent-length: ${text.length}\r\n\r\n${text}`),
      )
      const outcome = await post(openSender(), receiver.url)
      expect(outcome).toMatchObject({ status: 500, responseHeaders: { 'x-text': inHeader } })
      expect(textOf(outcome)).toBe(text)
      expect(outcome.failureDetail).toMatch(/^[ -~]+$/)
    },
  )
})

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('fault 16, case 72: a %d: is a failure, and is not followed', async (status) => {
    const elsewhere = await receiverSaying(emptyOk)
    const receiver = await receiverSaying(
      `HTTP/1.1 ${status} Word\r\nlocation: ${elsewhere.url}/latest/meta-data/\r\ncontent-length: 0\r\n\r\n`,
    )
    const outcome = await post(openSender(), receiver.url)
    expect(outcome).toMatchObject({ status, failureCode: 'http_3xx' })
    expect(outcome.responseHeaders['location']).toContain('meta-data')
    expect(elsewhere.connections).toHaveLength(0)
  })

  test('fault 16: a redirect to itself: is one request', async () => {
    let requests = 0
    const receiver = await receiverThat((socket) => {
      requests += 1
      socket.write('HTTP/1.1 307 Word\r\nlocation: /\r\ncontent-length: 0\r\n\r\n')
    })
    expect(await post(openSender(), receiver.url)).toMatchObject({ status: 307, failureCode: 'http_3xx' })
    expect(requests).toBe(1)
  })
})
