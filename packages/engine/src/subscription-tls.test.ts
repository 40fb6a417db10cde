import { createPrivateKey, randomBytes } from 'node:crypto'
import { type GivenTls, Problem } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { createSeal } from './sealing.ts'
import { openedTls, sealedTls } from './subscription-tls.ts'
import {
  createAuthority,
  createIntermediate,
  createSelfSigned,
  type Identity,
  issueCertificate,
} from './testing/certificates.ts'
import { testSeal } from './testing/master-keys.ts'

const subscriptionId = '01900000-0000-7000-8000-000000000005'
const nowMs = Date.UTC(2026, 0, 1)
const root = createAuthority('Root')
const middle = createIntermediate(root, 'Middle')
const client = issueCertificate(middle, { host: 'posthorn.test' })
const other = issueCertificate(middle, { host: 'other.test' })

function stored(given: GivenTls) {
  return sealedTls(given, { subscriptionId, nowMs, seal: testSeal })
}

function opened(given: GivenTls) {
  const { tlsSealed } = stored(given)
  return openedTls(tlsSealed ?? new Uint8Array(), subscriptionId, testSeal)
}

/** Pointer and detail of the refusal. */
function refusal(given: GivenTls): string {
  try {
    stored(given)
  } catch (error) {
    if (error instanceof Problem) return `${error.errors[0]?.pointer} ${error.errors[0]?.detail}`
    throw error
  }
  return 'accepted'
}

function encrypted({ key }: Identity): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
  return createPrivateKey(key).export(options).toString()
}

describe('a client certificate', () => {
  test('with its chain and its key is kept, and shown by its fingerprint', () => {
    const chain = `for people: CN=posthorn\r\n${client.certificate}${middle.certificate.replaceAll('\n', '\r\n')}`
    const given = { client_certificate: chain, client_key: client.key }
    expect(opened(given).client?.certificate.match(/BEGIN/g)).toHaveLength(2)
    expect(opened(given).client?.certificate).not.toContain('for people')
    const { tlsShown, tlsSealed } = stored(given)
    expect(tlsShown).toEqual({
      client_certificate: {
        subject: 'CN=posthorn.test',
        fingerprint_sha256: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
        not_after: '2099-01-01T00:00:00.000Z',
      },
      ca_certificates: [],
    })
    expect(Buffer.from(tlsSealed ?? []).includes(Buffer.from('PRIVATE KEY'))).toBe(false)
  })

  test.each(['pkcs1', 'sec1'] as const)('may have a key in the form %s', (type) => {
    const identity = type === 'sec1' ? client : issueCertificate(middle, { host: 'posthorn.test', rsaBits: 2048 })
    // Each form belongs to one kind of key, which Node's types tell apart by the kind.
    const key = (identity.privateKey.export as (options: object) => string | Buffer).call(identity.privateKey, {
      type,
      format: 'pem',
    })
    expect(opened({ client_certificate: identity.certificate, client_key: String(key) }).client?.key).toContain(
      'BEGIN PRIVATE KEY',
    )
  })

  test('opens in its own row only, and with the master key that sealed it', () => {
    const { tlsSealed } = stored({ client_certificate: client.certificate, client_key: client.key })
    const sealed = tlsSealed ?? new Uint8Array()
    const foreign = createSeal([randomBytes(32)], { randomBytes })
    expect(() => openedTls(sealed, '01900000-0000-7000-8000-000000000006', testSeal)).toThrow('belongs elsewhere')
    expect(() => openedTls(sealed, subscriptionId, foreign)).toThrow('not among those given')
    expect(() => openedTls(sealed, subscriptionId, undefined)).toThrow('no master key')
  })

  const expired = issueCertificate(middle, { host: 'posthorn.test', expired: true })
  const weak = issueCertificate(middle, { host: 'posthorn.test', rsaBits: 1024 })
  const heavy = issueCertificate(middle, { host: 'posthorn.test', rsaBits: 4104 })
  const strange = issueCertificate(middle, { host: 'posthorn.test', curve: 'secp256k1' })
  test.each<[string, GivenTls, string]>([
    ['is missing', { client_key: client.key }, '/tls/client_certificate is missing'],
    ['has no key', { client_certificate: client.certificate }, '/tls/client_key is missing'],
    ['is no PEM', { client_certificate: 'x', client_key: client.key }, '/tls/client_certificate holds no PEM'],
    [
      'is not readable',
      {
        client_certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
        client_key: client.key,
      },
      '/tls/client_certificate holds a certificate that cannot be read (number 1)',
    ],
    [
      'is a request for one',
      {
        client_certificate: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
        client_key: client.key,
      },
      '/tls/client_certificate holds something that is no certificate',
    ],
    [
      'holds a key',
      { client_certificate: client.certificate + client.key, client_key: client.key },
      '/tls/client_certificate holds a private key',
    ],
    [
      'has expired',
      { client_certificate: expired.certificate, client_key: expired.key },
      '/tls/client_certificate holds a certificate that expired on 2001-01-01',
    ],
    [
      'has the key of another one',
      { client_certificate: client.certificate, client_key: other.key },
      '/tls/client_key is not the key',
    ],
    [
      'comes behind its issuer',
      { client_certificate: middle.certificate + client.certificate, client_key: client.key },
      '/tls/client_certificate is not a chain',
    ],
    [
      'has a chain of another authority of the same name',
      {
        client_certificate: client.certificate + createAuthority('Middle').certificate,
        client_key: client.key,
      },
      '/tls/client_certificate is not a chain: the certificate number 1',
    ],
    [
      'is a chain without end',
      { client_certificate: client.certificate.repeat(11), client_key: client.key },
      '/tls/client_certificate holds more than 10',
    ],
    [
      'has an encrypted key',
      { client_certificate: client.certificate, client_key: encrypted(client) },
      '/tls/client_key is encrypted',
    ],
    [
      'has a key that is none',
      { client_certificate: client.certificate, client_key: client.certificate },
      '/tls/client_key is no private key',
    ],
    [
      'has a key that is too short',
      { client_certificate: weak.certificate, client_key: weak.key },
      '/tls/client_key is of no supported kind',
    ],
    [
      'has a key that takes long to sign with',
      { client_certificate: heavy.certificate, client_key: heavy.key },
      '/tls/client_key is of no supported kind',
    ],
    [
      'has a key on a curve that TLS does not name',
      { client_certificate: strange.certificate, client_key: strange.key },
      '/tls/client_key is of no supported kind',
    ],
  ])('that %s is refused', (_what, given, wrong) => {
    expect(refusal(given)).toContain(wrong)
    for (const line of [client, other, weak].flatMap(({ key }) => key.split('\n').slice(1, -2)))
      expect(refusal(given)).not.toContain(line)
  })
})

describe('authorities', () => {
  test('are kept, and shown by their fingerprints', () => {
    const given = { ca_certificates: root.certificate + middle.certificate }
    expect(opened(given)).toMatchObject({ client: null, authorities: [expect.any(String), expect.any(String)] })
    expect(stored(given).tlsShown).toMatchObject({
      client_certificate: null,
      ca_certificates: [{ subject: 'CN=Root' }, { subject: 'CN=Middle' }],
    })
  })

  test('may be a certificate that vouches for itself', () => {
    expect(refusal({ ca_certificates: createSelfSigned('hooks.test').certificate })).toBe('accepted')
  })

  test.each<[string, string, string]>([
    ['are no PEM', 'x', 'holds no PEM'],
    ['hold a certificate that is none of an authority', root.certificate + client.certificate, '(number 2)'],
    ['are too many', root.certificate.repeat(21), 'more than 20'],
    ['hold a private key', root.certificate + root.key, 'holds a private key'],
  ])('that %s are refused', (_what, given, wrong) => {
    expect(refusal({ ca_certificates: given })).toContain('/tls/ca_certificates ')
    expect(refusal({ ca_certificates: given })).toContain(wrong)
  })
})

test('settings that hold nothing are refused', () => {
  expect(refusal({})).toContain('/tls holds neither')
})
