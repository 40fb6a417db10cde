import { describe, expect, test } from 'vitest'
import { openSender, post, receiverSaying, textOf } from './testing/sending.ts'

const emptyOk = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'

function answer(status: number, headers = '', body = ''): string {
  return `HTTP/1.1 ${status} Word\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`
}

describe('the request', () => {
  test('is a POST of exactly the given bytes, with their number and the host of the URL', async () => {
    const receiver = await receiverSaying(emptyOk)
    await post(openSender(), `${receiver.url}/hooks/a%20b?x=1&y=%2F`, {
      headers: { 'content-type': 'application/json', 'webhook-id': 'evt_1' },
      body: '{"name":"Zoë ✓"}',
    })
    const [head = '', body = ''] = (receiver.received[0] ?? '').split('\r\n\r\n')
    const lines = head.split('\r\n')
    expect(lines[0]).toBe('POST /hooks/a%20b?x=1&y=%2F HTTP/1.1')
    expect(lines).toContain(`host: 127.0.0.1:${receiver.port}`)
    expect(lines).toContain('content-length: 19')
    expect(lines).toContain('webhook-id: evt_1')
    expect(lines.some((line) => /^(?:transfer-encoding|accept-encoding|expect)/i.test(line))).toBe(false)
    expect(Buffer.from(body, 'latin1').toString()).toBe('{"name":"Zoë ✓"}')
  })

  test('with an empty body says that its length is zero', async () => {
    const receiver = await receiverSaying(emptyOk)
    await post(openSender(), receiver.url, { body: '' })
    expect(receiver.received[0]).toContain('content-length: 0\r\n')
  })
})

describe('a complete answer', () => {
  test('with a 2xx is a success, with its status, headers, body and timings', async () => {
    const receiver = await receiverSaying(answer(202, 'Content-Type: text/plain\r\nX-Trace: 7\r\n', 'thank you'))
    const outcome = await post(openSender(), receiver.url)
    expect(outcome).toMatchObject({
      status: 202,
      failureCode: null,
      remoteAddress: '127.0.0.1',
      responseHeaders: { 'content-type': 'text/plain', 'x-trace': '7', 'content-length': '9' },
      responseTruncated: false,
      retryAfter: null,
      timings: { dns: null, connect: expect.any(Number), tls: null, firstByte: expect.any(Number) },
    })
    expect(textOf(outcome)).toBe('thank you')
    expect(outcome.timings.total).toBeGreaterThanOrEqual(outcome.timings.firstByte ?? Number.NaN)
  })

  test('with a 204 is a success without a body', async () => {
    const receiver = await receiverSaying('HTTP/1.1 204 No Content\r\n\r\n')
    const outcome = await post(openSender(), receiver.url)
    expect(outcome).toMatchObject({ status: 204, responseTruncated: false })
    expect(outcome.responseBody).toHaveLength(0)
  })

  test.each([
    [400, 'http_4xx'],
    [401, 'http_4xx'],
    [410, 'http_410'],
    [429, 'http_429'],
    [499, 'http_4xx'],
    [500, 'http_5xx'],
    [503, 'http_5xx'],
  ])('with a %d is a failure of the code %s, with its status', async (status, failureCode) => {
    const receiver = await receiverSaying(answer(status, 'retry-after: 120\r\n', 'no'))
    expect(await post(openSender(), receiver.url)).toMatchObject({ status, failureCode, retryAfter: '120' })
  })

  test('after interim answers is the one that counts', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
    const receiver = await receiverSaying(hints + answer(500))
    expect(await post(openSender(), receiver.url)).toMatchObject({
      status: 500,
      responseHeaders: { 'content-length': '0' },
    })
  })
})

describe('the headers of an answer', () => {
  test('are kept with lower-case names, repeated ones joined, without cookies', async () => {
    const receiver = await receiverSaying(
      answer(200, 'VIA: a\r\nvia: b\r\nSet-Cookie: session=secret\r\nset-cookie2: x\r\n'),
    )
    const { responseHeaders } = await post(openSender(), receiver.url)
    expect(responseHeaders).toEqual({ via: 'a, b', 'content-length': '0' })
  })

  test('are at most 32 when the receiver sends 400 small ones', async () => {
    const many = Array.from({ length: 400 }, (_, index) => `${index}: \r\n`).join('')
    const receiver = await receiverSaying(answer(200, many))
    const outcome = await post(openSender(), receiver.url)
    expect(outcome.status).toBe(200)
    expect(Object.keys(outcome.responseHeaders)).toHaveLength(32)
  })

  test('are cut at 4 KiB each', async () => {
    const receiver = await receiverSaying(answer(200, `x-long: ${'a'.repeat(5000)}\r\n`))
    const { responseHeaders } = await post(openSender(), receiver.url)
    expect(responseHeaders['x-long']).toHaveLength(4096)
  })
})

describe('the body of an answer', () => {
  test('is kept whole up to 16 KiB, and is marked as truncated when it is longer by a byte', async () => {
    const full = await receiverSaying(answer(200, '', 'a'.repeat(16 * 1024)))
    const fuller = await receiverSaying(answer(200, '', 'a'.repeat(16 * 1024 + 1)))
    const sender = openSender()
    expect(await post(sender, full.url)).toMatchObject({ status: 200, responseTruncated: false })
    const outcome = await post(sender, fuller.url)
    expect(outcome).toMatchObject({ status: 200, responseTruncated: true })
    expect(outcome.responseBody).toHaveLength(16 * 1024)
  })

  test('that comes in chunks is put together without their framing', async () => {
    const receiver = await receiverSaying(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    )
    const outcome = await post(openSender(), receiver.url)
    expect(textOf(outcome)).toBe('abcde')
    expect(outcome.responseTruncated).toBe(false)
  })
})
