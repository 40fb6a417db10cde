import { type AddressPolicy, parseEgressProxy } from '@posthorn/engine'
import {
  createAuthority,
  issueCertificate,
  startEgressProxy,
  type TestEgressProxy,
  type TunnelAnswer,
} from '@posthorn/engine/testing'
import { describe, expect, test, vi } from 'vitest'
import type { SenderOptions } from './send.ts'
import { startReceiver, unusedPort } from './testing/raw-receiver.ts'
import {
  keep,
  loopbackPolicy,
  openSender,
  post,
  receiverSaying,
  receiverThat,
  shortTimeoutMs,
} from './testing/sending.ts'
import { createTlsIdentities } from './tls-identities.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const host = 'hooks.example.com'
const authority = createAuthority()

async function openProxy(answer: TestEgressProxy['answer'] = () => 'tunnel'): Promise<TestEgressProxy> {
  const proxy = keep(await startEgressProxy())
  proxy.answer = answer
  return proxy
}

/** A sender behind a proxy, in whose world every name is this machine. */
function openBehind(proxy: { url: string }, options: Partial<SenderOptions> = {}) {
  return openSender({
    proxy: parseEgressProxy(proxy.url),
    resolve: async () => ['127.0.0.1'],
    trustedCertificates: [authority.certificate],
    ...options,
  })
}

async function secureReceiver() {
  const { certificate, key } = issueCertificate(authority, { host })
  return keep(await startReceiver((socket) => socket.write(ok), { cert: certificate, key }))
}

describe('an egress proxy', () => {
  test('is asked for the address that the guard judged, and https goes through it unread', async () => {
    const [proxy, receiver] = [await openProxy(), await secureReceiver()]
    const url = `https://${host}:${receiver.port}/hooks`
    const sender = openBehind(proxy)
    const outcome = await post(sender, url, { body: '{"secret":"event"}' })
    expect(outcome).toMatchObject({
      status: 200,
      remoteAddress: '127.0.0.1',
      timings: { dns: expect.any(Number), connect: expect.any(Number), tls: expect.any(Number) },
    })
    expect(proxy.requests.map((request) => request.authority)).toEqual([`127.0.0.1:${receiver.port}`])
    expect(receiver.received[0]).toContain('{"secret":"event"}')
    expect(proxy.carried.length).toBeGreaterThan(100)
    expect(proxy.carried).not.toContain('event')
  })

  test('is used for http alike, with a tunnel and not as a relay', async () => {
    const [proxy, receiver] = [await openProxy(), await receiverSaying(ok)]
    expect(await post(openBehind(proxy), `${receiver.url}/hooks`)).toMatchObject({ status: 200 })
    expect(proxy.requests.map((request) => request.authority)).toEqual([`127.0.0.1:${receiver.port}`])
    expect(receiver.received[0]).toMatch(/^POST \/hooks HTTP\/1\.1\r\n/)
    expect(receiver.received[0]).not.toContain('proxy')
  })

  test('is shown the credentials of the setting, and the receiver is not', async () => {
    const [proxy, receiver] = [await openProxy(), await receiverSaying(ok)]
    const sender = openBehind({ url: proxy.url.replace('://', '://Aladdin:open%20sesame@') })
    await post(sender, receiver.url)
    expect(proxy.requests[0]?.head).toContain('\r\nproxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n')
    expect(receiver.received.join('')).not.toContain('QWxhZGRpbjpvcGVuIHNlc2FtZQ')
  })

  test('may be spoken to over TLS itself, and is verified', async () => {
    const { certificate, key } = issueCertificate(authority, { host: 'localhost' })
    const receiver = await secureReceiver()
    const proxy = keep(await startEgressProxy({ cert: certificate, key }))
    const url = `https://${host}:${receiver.port}/`
    expect(await post(openBehind(proxy), url)).toMatchObject({ status: 200 })
    const stranger = openBehind(proxy, { trustedCertificates: [] })
    expect(await post(stranger, url)).toMatchObject({ failureCode: 'egress_proxy_failed' })
    expect(proxy.requests).toHaveLength(1)
  })

  test('carries connections with a client certificate and a private authority, each for its subscription alone', async () => {
    const [mine, clients] = [createAuthority('Private'), createAuthority('Clients')]
    const [server, client] = [issued(mine), issueCertificate(clients, { host: 'posthorn.test' })]
    const options = { ...server, requestCert: true, ca: [clients.certificate] }
    const receiver = keep(await startReceiver((socket) => socket.write(ok), options))
    const proxy = await openProxy()
    const settings = {
      client: { certificate: client.certificate, key: client.key },
      authorities: [mine.certificate],
    }
    const identity = createTlsIdentities()('a', Uint8Array.of(1), () => settings)
    const sender = openBehind(proxy)
    const url = `https://${host}:${receiver.port}/`
    for (let i = 0; i < 2; i += 1) expect(await post(sender, url, { identity })).toMatchObject({ status: 200 })
    expect(await post(sender, url)).toMatchObject({ failureCode: 'tls_untrusted' })
    expect(proxy.requests).toHaveLength(2)
  })

  test('carries many requests over one kept tunnel', async () => {
    const [proxy, receiver] = [await openProxy(), await secureReceiver()]
    const sender = openBehind(proxy)
    for (let i = 0; i < 3; i += 1) await post(sender, `https://${host}:${receiver.port}/`)
    expect(proxy.requests).toHaveLength(1)
    expect(receiver.connections).toHaveLength(1)
  })

  test('that drops its tunnels while they are idle costs nothing', async () => {
    const [proxy, receiver] = [await openProxy(), await secureReceiver()]
    const sender = openBehind(proxy)
    await post(sender, `https://${host}:${receiver.port}/`)
    proxy.drop()
    expect(await post(sender, `https://${host}:${receiver.port}/`)).toMatchObject({ status: 200 })
    expect(proxy.requests).toHaveLength(2)
  })

  test('does not loosen the guard: what may not be called is not asked for', async () => {
    const proxy = await openProxy()
    const sender = openBehind(proxy, { resolve: async () => ['93.184.215.14', '10.0.0.1'] })
    for (const url of [`https://${host}/`, 'https://10.0.0.1/', 'https://metadata.internal/', 'https://[::1]:8443/'])
      expect(await post(sender, url)).toMatchObject({ failureCode: 'blocked_address' })
    expect(proxy.requests).toEqual([])
  })

  test.each(['502 Word\r\nProxy-Status: p; error=connection_refused', '502 Word', '403 Word'])(
    'is asked for the next address of a name when it says of the first %j',
    async (refusal) => {
      const receiver = await secureReceiver()
      const proxy = await openProxy(({ authority: asked }) => (asked.startsWith('[') ? said(refusal) : 'tunnel'))
      const resolve = async () => ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', '127.0.0.1']
      const outcome = await post(openBehind(proxy, { resolve }), `https://${host}:${receiver.port}/`)
      expect(outcome).toMatchObject({ status: 200, remoteAddress: '127.0.0.1' })
      expect(proxy.requests.map((request) => request.authority)).toEqual([
        `[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:${receiver.port}`,
        `127.0.0.1:${receiver.port}`,
      ])
    },
  )

  test('named by the environment is not used', async () => {
    const [proxy, receiver] = [await openProxy(), await receiverSaying(ok)]
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])
      vi.stubEnv(name, proxy.url)
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    try {
      expect(await post(openSender(), receiver.url)).toMatchObject({ status: 200 })
    } finally {
      vi.unstubAllEnvs()
    }
    expect(proxy.requests).toEqual([])
  })
})

describe('an egress proxy that resolves names', () => {
  const policy: AddressPolicy = { ...loopbackPolicy, namesLeftToProxy: true }
  const resolve = () => Promise.reject(new Error('names are not looked up here'))

  test('is asked for the name, and where that led to is not known', async () => {
    const [proxy, receiver] = [await openProxy(), await secureReceiver()]
    const sender = openBehind(proxy, { policy, resolve })
    const outcome = await post(sender, `https://${host}:${receiver.port}/`)
    expect(outcome).toMatchObject({ status: 200, remoteAddress: null, timings: { dns: null } })
    expect(proxy.requests.map((request) => request.authority)).toEqual([`${host}:${receiver.port}`])
  })

  test('does not make addresses and internal names callable', async () => {
    const proxy = await openProxy()
    const sender = openBehind(proxy, { policy, resolve })
    for (const url of ['https://10.0.0.1/', 'https://169.254.169.254/', 'https://db.internal/', 'https://[::1]:8443/'])
      expect(await post(sender, url)).toMatchObject({ failureCode: 'blocked_address' })
    expect(proxy.requests).toEqual([])
  })

  test('must be there', () => {
    expect(() => openSender({ policy, resolve })).toThrow('there is none')
  })
})

const said = (answer: string): TunnelAnswer => ({ bytes: `HTTP/1.1 ${answer}\r\n\r\n` })

describe('a failure of the proxy itself is ours and never the receiver’s', () => {
  test('when nobody listens there', async () => {
    const sender = openBehind({ url: `http://127.0.0.1:${await unusedPort()}` })
    const outcome = await post(sender, 'http://127.0.0.1:8080/')
    expect(outcome).toMatchObject({ status: null, failureCode: 'egress_proxy_failed', remoteAddress: null })
    expect(outcome.failureDetail).toContain('(ECONNREFUSED)')
  })

  test.each<[string, TunnelAnswer]>([
    ['wants other credentials', said('407 Proxy Authentication Required')],
    ['is overloaded', said('503 Service Unavailable')],
    ['fails', said('500 Internal Server Error')],
    ['does not know CONNECT', said('405 Method Not Allowed')],
    ['does not understand us', said('400 Bad Request')],
    ['redirects', said('302 Found\r\nlocation: http://127.0.0.1/')],
    ['changes the protocol', said('101 Switching Protocols')],
    ['names a fault of its own', said('502 Bad Gateway\r\nproxy-status: a; error="proxy_internal_error"')],
    ['names a fault that nobody knows', said('504 Timeout\r\nproxy-status: a; error=constructor')],
    ['is no HTTP', { bytes: 'SSH-2.0-OpenSSH_9.6\r\n\r\n' }],
    ['never ends its head', { bytes: `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}` }],
    ['sends more than a head', { bytes: `HTTP/1.1 200 OK\r\n\r\n${ok}` }],
    ['ends the connection', 'end'],
    ['resets the connection', 'reset'],
    ['answers 502, not having been seen to work', said('502 Bad Gateway')],
    ['answers 504, not having been seen to work', said('504 Gateway Timeout')],
  ])('when it %s', async (_what, answer) => {
    const [proxy, receiver] = [await openProxy(() => answer), await receiverSaying(ok)]
    const outcome = await post(openBehind(proxy), receiver.url)
    expect(outcome).toMatchObject({ status: null, failureCode: 'egress_proxy_failed', remoteAddress: null })
    expect(outcome.failureDetail).toMatch(/^The egress proxy of this installation failed/)
    expect(receiver.connections).toEqual([])
    await proxy.allClosed()
  })

  test.each([
    ['the time for connecting', { connectTimeoutMs: shortTimeoutMs }, 5_000],
    ['the deadline, when that is earlier', {}, shortTimeoutMs],
  ])('when it says nothing, and costs no more than %s', async (_what, options, timeoutMs) => {
    const proxy = await openProxy(() => 'silence')
    const outcome = await post(openBehind(proxy, options), 'http://127.0.0.1:8080/', { timeoutMs })
    expect(outcome).toMatchObject({ status: null, failureCode: 'egress_proxy_failed' })
    await proxy.allClosed()
  })

  test('when it does not finish its TLS handshake', async () => {
    const listener = await receiverThat(() => undefined)
    const sender = openBehind({ url: `https://localhost:${listener.port}` }, { connectTimeoutMs: shortTimeoutMs })
    expect(await post(sender, 'http://127.0.0.1:8080/')).toMatchObject({ failureCode: 'egress_proxy_failed' })
    await listener.allClosed()
  })
})

describe('what the proxy says of the receiver is the receiver’s failure', () => {
  test.each<[string, string, string]>([
    ['403 Forbidden', 'does not allow it', 'blocked_address'],
    ['502 Bad Gateway\r\nProxy-Status: p; error=dns_error; rcode="NXDOMAIN"', 'names dns_error', 'dns_not_found'],
    ['504 Timeout\r\nProxy-Status: p;error=connection_timeout', 'names connection_timeout', 'connect_timeout'],
    ['502 Bad Gateway\r\nproxy-status: p; error=connection_refused', 'names connection_refused', 'connect_refused'],
    ['503 Word\r\nproxy-status: p; error=destination_ip_prohibited', 'names a prohibition', 'blocked_address'],
    ['503 Word\r\nX-Squid-Error: ERR_DNS_FAIL 0', 'is a Squid that cannot resolve', 'dns_not_found'],
    ['503 Word\r\nX-Squid-Error: ERR_CONNECT_FAIL 111', 'is a Squid that was refused', 'connect_refused'],
    ['503 Word\r\nX-Squid-Error: ERR_CONNECT_FAIL 110', 'is a Squid that waited in vain', 'connect_timeout'],
  ])('%j: it %s', async (answer, _what, failureCode) => {
    const proxy = await openProxy(() => said(answer))
    const outcome = await post(openBehind(proxy), 'http://127.0.0.1:8080/')
    expect(outcome).toMatchObject({ status: null, failureCode })
    await proxy.allClosed()
  })

  test('and a receiver that refuses a tunnelled handshake has failed by itself', async () => {
    const proxy = await openProxy()
    const receiver = keep(await startReceiver(() => undefined, issued(createAuthority())))
    const outcome = await post(openBehind(proxy), `https://${host}:${receiver.port}/`)
    expect(outcome).toMatchObject({ failureCode: 'tls_untrusted' })
    await proxy.allClosed()
  })

  test.each<[string, TunnelAnswer, string]>([
    ['502', said('502 Bad Gateway'), 'connect_refused'],
    ['504', said('504 Gateway Timeout'), 'connect_timeout'],
    ['silence', 'silence', 'connect_timeout'],
  ])('%s is the receiver’s when the proxy has just reached another one', async (_what, answer, failureCode) => {
    const receiver = await receiverSaying(ok)
    const proxy = await openProxy(({ authority: asked }) => (asked.endsWith(`:${receiver.port}`) ? 'tunnel' : answer))
    let nowMs = 0
    const policy: AddressPolicy = { ...loopbackPolicy, namesLeftToProxy: true }
    const sender = openBehind(proxy, { policy, monotonicMs: () => nowMs })
    const timeoutMs = answer === 'silence' ? shortTimeoutMs : 5_000
    const failureOf = async (name: string) => (await post(sender, `http://${name}:8080/`, { timeoutMs })).failureCode
    const reach = async () =>
      expect(await post(sender, `http://good.example.com:${receiver.port}/`)).toMatchObject({ status: 200 })
    await reach()
    expect(await failureOf('one.example.com')).toBe(failureCode)
    expect(await failureOf('one.example.com')).toBe(failureCode)
    // A second one that fails, with nobody reached between them: it is the proxy that is in doubt.
    expect(await failureOf('two.example.com')).toBe('egress_proxy_failed')
    expect(await failureOf('one.example.com')).toBe('egress_proxy_failed')
    proxy.drop()
    nowMs += 1
    await reach()
    expect(await failureOf('two.example.com')).toBe(failureCode)
    nowMs += 60_000
    expect(await failureOf('two.example.com')).toBe('egress_proxy_failed')
  })

  test('a host is no witness for itself', async () => {
    const receiver = await receiverSaying(ok)
    const proxy = await openProxy()
    const sender = openBehind(proxy)
    await post(sender, receiver.url)
    proxy.answer = () => said('502 Bad Gateway')
    proxy.drop()
    expect(await post(sender, receiver.url)).toMatchObject({ failureCode: 'egress_proxy_failed' })
  })
})

function issued(by: ReturnType<typeof createAuthority>) {
  const { certificate, key } = issueCertificate(by, { host })
  return { cert: certificate, key }
}
