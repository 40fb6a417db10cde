import { randomBytes } from 'node:crypto'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { TlsSettings } from '@posthorn/engine'
import { createAuthority, createIntermediate, createSelfSigned, issueCertificate } from '@posthorn/engine/testing'
import { describe, expect, test } from 'vitest'
import { startReceiver } from './testing/raw-receiver.ts'
import { keep, openSender, post } from './testing/sending.ts'
import { createTlsIdentities } from './tls-identities.ts'

const host = 'hooks.example.com'
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
/** What the test trusts in place of the public authorities. */
const publicAuthority = createAuthority('Public')
const privateAuthority = createAuthority('Private')
const clientAuthority = createAuthority('Clients')
const client = issueCertificate(clientAuthority, { host: 'posthorn.test' })
const withClient: TlsSettings = { client: { certificate: client.certificate, key: client.key }, authorities: [] }

function openTlsSender() {
  return openSender({ resolve: async () => ['127.0.0.1'], trustedCertificates: [publicAuthority.certificate] })
}

function openIdentities() {
  const identities = createTlsIdentities([publicAuthority.certificate])
  return (subscriptionId: string, settings: TlsSettings, sealed = randomBytes(50)) =>
    identities(subscriptionId, sealed, () => settings)
}

async function receiverOf(authority = publicAuthority, options: TlsOptions = {}) {
  const { certificate, key } = issueCertificate(authority, { host })
  const receiver = await startReceiver((socket) => socket.write(ok), { cert: certificate, key, ...options })
  return Object.assign(keep(receiver), { secureUrl: `https://${host}:${receiver.port}/` })
}

/** The certificates that clients have shown, a connection each. */
function shownTo(receiver: { readonly connections: readonly unknown[] }) {
  // The receiver made them, so they are TLS sockets.
  return receiver.connections.map((socket) => (socket as TLSSocket).getPeerCertificate().subject?.CN ?? null)
}

describe('a client certificate', () => {
  const asking: TlsOptions = { requestCert: true, ca: [clientAuthority.certificate] }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is shown to a receiver that wants one, by %s', async (version) => {
    const receiver = await receiverOf(publicAuthority, { ...asking, minVersion: version, maxVersion: version })
    const outcome = await post(openTlsSender(), receiver.secureUrl, { identity: openIdentities()('a', withClient) })
    expect(outcome).toMatchObject({ status: 200 })
    expect(shownTo(receiver)).toEqual(['posthorn.test'])
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'that is missing or not accepted is told so, by %s, and nothing is answered',
    async (version) => {
      const receiver = await receiverOf(publicAuthority, { ...asking, minVersion: version, maxVersion: version })
      const other = issueCertificate(createAuthority('Clients'), { host: 'posthorn.test' })
      const settings = { client: { certificate: other.certificate, key: other.key }, authorities: [] }
      for (const identity of [undefined, openIdentities()('a', settings)]) {
        const outcome = await post(openTlsSender(), receiver.secureUrl, { identity })
        expect(outcome).toMatchObject({ status: null })
        // A receiver that closes at once may cut its own alert off.
        expect(['tls_error', 'connection_reset']).toContain(outcome.failureCode)
        if (outcome.failureCode === 'tls_error') expect(outcome.failureDetail).toContain('tls.client_certificate')
      }
      expect(receiver.received.join('')).toBe('')
    },
  )

  test('is shown on connections of its subscription only, and never on those of others', async () => {
    const receiver = await receiverOf(publicAuthority, { ...asking, rejectUnauthorized: false })
    const sender = openTlsSender()
    const identityOf = openIdentities()
    // Two subscriptions with the very same certificate share nothing either.
    const identities = [identityOf('a', withClient), undefined, identityOf('b', withClient)]
    for (const identity of [...identities, ...identities]) {
      expect(await post(sender, receiver.secureUrl, { identity })).toMatchObject({ status: 200 })
    }
    expect(shownTo(receiver)).toEqual(['posthorn.test', null, 'posthorn.test'])
  })

  test('that was changed is shown on a new connection, and the old one is used no more', async () => {
    const receiver = await receiverOf(publicAuthority, { ...asking, rejectUnauthorized: false })
    const sender = openTlsSender()
    const identityOf = openIdentities()
    const next = issueCertificate(clientAuthority, { host: 'next.test' })
    const changed = { client: { certificate: next.certificate, key: next.key }, authorities: [] }
    const [before, after] = [identityOf('a', withClient), identityOf('a', changed)]
    for (const identity of [before, after, after]) await post(sender, receiver.secureUrl, { identity })
    expect(shownTo(receiver)).toEqual(['posthorn.test', 'next.test'])
  })

  test('is shown to nobody over plain http', async () => {
    const receiver = keep(await startReceiver((socket) => socket.write(ok)))
    const outcome = await post(openTlsSender(), receiver.url, { identity: openIdentities()('a', withClient) })
    expect(outcome).toMatchObject({ status: 200 })
  })

  test('goes with a request that is sent again because its kept connection was closed', async () => {
    let requests = 0
    const { certificate, key } = issueCertificate(publicAuthority, { host })
    const receiver = keep(
      await startReceiver(
        (socket, index) => {
          requests += 1
          if (index === 0) socket.write(ok)
          else socket.destroy()
        },
        { cert: certificate, key, ...asking },
      ),
    )
    const sender = openTlsSender()
    const identity = openIdentities()('a', withClient)
    for (let i = 0; i < 2; i += 1)
      expect(await post(sender, `https://${host}:${receiver.port}/`, { identity })).toMatchObject({ status: 200 })
    // The receiver lets nobody ask without a certificate.
    expect([requests, receiver.connections.length]).toEqual([3, 2])
  })
})

describe('private authorities', () => {
  const trusting = (...authorities: string[]): TlsSettings => ({ client: null, authorities })

  test('are trusted by their subscription, and by no other one', async () => {
    const receiver = await receiverOf(privateAuthority)
    const sender = openTlsSender()
    const identity = openIdentities()('a', trusting(privateAuthority.certificate))
    expect(await post(sender, receiver.secureUrl, { identity })).toMatchObject({ status: 200 })
    const other = openIdentities()('b', trusting(clientAuthority.certificate))
    for (const stranger of [undefined, other])
      expect(await post(sender, receiver.secureUrl, { identity: stranger })).toMatchObject({
        failureCode: 'tls_untrusted',
      })
    expect(await post(sender, receiver.secureUrl, { identity })).toMatchObject({ status: 200 })
    expect(receiver.received.filter((text) => text !== '')).toHaveLength(1)
  })

  test('take the place of the public ones, so that none of these can vouch for another receiver', async () => {
    const receiver = await receiverOf(publicAuthority)
    const sender = openTlsSender()
    const identity = openIdentities()('a', trusting(privateAuthority.certificate))
    expect(await post(sender, receiver.secureUrl, { identity })).toMatchObject({ failureCode: 'tls_untrusted' })
    expect(await post(sender, receiver.secureUrl)).toMatchObject({ status: 200 })
  })

  test('need not be at the root of their chain', async () => {
    const middle = createIntermediate(privateAuthority, 'Middle')
    const receiver = await receiverOf(middle)
    const identity = openIdentities()('a', trusting(middle.certificate))
    expect(await post(openTlsSender(), receiver.secureUrl, { identity })).toMatchObject({ status: 200 })
  })

  test('may be the certificate of a receiver that vouches for itself', async () => {
    const { certificate, key } = createSelfSigned(host)
    const receiver = await receiverOf(publicAuthority, { cert: certificate, key })
    const identity = openIdentities()('a', trusting(certificate))
    expect(await post(openTlsSender(), receiver.secureUrl, { identity })).toMatchObject({ status: 200 })
  })

  test('do not excuse a certificate for another host, or one that has expired', async () => {
    const identity = openIdentities()('a', trusting(privateAuthority.certificate))
    const wrong = await receiverOf(publicAuthority, pair(issueCertificate(privateAuthority, { host: 'other.example' })))
    expect(await post(openTlsSender(), wrong.secureUrl, { identity })).toMatchObject({ failureCode: 'tls_untrusted' })
    const old = await receiverOf(publicAuthority, pair(issueCertificate(privateAuthority, { host, expired: true })))
    expect(await post(openTlsSender(), old.secureUrl, { identity })).toMatchObject({ failureCode: 'tls_expired' })
  })
})

test('an identity is made once for each version of the settings, and the least used are forgotten', () => {
  const identities = createTlsIdentities()
  let made = 0
  const settings = () => {
    made += 1
    return withClient
  }
  const sealed = randomBytes(50)
  const first = identities('a', sealed, settings)
  expect(identities('a', Uint8Array.from(sealed), settings)).toBe(first)
  expect(identities('b', sealed, settings).key).not.toBe(first.key)
  expect(identities('a', randomBytes(50), settings).key).not.toBe(first.key)
  expect(made).toBe(3)
  for (let i = 0; i < 1_000; i += 1) identities(`other ${i}`, sealed, () => ({ client: null, authorities: [] }))
  identities('a', sealed, settings)
  expect(made).toBe(4)
})

function pair({ certificate, key }: { certificate: string; key: string }): TlsOptions {
  return { cert: certificate, key }
}
