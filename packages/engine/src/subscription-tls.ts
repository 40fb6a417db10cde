/**
 * The TLS settings of a subscription: a client certificate with its key, and authorities of its own for the receiver. How
 * they are checked, sealed, shown and opened. The private key is in the clear in three places only: the request that gives
 * it, the memory of the dispatcher that connects with it, and, for the check, the process that stores it.
 *
 * Nothing is stored that TLS would refuse later: what is saved here has made a TLS context once.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { type GivenTls, limits, Problem, type ShownCertificate, type ShownTls, type Uuid } from '@posthorn/contract'
import type { Prisma, Subscription } from './db/generated/client.ts'
import { type Seal, SealError } from './sealing.ts'

/** A subject longer than this is cut where it is shown. */
const shownSubjectLengthMax = 512
const rsaBitsMin = 2048
const rsaBitsMax = 4096
const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/** The columns that keep the settings. Both are null, or none is. */
export type StoredTls = {
  tlsSealed: Uint8Array<ArrayBuffer> | null
  tlsShown: Prisma.InputJsonObject | null
}

/** Without settings: no client certificate, and the public authorities. */
export const noTls: StoredTls = { tlsSealed: null, tlsShown: null }

/** What connections are made with. All PEM. */
export type TlsSettings = {
  /** The certificate and its chain, and its key. */
  client: { certificate: string; key: string } | null
  /** Empty: the public authorities. */
  authorities: readonly string[]
}

/**
 * Checks TLS settings and seals them for one subscription.
 *
 * @param nowMs Unix milliseconds: what has expired is refused
 * @throws Problem `invalid_request` at the place that is wrong; nothing of a key is ever in it
 */
export function sealedTls(
  given: GivenTls,
  { subscriptionId, nowMs, seal }: { subscriptionId: Uuid; nowMs: number; seal: Seal },
): StoredTls {
  if (Object.keys(given).length === 0) {
    throw refused('/tls', 'holds neither a client certificate nor authorities; give some, or null')
  }
  const chain = clientChain(given, nowMs)
  const authorities = given.ca_certificates === undefined ? [] : authoritiesOf(given.ca_certificates, nowMs)
  const settings: TlsSettings = {
    client: chain === null ? null : { certificate: pemOf(chain.certificates), key: chain.key },
    authorities: authorities.map((certificate) => certificate.toString()),
  }
  tryOut(settings)
  const shown: ShownTls = {
    client_certificate: chain === null ? null : shownCertificate(chain.certificates[0]),
    ca_certificates: authorities.map(shownCertificate),
  }
  return {
    tlsSealed: seal.seal(Buffer.from(JSON.stringify(settings)), contextOf(subscriptionId)),
    tlsShown: shown,
  }
}

/** What may be seen of a subscription's TLS settings; null when it has none. */
export function shownTls(subscription: Subscription): ShownTls | null {
  // Written above.
  return subscription.tlsShown as ShownTls | null
}

/**
 * Opens the settings of a subscription.
 *
 * @throws SealError when they cannot be opened: nothing is sent without them instead
 */
export function openedTls(sealed: Uint8Array, subscriptionId: Uuid, seal: Seal | undefined): TlsSettings {
  const context = contextOf(subscriptionId)
  if (seal === undefined)
    throw new SealError('unknown_master_key', `there is no master key for the secret of ${context}`)
  // Authenticated, so it is what was sealed above.
  return JSON.parse(Buffer.from(seal.open(sealed, context)).toString('utf8')) as TlsSettings
}

/**
 * The same settings sealed with the first master key.
 *
 * @throws SealError when they cannot be opened
 */
export function tlsSealedAnew(sealed: Uint8Array, subscriptionId: Uuid, seal: Seal): Uint8Array<ArrayBuffer> {
  const context = contextOf(subscriptionId)
  return seal.seal(seal.open(sealed, context), context)
}

/**
 * Over plain HTTP nobody would be shown the certificate, and nobody vouched for.
 *
 * @throws Problem `invalid_request` when there are settings and the URL is not https
 */
export function refuseWithoutTls(shown: unknown, url: string): void {
  if (shown === null || shown === undefined || url.startsWith('https:')) return
  throw refused('/tls', 'needs a callback URL that begins with https://; change the URL, or give null')
}

type Chain = { certificates: readonly [X509Certificate, ...X509Certificate[]]; key: string }

function clientChain(given: GivenTls, nowMs: number): Chain | null {
  const { client_certificate: certificate, client_key: key } = given
  if (certificate === undefined && key === undefined) return null
  if (certificate === undefined) throw refused('/tls/client_certificate', 'is missing beside client_key')
  if (key === undefined) throw refused('/tls/client_key', 'is missing beside client_certificate')
  const place = '/tls/client_certificate'
  const [leaf, ...chain] = certificatesOf(certificate, { place, max: limits.clientCertificateChainMax })
  if (leaf === undefined) throw refused(place, 'holds no certificate')
  for (const each of [leaf, ...chain]) refuseExpired(each, place, nowMs)
  const links = [leaf, ...chain]
  const broken = chain.findIndex((issuer, index) => !isIssuedBy(links[index], issuer))
  if (broken >= 0) {
    throw refused(
      place,
      `is not a chain: the certificate number ${broken + 1} was not issued by the next one. Give the client's own certificate first, then the one that issued it, and so on`,
    )
  }
  const privateKey = privateKeyOf(key)
  if (!leaf.checkPrivateKey(privateKey)) {
    throw refused('/tls/client_key', 'is not the key of the first certificate in client_certificate')
  }
  if (!isUsableKey(privateKey)) {
    throw refused(
      '/tls/client_key',
      'is of no supported kind: use RSA of 2048 to 4096 bits, P-256, P-384, P-521 or Ed25519',
    )
  }
  return { certificates: [leaf, ...chain], key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) }
}

function authoritiesOf(pem: string, nowMs: number): X509Certificate[] {
  const place = '/tls/ca_certificates'
  const certificates = certificatesOf(pem, { place, max: limits.caCertificatesMax })
  for (const [index, certificate] of certificates.entries()) {
    refuseExpired(certificate, place, nowMs)
    // A certificate that vouches for itself alone is what a receiver without an authority has.
    if (!certificate.ca && !isIssuedBy(certificate, certificate)) {
      throw refused(
        place,
        `holds a certificate that is not one of an authority (number ${index + 1}). Give the certificate that issued it`,
      )
    }
  }
  return certificates
}

/** By name and by signature: names alone can be alike. */
function isIssuedBy(certificate: X509Certificate | undefined, issuer: X509Certificate): boolean {
  return certificate?.checkIssued(issuer) === true && certificate.verify(issuer.publicKey)
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g

/** Every certificate of a PEM text. What stands between them is for people (RFC 7468 §2) and is left out. */
function certificatesOf(pem: string, { place, max }: { place: string; max: number }): X509Certificate[] {
  if (pem.includes('PRIVATE KEY-----')) throw refused(place, 'holds a private key, which belongs into client_key')
  const blocks = [...pem.matchAll(block)]
  if (blocks.length === 0) throw refused(place, 'holds no PEM: write -----BEGIN CERTIFICATE----- and what follows')
  if (blocks.length > max) throw refused(place, `holds more than ${max} certificates`)
  return blocks.map(([text, label], index) => {
    if (label !== 'CERTIFICATE') throw refused(place, `holds something that is no certificate (number ${index + 1})`)
    try {
      return new X509Certificate(text)
    } catch {
      throw refused(place, `holds a certificate that cannot be read (number ${index + 1})`)
    }
  })
}

function privateKeyOf(pem: string): KeyObject {
  const place = '/tls/client_key'
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: *4, *ENCRYPTED/i.test(pem)) {
    throw refused(place, 'is encrypted. It is encrypted when it is stored; give it decrypted: openssl pkey -in key.pem')
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem' })
  } catch {
    // The error could repeat a part of the key.
    throw refused(place, 'is no private key that can be read: write -----BEGIN PRIVATE KEY----- and what follows')
  }
}

/** Each handshake signs with it. A dispatcher would stand still for a second for a key of 16,384 bits. */
function isUsableKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'ed25519') return true
  if (type === 'ec') return curves.has(details?.namedCurve ?? '')
  const bits = details?.modulusLength ?? 0
  return (type === 'rsa' || type === 'rsa-pss') && bits >= rsaBitsMin && bits <= rsaBitsMax
}

function refuseExpired(certificate: X509Certificate, place: string, nowMs: number): void {
  const { validToDate } = certificate
  if (validToDate.getTime() > nowMs) return
  const shown = Number.isNaN(validToDate.getTime())
    ? 'at a time that cannot be read'
    : `on ${validToDate.toISOString()}`
  throw refused(place, `holds a certificate that expired ${shown} (${subjectOf(certificate)})`)
}

/** TLS has limits of its own, such as the algorithm of a signature. */
function tryOut({ client, authorities }: TlsSettings): void {
  try {
    createSecureContext({ ca: [...authorities], minVersion: 'TLSv1.2' })
  } catch (error) {
    throw refused('/tls/ca_certificates', `cannot be used for TLS (${codeOf(error)})`)
  }
  try {
    if (client !== null) createSecureContext({ cert: client.certificate, key: client.key, minVersion: 'TLSv1.2' })
  } catch (error) {
    throw refused('/tls/client_certificate', `cannot be used for TLS (${codeOf(error)})`)
  }
}

/** A word of OpenSSL, never its text. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason'
}

function shownCertificate(certificate: X509Certificate): ShownCertificate {
  return {
    subject: subjectOf(certificate),
    fingerprint_sha256: certificate.fingerprint256,
    not_after: certificate.validToDate.toISOString(),
  }
}

/** One line of it, without what a column or a terminal could stumble over. */
function subjectOf({ subject }: X509Certificate): string {
  return (subject ?? '')
    .split('\n')
    .join(', ')
    .replaceAll(/\p{Cc}/gu, '?')
    .slice(0, shownSubjectLengthMax)
    .toWellFormed()
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('')
}

/** Sealed settings open only in the row that they were sealed for. */
function contextOf(subscriptionId: Uuid): string {
  return `subscription:${subscriptionId}:tls`
}

function refused(pointer: string, detail: string): Problem {
  return new Problem('invalid_request', `${pointer.slice(1)} ${detail}.`, { errors: [{ pointer, detail }] })
}
