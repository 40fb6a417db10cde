import type { TLSSocket, TlsOptions } from 'node:tls'
import { createAuthority, createIntermediate, createSelfSigned, issueCertificate } from '@posthorn/engine/testing'
import { describe, expect, test } from 'vitest'
import { startReceiver } from './testing/raw-receiver.ts'
import { keep, listenerThat, openSender, post, receiverSaying, shortTimeoutMs } from './testing/sending.ts'

const host = 'hooks.example.com'
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
const authority = createAuthority()

/** A sender that trusts the test's authority, and in whose world every name is this machine. */
function openTlsSender(connectTimeoutMs = 5_000) {
  return openSender({
    resolve: async () => ['127.0.0.1'],
    trustedCertificates: [authority.certificate],
    connectTimeoutMs,
  })
}

async function secureReceiver({ certificate, key }: { certificate: string; key: string }, options: TlsOptions = {}) {
  return keep(await startReceiver((socket) => socket.write(ok), { cert: certificate, key, ...options }))
}

describe('TLS', () => {
  test('a certificate of a trusted authority for the host is accepted, and HTTP/1.1 is chosen', async () => {
    const receiver = await secureReceiver(issueCertificate(authority, { host }), { ALPNProtocols: ['h2', 'http/1.1'] })
    const sender = openTlsSender()
    const outcome = await post(sender, `https://${host}:${receiver.port}/`)
    expect(outcome).toMatchObject({
      status: 200,
      remoteAddress: '127.0.0.1',
      timings: { dns: expect.any(Number), connect: expect.any(Number), tls: expect.any(Number) },
    })
    // The receiver made it, so it is a TLS socket.
    const socket = receiver.connections[0] as TLSSocket
    expect(socket.alpnProtocol).toBe('http/1.1')
    expect(socket.servername).toBe(host)
    expect(receiver.received[0]).toContain(`host: ${host}:${receiver.port}\r\n`)
    expect(await post(sender, `https://${host}:${receiver.port}/`)).toMatchObject({
      status: 200,
      timings: { tls: null },
    })
  })

  test.each([
    ['self-signed', createSelfSigned(host), 'tls_untrusted'],
    ['of an unknown authority', issueCertificate(createAuthority(), { host }), 'tls_untrusted'],
    ['for another host', issueCertificate(authority, { host: 'other.example.com' }), 'tls_untrusted'],
    ['expired', issueCertificate(authority, { host, expired: true }), 'tls_expired'],
  ] as const)(
    'fault 14: a certificate that is %s is refused, and nothing is sent',
    async (_what, identity, failureCode) => {
      const receiver = await secureReceiver(identity)
      const outcome = await post(openTlsSender(), `https://${host}:${receiver.port}/`)
      expect(outcome).toMatchObject({ status: null, failureCode, remoteAddress: '127.0.0.1' })
      expect(receiver.received.join('')).toBe('')
    },
  )

  test('fault 14: a receiver that leaves out the intermediate certificate is refused', async () => {
    const intermediate = createIntermediate(authority)
    const { certificate, key } = issueCertificate(intermediate, { host })
    const receivers = [
      await secureReceiver({ certificate: certificate + intermediate.certificate, key }),
      await secureReceiver({ certificate, key }),
    ]
    const [whole, lacking] = await Promise.all(
      receivers.map(({ port }) => post(openTlsSender(), `https://${host}:${port}/`)),
    )
    expect(whole).toMatchObject({ status: 200 })
    expect(lacking).toMatchObject({ status: null, failureCode: 'tls_untrusted' })
  })

  test('fault 14: a receiver with which no cipher is shared is refused', async () => {
    const odd: TlsOptions = { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' }
    const receiver = await secureReceiver(issueCertificate(authority, { host }), odd)
    expect(await post(openTlsSender(), `https://${host}:${receiver.port}/`)).toMatchObject({ failureCode: 'tls_error' })
  })

  test('fault 14: a receiver that negotiates anew in place of answering costs no more than the deadline', async () => {
    const { certificate, key } = issueCertificate(authority, { host })
    const receiver = keep(
      await startReceiver(
        // The receiver made it, so it is a TLS socket.
        (socket) => (socket as TLSSocket).renegotiate({}, () => undefined),
        { cert: certificate, key, maxVersion: 'TLSv1.2' },
      ),
    )
    const outcome = await post(openTlsSender(), `https://${host}:${receiver.port}/`, { timeoutMs: shortTimeoutMs })
    expect(outcome).toMatchObject({ status: null, failureCode: 'response_timeout' })
    await receiver.allClosed()
  })

  test('case 94: a certificate of 10,000 names is refused, and one of 2,000 is read', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `${index}.${host}`)
    const receivers = [
      await secureReceiver(issueCertificate(authority, { host: [...names, host] })),
      await secureReceiver(issueCertificate(authority, { host: [...names.slice(0, 2_000), host] })),
    ]
    const [many, few] = await Promise.all(
      receivers.map(({ port }) => post(openTlsSender(), `https://${host}:${port}/`)),
    )
    expect(many).toMatchObject({ status: null, failureCode: 'tls_error' })
    expect(few).toMatchObject({ status: 200 })
  })

  test('a certificate for a name is not one for the address that the name has', async () => {
    const receiver = await secureReceiver(issueCertificate(authority, { host }))
    const outcome = await post(openTlsSender(), `https://127.0.0.1:${receiver.port}/`)
    expect(outcome).toMatchObject({ status: null, failureCode: 'tls_untrusted' })
  })

  test('fault 14: a receiver that speaks no TLS later than 1.1 is refused', async () => {
    const old: TlsOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
    const receiver = await secureReceiver(issueCertificate(authority, { host }), old)
    expect(await post(openTlsSender(), `https://${host}:${receiver.port}/`)).toMatchObject({ failureCode: 'tls_error' })
  })

  test('fault 15: a receiver that speaks only HTTP/2 is refused', async () => {
    const receiver = await secureReceiver(issueCertificate(authority, { host }), { ALPNProtocols: ['h2'] })
    expect(await post(openTlsSender(), `https://${host}:${receiver.port}/`)).toMatchObject({ failureCode: 'tls_error' })
  })

  test('fault 11: a receiver that speaks no TLS at all is refused', async () => {
    const receiver = await listenerThat((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 400 Word\r\n\r\n')),
    )
    expect(await post(openTlsSender(), `https://${host}:${receiver.port}/`)).toMatchObject({ failureCode: 'tls_error' })
    await receiver.allClosed()
  })

  test('case 93, fault 14: a handshake that stalls ends with the time for connecting', async () => {
    const receiver = await listenerThat((socket) => socket.resume())
    const outcome = await post(openTlsSender(shortTimeoutMs), `https://${host}:${receiver.port}/`)
    expect(outcome).toMatchObject({ status: null, failureCode: 'connect_timeout', timings: { tls: null } })
    await receiver.allClosed()
  })

  test('case 93, fault 14: a handshake that stalls ends with the deadline, when that is earlier', async () => {
    const receiver = await listenerThat((socket) => socket.resume())
    const outcome = await post(openTlsSender(), `https://${host}:${receiver.port}/`, { timeoutMs: shortTimeoutMs })
    expect(outcome).toMatchObject({ status: null, failureCode: 'connect_timeout' })
    await receiver.allClosed()
  })

  test.each(['ends', 'resets'])('a receiver that %s the connection in the handshake has reset it', async (how) => {
    const receiver = await listenerThat((socket) => {
      socket.once('data', () => (how === 'ends' ? socket.end() : socket.resetAndDestroy()))
    })
    const outcome = await post(openTlsSender(), `https://${host}:${receiver.port}/`)
    expect(outcome).toMatchObject({ status: null, failureCode: 'connection_reset' })
  })

  test('fault 11: plain http to a receiver that wants TLS is malformed or reset, and never taken for an answer', async () => {
    const receiver = await secureReceiver(issueCertificate(authority, { host }))
    const outcome = await post(openTlsSender(), receiver.url)
    expect(['response_malformed', 'connection_reset']).toContain(outcome.failureCode)
  })

  test('a receiver without TLS is called over http only where that is allowed', async () => {
    const receiver = await receiverSaying(ok)
    const sender = openSender({ policy: { allowHttp: false, allowed: [] } })
    expect(await post(sender, 'http://hooks.example.com/')).toMatchObject({ failureCode: 'blocked_address' })
    expect(receiver.connections).toHaveLength(0)
  })
})
