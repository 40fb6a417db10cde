import { describe, expect, test } from 'vitest'
import { unusedPort } from './testing/raw-receiver.ts'
import { listenerThat, openSender, post, receiverSaying, receiverThat, shortTimeoutMs } from './testing/sending.ts'

describe('a receiver that is not there', () => {
  test('refuses the connection', async () => {
    const outcome = await post(openSender(), `http://127.0.0.1:${await unusedPort()}/`)
    expect(outcome).toMatchObject({ status: null, failureCode: 'connect_refused', remoteAddress: null })
  })
})

describe('a receiver that does not answer in time', () => {
  test.each<[string, (write: (text: string) => void) => void]>([
    ['is silent', () => {}],
    ['begins a head and does not go on', (write) => write('HTTP/1.1 200 OK\r\nx-a: ')],
    ['sends interim answers only', (write) => write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(50))],
  ])('when it %s', async (_what, speak) => {
    const receiver = await receiverThat((socket) => speak((text) => socket.write(text)))
    const outcome = await post(openSender(), receiver.url, { timeoutMs: shortTimeoutMs })
    expect(outcome).toMatchObject({ status: null, failureCode: 'response_timeout', responseTruncated: false })
    expect(outcome.timings.total).toBeGreaterThanOrEqual(shortTimeoutMs - 10)
    await receiver.allClosed()
  })

  test('when its head trickles in, byte by byte', async () => {
    const receiver = await receiverThat((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('a'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    const outcome = await post(openSender(), receiver.url, { timeoutMs: shortTimeoutMs })
    expect(outcome).toMatchObject({ status: null, failureCode: 'response_timeout' })
    await receiver.allClosed()
  })

  test('when it accepts the connection and reads nothing of a large body', async () => {
    const receiver = await listenerThat((socket) => socket.pause())
    const outcome = await post(openSender(), receiver.url, { timeoutMs: 1_000, body: 'a'.repeat(8 * 1024 * 1024) })
    expect(outcome).toMatchObject({ status: null, failureCode: 'response_timeout' })
    for (const socket of receiver.connections) socket.resume()
    await receiver.allClosed()
  })
})

describe('a receiver that closes the connection without an answer', () => {
  test.each(['ends', 'resets'])('when it %s it', async (how) => {
    const receiver = await receiverThat((socket) => (how === 'ends' ? socket.end() : socket.resetAndDestroy()))
    const outcome = await post(openSender(), receiver.url)
    expect(outcome).toMatchObject({ status: null, failureCode: 'connection_reset' })
    expect(receiver.connections).toHaveLength(1)
  })

  test('when it ends it in the middle of the head', async () => {
    const receiver = await receiverThat((socket) => socket.end('HTTP/1.1 200 OK\r\nx-a: b\r\n'))
    expect(await post(openSender(), receiver.url)).toMatchObject({ status: null, failureCode: 'connection_reset' })
  })

  test('when it does so at once, before there was a request', async () => {
    const receiver = await listenerThat((socket) => socket.resetAndDestroy())
    expect(await post(openSender(), receiver.url)).toMatchObject({ status: null, failureCode: 'connection_reset' })
  })
})

describe('an answer that is not HTTP/1.1', () => {
  const lengthTwice = 'content-length: 1\r\ncontent-length: 2\r\n'
  const lengthAndChunks = 'content-length: 3\r\ntransfer-encoding: chunked\r\n'
  const longHeader = `x-long: ${'a'.repeat(32 * 1024)}\r\n`

  test.each([
    ['garbage', 'hello\r\n\r\n'],
    ['HTTP/0.9', '<html>hello</html>'],
    ['the bytes of a TLS alert', '\x15\x03\x01\x00\x02\x02\x28'],
    ['the preface of HTTP/2', '\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64'],
    ['two lengths', `HTTP/1.1 200 OK\r\n${lengthTwice}\r\nab`],
    ['a length and chunks', `HTTP/1.1 200 OK\r\n${lengthAndChunks}\r\n1\r\na\r\n0\r\n\r\n`],
    ['a status of four digits', 'HTTP/1.1 1000 Word\r\ncontent-length: 0\r\n\r\n'],
    ['the status 000', 'HTTP/1.1 000 Word\r\ncontent-length: 0\r\n\r\n'],
    ['the status 099', 'HTTP/1.1 099 Word\r\ncontent-length: 0\r\n\r\n'],
    ['an upgrade nobody asked for', 'HTTP/1.1 101 Word\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    ['a bare 101', 'HTTP/1.1 101 Word\r\n\r\n'],
    ['an unexpected 100', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['101 interim answers', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(101)],
    ['line ends without a carriage return', 'HTTP/1.1 200 OK\nx-a: b\n\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 0\r\n\r\n'],
    ['a control character in the name of a header', 'HTTP/1.1 200 OK\r\nx\x01a: b\r\n\r\n'],
    ['NUL in the value of a header', 'HTTP/1.1 200 OK\r\nx-a: b\x00c\r\n\r\n'],
    ['a header of 32 KiB', `HTTP/1.1 200 OK\r\n${longHeader}\r\n`],
  ])('is malformed: %s', async (_what, bytes) => {
    const receiver = await receiverSaying(Buffer.from(bytes, 'latin1'))
    const outcome = await post(openSender(), receiver.url, { timeoutMs: 2_000 })
    expect(outcome).toMatchObject({ status: null, failureCode: 'response_malformed', responseHeaders: {} })
    await receiver.allClosed()
  })

  test('is malformed: 16 MB of headers, of which only the first are read', async () => {
    const header = `x-a: ${'a'.repeat(1000)}\r\n`
    let sent = 0
    const receiver = await receiverThat((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const pour = () => {
        while (socket.writable && sent < 16_000_000) {
          sent += header.length
          if (!socket.write(header)) return
        }
      }
      socket.on('drain', pour)
      pour()
    })
    expect(await post(openSender(), receiver.url)).toMatchObject({ status: null, failureCode: 'response_malformed' })
    await receiver.allClosed()
    expect(sent).toBeLessThan(16_000_000)
  })
})

describe('an answer before the request was read', () => {
  test('counts, although the receiver resets the connection while the body is still being sent', async () => {
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
})
