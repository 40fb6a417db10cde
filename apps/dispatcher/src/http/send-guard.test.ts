import { AddressLookupError, type AddressPolicy, parseAllowedReceivers, type Resolve } from '@posthorn/engine'
import { describe, expect, test } from 'vitest'
import { unusedPort } from './testing/raw-receiver.ts'
import { openSender, post, receiverSaying, receiverThat, shortTimeoutMs } from './testing/sending.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
const publicOnly: AddressPolicy = { allowHttp: true, allowed: [] }

/** A name table in place of name servers. */
function resolving(names: Record<string, readonly string[]>): Resolve {
  return async (hostname) => {
    const addresses = names[hostname]
    if (addresses === undefined) throw new AddressLookupError('DNS_NOT_FOUND')
    return addresses
  }
}

describe('the address guard of the sender', () => {
  test.each(['127.0.0.1', '[::1]', '[::ffff:7f00:1]', '0.0.0.0', '2130706433', '169.254.169.254'])(
    'the address %s in the URL is blocked before anything is connected',
    async (host) => {
      const receiver = await receiverSaying(ok)
      const outcome = await post(openSender({ policy: publicOnly }), `http://${host}:${receiver.port}/`)
      expect(outcome).toMatchObject({ status: null, failureCode: 'blocked_address', remoteAddress: null })
      expect(receiver.connections).toHaveLength(0)
    },
  )

  test.each([
    ['a private address', ['127.0.0.1']],
    ['a public and a private address', ['93.184.215.14', '127.0.0.1']],
    ['a private address wrapped in IPv6', ['::ffff:127.0.0.1']],
  ])('a name that resolves to %s is blocked', async (_what, addresses) => {
    const receiver = await receiverSaying(ok)
    const sender = openSender({ policy: publicOnly, resolve: resolving({ 'hooks.example.com': addresses }) })
    const outcome = await post(sender, `http://hooks.example.com:${receiver.port}/`)
    expect(outcome).toMatchObject({ status: null, failureCode: 'blocked_address', remoteAddress: null })
    expect(receiver.connections).toHaveLength(0)
  })

  test('a name is resolved once for a connection, and the connection goes to the address that was judged', async () => {
    const receiver = await receiverSaying(ok)
    const answers = [['127.0.0.1'], ['169.254.169.254']]
    const sender = openSender({ resolve: async () => answers.shift() ?? [] })
    const url = `http://hooks.example.com:${receiver.port}/`
    expect(await post(sender, url)).toMatchObject({
      status: 200,
      remoteAddress: '127.0.0.1',
      timings: { dns: expect.any(Number) },
    })
    expect(receiver.received[0]).toContain(`host: hooks.example.com:${receiver.port}\r\n`)
    // The kept connection still leads to the judged address; a new one is judged anew.
    expect(await post(sender, url)).toMatchObject({ status: 200, timings: { dns: null } })
    for (const socket of receiver.connections) socket.destroy()
    await receiver.allClosed()
    expect(await post(sender, url)).toMatchObject({ failureCode: 'blocked_address' })
    expect(answers).toEqual([])
  })

  test('of several good addresses the next is tried when one does not accept', async () => {
    const receiver = await receiverSaying(ok)
    const sender = openSender({ resolve: async () => ['127.0.0.2', '127.0.0.3', '127.0.0.1'] })
    const outcome = await post(sender, `http://hooks.example.com:${receiver.port}/`)
    expect(outcome).toMatchObject({ status: 200, remoteAddress: '127.0.0.1' })
  })

  test('when none of several addresses accepts, the connection is refused', async () => {
    const sender = openSender({ resolve: async () => ['127.0.0.2', '127.0.0.3'] })
    const outcome = await post(sender, `http://hooks.example.com:${await unusedPort()}/`)
    expect(outcome).toMatchObject({ status: null, failureCode: 'connect_refused' })
  })

  test('a receiver allowed by name may be private, and no other name on that address may', async () => {
    const receiver = await receiverSaying(ok)
    const sender = openSender({
      policy: { allowHttp: false, allowed: parseAllowedReceivers(`receiver:${receiver.port}`) },
      resolve: resolving({ receiver: ['127.0.0.1'], 'hooks.example.com': ['127.0.0.1'] }),
    })
    expect(await post(sender, `http://receiver:${receiver.port}/`)).toMatchObject({ status: 200 })
    expect(await post(sender, `https://hooks.example.com:${receiver.port}/`)).toMatchObject({
      failureCode: 'blocked_address',
    })
  })

  test('a URL that was saved under another policy is judged by the present one', async () => {
    const sender = openSender({ policy: { allowHttp: false, allowed: [], ownHosts: ['posthorn.example.com'] } })
    for (const url of [
      'http://example.com/',
      'https://example.com:22/',
      'https://posthorn.example.com/',
      'not a url',
    ]) {
      expect([url, (await post(sender, url)).failureCode]).toEqual([url, 'blocked_address'])
    }
  })
})

describe('names that do not resolve', () => {
  test('a name without an address is not found', async () => {
    const sender = openSender({ resolve: resolving({}) })
    expect(await post(sender, 'https://hooks.example.com/')).toMatchObject({
      status: null,
      failureCode: 'dns_not_found',
    })
  })

  test('name servers that fail are told apart in the sentence only', async () => {
    const failing: Resolve = () => Promise.reject(new AddressLookupError('DNS_UNAVAILABLE'))
    const outcome = await post(openSender({ resolve: failing }), 'https://hooks.example.com/')
    expect(outcome).toMatchObject({
      failureCode: 'dns_not_found',
      failureDetail: expect.stringContaining('name servers'),
    })
  })

  test('name servers that are silent cost no more than the deadline, and the lookup is given up', async () => {
    let given: AbortSignal | undefined
    const silent: Resolve = (_hostname, signal) => {
      given = signal
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const outcome = await post(openSender({ resolve: silent }), 'https://hooks.example.com/', {
      timeoutMs: shortTimeoutMs,
    })
    expect(outcome).toMatchObject({ failureCode: 'dns_not_found', timings: { dns: null, connect: null } })
    expect(given?.aborted).toBe(true)
  })

  test('one receiver whose name does not resolve holds up no other', async () => {
    const receiver = await receiverThat((socket) => socket.write(ok))
    const never: Resolve = (hostname) =>
      hostname === 'good.example.com' ? Promise.resolve(['127.0.0.1']) : new Promise(() => {})
    const sender = openSender({ resolve: never })
    const order: string[] = []
    const call = async (url: string) => {
      const { failureCode } = await post(sender, url, { timeoutMs: shortTimeoutMs })
      order.push(failureCode ?? 'delivered')
    }
    const stuck = Array.from({ length: 50 }, (_, index) => call(`https://${index}.example.com/`))
    await Promise.all([...stuck, call(`http://good.example.com:${receiver.port}/`)])
    expect(order).toEqual(['delivered', ...stuck.map(() => 'dns_not_found')])
  })

  test('a mistake of ours while resolving is internal and not held against the receiver', async () => {
    const mistaken: Resolve = () => Promise.reject(new TypeError('a mistake of ours'))
    expect(await post(openSender({ resolve: mistaken }), 'https://hooks.example.com/')).toMatchObject({
      failureCode: 'internal_error',
    })
  })
})
