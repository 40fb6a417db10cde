import { describe, expect, test } from 'vitest'
import { openSender, post, receiverSaying, receiverThat, shortTimeoutMs } from './testing/sending.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('connections', () => {
  test('are kept for the next request, which then has no time for connecting', async () => {
    const receiver = await receiverSaying(ok)
    const sender = openSender()
    const first = await post(sender, receiver.url)
    const second = await post(sender, receiver.url)
    expect(receiver.connections).toHaveLength(1)
    expect(first.timings.connect).not.toBeNull()
    expect(second).toMatchObject({
      status: 200,
      remoteAddress: '127.0.0.1',
      timings: { dns: null, connect: null, tls: null },
    })
  })

  test('are shared by the URLs of an origin and not between origins', async () => {
    const receivers = [await receiverSaying(ok), await receiverSaying(ok)]
    const sender = openSender()
    for (const { url } of receivers) {
      await post(sender, `${url}/a`)
      await post(sender, `${url}/b`)
    }
    expect(receivers.map(({ connections }) => connections.length)).toEqual([1, 1])
  })

  test('are opened for requests at the same time, so that a slow answer holds up no other', async () => {
    let requests = 0
    const receiver = await receiverThat(() => {
      requests += 1
      // Nobody is answered before the third has asked.
      if (requests === 3) for (const each of receiver.connections) each.write(ok)
    })
    const sender = openSender()
    const outcomes = await Promise.all([1, 2, 3].map(() => post(sender, receiver.url)))
    expect(outcomes.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(receiver.connections).toHaveLength(3)
  })

  test('are not kept when the receiver closes them', async () => {
    const receiver = await receiverSaying('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    const sender = openSender()
    await post(sender, receiver.url)
    await receiver.allClosed()
    await post(sender, receiver.url)
    expect(receiver.connections).toHaveLength(2)
  })

  test('are closed with the sender', async () => {
    const receiver = await receiverSaying(ok)
    const sender = openSender()
    await post(sender, receiver.url)
    await sender.close()
    await receiver.allClosed()
  })
})

describe('case 92, fault 13: a kept connection that the receiver closes just as the next request is written', () => {
  test.each(['resets', 'ends'])(
    'and %s costs nothing: the request goes once more, on a new connection',
    async (how) => {
      const receiver = await receiverThat((socket, index) => {
        if (index === 0) socket.write(ok)
        else if (how === 'resets') socket.resetAndDestroy()
        else socket.end()
      })
      const sender = openSender()
      await post(sender, receiver.url, { body: 'first' })
      const outcome = await post(sender, receiver.url, { body: 'second' })
      expect(outcome).toMatchObject({ status: 200, failureCode: null, timings: { connect: expect.any(Number) } })
      expect(receiver.connections).toHaveLength(2)
      expect(receiver.received[1]).toMatch(/second$/)
    },
  )

  test('is not replaced by another kept one, which may be closed as well', async () => {
    let requests = 0
    const receiver = await receiverThat((socket, index) => {
      requests += 1
      if (index > 0) socket.resetAndDestroy()
      else if (requests === 2) for (const each of receiver.connections) each.write(ok)
      else if (requests > 2) socket.write(ok)
    })
    const sender = openSender()
    await Promise.all([post(sender, receiver.url), post(sender, receiver.url)])
    expect(await post(sender, receiver.url)).toMatchObject({ status: 200 })
    expect(receiver.connections).toHaveLength(3)
    expect(requests).toBe(4)
  })

  test('fails when the new connection is closed too', async () => {
    let requests = 0
    const receiver = await receiverThat((socket) => {
      requests += 1
      if (requests === 1) socket.write(ok)
      else socket.resetAndDestroy()
    })
    const sender = openSender()
    await post(sender, receiver.url)
    expect(await post(sender, receiver.url)).toMatchObject({ status: null, failureCode: 'connection_reset' })
    expect(requests).toBe(3)
  })

  test('fails at once when the answer had begun', async () => {
    const receiver = await receiverThat((socket, index) => {
      if (index === 0) socket.write(ok)
      else socket.end('HTTP/1.1 2')
    })
    const sender = openSender()
    await post(sender, receiver.url)
    expect(await post(sender, receiver.url)).toMatchObject({ status: null, failureCode: 'connection_reset' })
    expect(receiver.connections).toHaveLength(1)
  })

  test('shares the deadline with the second try', async () => {
    const receiver = await receiverThat((socket, index) => {
      if (receiver.connections.length > 1) return
      if (index === 0) socket.write(ok)
      else socket.resetAndDestroy()
    })
    const sender = openSender()
    await post(sender, receiver.url)
    expect(await post(sender, receiver.url, { timeoutMs: shortTimeoutMs })).toMatchObject({
      failureCode: 'response_timeout',
    })
    expect(receiver.connections).toHaveLength(2)
    await receiver.allClosed()
  })
})

describe('giving up', () => {
  test('a signal that has aborted already keeps the request from being sent', async () => {
    const receiver = await receiverSaying(ok)
    const outcome = await post(openSender(), receiver.url, { signal: AbortSignal.abort() })
    expect(outcome).toMatchObject({ status: null, failureCode: 'aborted', remoteAddress: null })
    expect(receiver.connections).toHaveLength(0)
  })

  test('one signal ends any number of requests at once, and their connections', async () => {
    const abort = new AbortController()
    const count = 20
    const receiver = await receiverThat(() => {
      if (receiver.connections.length === count) abort.abort()
    })
    const sender = openSender()
    const outcomes = await Promise.all(
      Array.from({ length: count }, () => post(sender, receiver.url, { signal: abort.signal })),
    )
    expect(new Set(outcomes.map(({ failureCode }) => failureCode))).toEqual(new Set(['aborted']))
    await receiver.allClosed()
  })

  test('a signal that aborts after the head of the answer does not undo the answer', async () => {
    const abort = new AbortController()
    const receiver = await receiverSaying('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart')
    const second = await receiverThat(() => abort.abort())
    const sender = openSender()
    const answered = post(sender, receiver.url, { signal: abort.signal })
    await receiver.firstRequest
    // Another exchange lies between the head and the signal, so the head has arrived by then.
    const aborted = post(sender, second.url, { signal: abort.signal })
    expect(await aborted).toMatchObject({ status: null, failureCode: 'aborted' })
    expect(await answered).toMatchObject({ status: 200, failureCode: null, responseTruncated: true })
  })

  test('a signal that outlives many requests keeps none of them', async () => {
    const abort = new AbortController()
    const receiver = await receiverSaying(ok)
    const sender = openSender()
    for (let i = 0; i < 30; i += 1) await post(sender, receiver.url, { signal: abort.signal })
    abort.abort()
    expect(await post(sender, receiver.url)).toMatchObject({ status: 200 })
    expect(receiver.connections).toHaveLength(1)
  })
})

describe('mistakes of ours', () => {
  test.each([
    ['a header with a line end', { 'x-a': 'b\r\nx-c: d' }],
    ['a header with an impossible name', { 'x a': 'b' }],
    ['a hop-by-hop header', { 'transfer-encoding': 'chunked' }],
    ['a length that is not the length of the body', { 'content-length': '5' }],
  ])('reject: %s', async (_what, headers) => {
    const receiver = await receiverSaying(ok)
    const sender = openSender()
    await expect(sender.send({ url: receiver.url, headers, body: '{}', timeoutMs: 5_000 })).rejects.toThrow()
    expect(await post(sender, receiver.url)).toMatchObject({ status: 200 })
  })

  test('reject: using a sender that was closed', async () => {
    const receiver = await receiverSaying(ok)
    const sender = openSender()
    await sender.close()
    await expect(sender.send({ url: receiver.url, headers: {}, body: '{}', timeoutMs: 5_000 })).rejects.toThrow()
  })

  test('closing waits for the requests in flight', async () => {
    const receiver = await receiverThat((socket) => {
      const sending = sender.close()
      closing.push(sending)
      socket.write(ok)
    })
    const closing: Promise<void>[] = []
    const sender = openSender()
    expect(await post(sender, receiver.url)).toMatchObject({ status: 200 })
    await Promise.all(closing)
    await receiver.allClosed()
  })
})
