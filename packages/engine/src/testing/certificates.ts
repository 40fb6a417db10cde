/**
 * X.509 certificates for tests, made when they are needed: no files that expire, no keys in the repository, no other
 * program. Node signs and reads certificates but does not make them, so the few structures of RFC 5280 §4.1 are written
 * out here in DER.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { isIP } from 'node:net'

export type Identity = {
  /** PEM, the form that `node:tls` takes. */
  readonly certificate: string
  readonly key: string
}

export type Authority = Identity & { readonly subject: string; readonly privateKey: KeyObject }

/** Dates far enough from today that no test depends on it. */
const longAgo = '20000101000000Z'
const lessLongAgo = '20010101000000Z'
const farAhead = '20990101000000Z'

/** An authority at the root of its chain. */
export function createAuthority(name = 'Test Authority'): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return identity({ subject: name, issuer: name, validTo: farAhead, extensions: [isAuthority] }, publicKey, {
    privateKey,
    issuerKey: privateKey,
  })
}

/** An authority of which another one says that it is one. */
export function createIntermediate(authority: Authority, name = 'Test Intermediate'): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return identity(
    { subject: name, issuer: authority.subject, validTo: farAhead, extensions: [isAuthority] },
    publicKey,
    { privateKey, issuerKey: authority.privateKey },
  )
}

export type CertificateWishes = {
  host: string | readonly string[]
  expired?: boolean
  /** RSA in place of an elliptic curve. */
  rsaBits?: number
  curve?: string
}

/**
 * A certificate for a host name or an address, or for several, signed by an authority. A client can be shown to a server
 * by one as well.
 */
export function issueCertificate(
  authority: Authority,
  { host, expired = false, rsaBits, curve = 'P-256' }: CertificateWishes,
): Authority {
  const hosts = typeof host === 'string' ? [host] : host
  const { publicKey, privateKey } =
    rsaBits === undefined
      ? generateKeyPairSync('ec', { namedCurve: curve })
      : generateKeyPairSync('rsa', { modulusLength: rsaBits })
  const validTo = expired ? lessLongAgo : farAhead
  return identity(
    { subject: hosts[0] ?? '', issuer: authority.subject, validTo, extensions: [namesHosts(hosts)] },
    publicKey,
    { privateKey, issuerKey: authority.privateKey },
  )
}

/** A server certificate that vouches for itself. */
export function createSelfSigned(host: string): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return identity({ subject: host, issuer: host, validTo: farAhead, extensions: [namesHosts([host])] }, publicKey, {
    privateKey,
    issuerKey: privateKey,
  })
}

type Content = { subject: string; issuer: string; validTo: string; extensions: Buffer[] }

let serialNumber = 1

function identity(
  { subject, issuer, validTo, extensions }: Content,
  publicKey: KeyObject,
  { privateKey, issuerKey }: { privateKey: KeyObject; issuerKey: KeyObject },
): Authority {
  serialNumber += 1
  const content = sequence(
    der(0xa0, integer(2)),
    integer(serialNumber),
    ecdsaWithSha256,
    distinguishedName(issuer),
    sequence(der(0x18, Buffer.from(longAgo)), der(0x18, Buffer.from(validTo))),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const certificate = sequence(content, ecdsaWithSha256, bits(sign('sha256', content, issuerKey)))
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject,
    privateKey,
  }
}

/** Tag, length, content (ITU-T X.690 §8.1). */
function der(tag: number, content: Buffer): Buffer {
  const length = content.length
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  if (length < 0x10000) return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content])
  return Buffer.concat([Buffer.from([tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]))
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), content]))
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(commonName)))))
}

function extension(id: string, content: Buffer): Buffer {
  return sequence(objectId(id), der(0x04, content))
}

const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'))
const isAuthority = extension('551d13', sequence(der(0x01, Buffer.from([0xff]))))

function namesHosts(hosts: readonly string[]): Buffer {
  return extension('551d11', sequence(...hosts.map(nameOfHost)))
}

/** dNSName or iPAddress (RFC 5280 §4.2.1.6); of addresses IPv4 alone is needed. */
function nameOfHost(host: string): Buffer {
  return isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host))
}
