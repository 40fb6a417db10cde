import { createHmac, createPublicKey, verify as verifyEd25519 } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import vectors from '../vectors/vectors.json' with { type: 'json' }
import type { WebhookHeaders } from './headers.ts'
import { formatPrivateKey, formatPublicKey, generateKeyPair, parsePrivateKey, parsePublicKey } from './key-pair.ts'
import { formatSecret, parseSecret } from './secret.ts'
import { sign } from './sign.ts'
import { verify } from './verify.ts'

type HeaderLines = string[][]

describe('secrets', () => {
  test.each(vectors.secrets.valid)('a secret is accepted: $name', ({ text, key_hex }) => {
    const formatted = formatSecret(parseSecret(text))

    expect(formatted.startsWith('whsec_')).toBe(true)
    expect(Buffer.from(formatted.slice('whsec_'.length), 'base64').toString('hex')).toBe(key_hex)
  })

  test.each(vectors.secrets.invalid)('a secret is refused: $name', ({ text, reason }) => {
    expect(() => parseSecret(text)).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'invalid_secret', reason } }),
    )
  })
})

describe('key pairs', () => {
  const { valid, invalid_private, invalid_public } = vectors.key_pairs
  const pair = signatureVector(7)

  test.each(valid)('a private key is accepted, and its public key known: $name', ({ private_key, public_key }) => {
    const key = parsePrivateKey(private_key)

    expect(formatPrivateKey(key)).toBe(pair.secret)
    expect(formatPublicKey(key)).toBe(public_key)
    expect(formatPublicKey(parsePublicKey(public_key))).toBe(public_key)
  })

  test.each(valid)('a key pair is generated from its seed: $name', ({ seed_hex, public_key }) => {
    expect(generateKeyPair(() => Buffer.from(seed_hex, 'hex'))).toEqual({
      privateKey: pair.secret,
      publicKey: public_key,
    })
  })

  test.each(invalid_private)('a private key is refused: $name', ({ text, reason }) => {
    expect(() => parsePrivateKey(text)).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'invalid_key', reason } }),
    )
  })

  test.each(invalid_public)('a public key is refused: $name', ({ text, reason }) => {
    expect(() => parsePublicKey(text)).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'invalid_key', reason } }),
    )
  })
})

describe('signatures', () => {
  const symmetric = vectors.signatures.filter(({ scheme }) => scheme === 'v1')
  const asymmetric = vectors.signatures.filter(({ scheme }) => scheme === 'v1a')

  test.each(symmetric)('v1 signature $number is a true HMAC: $name', (vector) => {
    const { secret, id, timestamp, signature } = vector
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytesOf(vector)])
    const hmac = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64')).update(signed)

    expect(`v1,${hmac.digest('base64')}`).toBe(signature)
  })

  test.each(symmetric)('v1 signature $number is reproduced, or its secret refused: $name', (vector) => {
    const { id, timestamp, signature, secret_refused: reason } = vector
    const signed = () => sign({ id, timestamp, body: bytesOf(vector) }, [parseSecret(vector.secret)])

    if (reason === undefined) expect(signed()).toBe(signature)
    else expect(signed).toThrow(expect.objectContaining({ failure: { code: 'invalid_secret', reason } }))
  })

  test('a rotation signs with the new and the old secret in one header', () => {
    const [old, fresh] = [signatureVector(4), signatureVector(5)]

    expect(sign({ ...old, body: bytesOf(old) }, [parseSecret(fresh.secret), parseSecret(old.secret)])).toBe(
      `${fresh.signature} ${old.signature}`,
    )
  })

  test.each(asymmetric)('v1a signature $number is a true Ed25519 signature: $name', (vector) => {
    const x = Buffer.from((vector.public_key ?? '').slice('whpk_'.length), 'base64').toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const signed = Buffer.concat([Buffer.from(`${vector.id}.${vector.timestamp}.`), bytesOf(vector)])

    expect(verifyEd25519(null, signed, publicKey, Buffer.from(vector.signature.slice('v1a,'.length), 'base64'))).toBe(
      true,
    )
  })

  test.each(asymmetric)('v1a signature $number is reproduced, and verified with its public key: $name', (vector) => {
    const { secret, id, timestamp, signature } = vector
    const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signature }
    const body = bytesOf(vector)

    expect(sign({ id, timestamp, body }, [parsePrivateKey(secret)])).toBe(signature)
    const keys = [parsePublicKey(vector.public_key ?? '')]
    expect(verify({ headers, body, keys, now: new Date(timestamp * 1000) })).toEqual({ id, timestamp })
  })

  test('a request under both schemes has the v1a signature first and the v1 signature last', () => {
    const [shared, pair] = [signatureVector(4), signatureVector(8)]
    const keys = [parseSecret(shared.secret), parsePrivateKey(pair.secret)]

    expect(sign({ ...shared, body: bytesOf(shared) }, keys)).toBe(`${pair.signature} ${shared.signature}`)
  })

  test.each(vectors.signatures)('the body of signature $number has as many bytes as stated', (vector) => {
    expect(bytesOf(vector)).toHaveLength(vector.body_bytes)
  })
})

describe('requests', () => {
  const inEachForm = vectors.requests.flatMap((vector) =>
    formsOf(vector.headers).map(([form, headers]) => ({ ...vector, form, headers })),
  )

  test.each(inEachForm)('request: $name (headers as $form)', (vector) => {
    const { headers, secrets, now, tolerance_seconds: toleranceSeconds, expected } = vector
    const bodies = vector.body === undefined ? [bytesOf(vector)] : [bytesOf(vector), vector.body]

    for (const body of bodies) {
      const outcome = () =>
        verify({ headers, body, keys: secrets.map(parseSecret), now: new Date(now * 1000), toleranceSeconds })
      if (expected.valid) {
        expect(outcome()).toEqual({ id: expected.id, timestamp: expected.timestamp })
      } else {
        const { code, header } = expected
        const failure = header === undefined ? { code } : { code, header }
        expect(outcome).toThrow(
          expect.objectContaining({ name: 'WebhookVerificationError', failure: expect.objectContaining(failure) }),
        )
      }
    }
  })

  const asymmetric = vectors.requests_v1a.flatMap((vector) =>
    formsOf(vector.headers).map(([form, headers]) => ({ ...vector, form, headers })),
  )

  test.each(asymmetric)('request under v1a: $name (headers as $form)', (vector) => {
    const { headers, body, public_keys, now, tolerance_seconds: toleranceSeconds, expected } = vector
    const keys = public_keys.map(parsePublicKey)
    for (const raw of [body, Buffer.from(body)]) {
      const outcome = () => verify({ headers, body: raw, keys, now: new Date(now * 1000), toleranceSeconds })
      if (expected.valid) {
        expect(outcome()).toEqual({ id: expected.id, timestamp: expected.timestamp })
      } else {
        const { code, header } = expected
        const failure = header === undefined ? { code } : { code, header }
        expect(outcome).toThrow(
          expect.objectContaining({ name: 'WebhookVerificationError', failure: expect.objectContaining(failure) }),
        )
      }
    }
  })

  test('every verification code has a request', () => {
    expect(new Set(vectors.requests.map(({ expected }) => expected.code).filter(Boolean))).toEqual(
      new Set([
        'missing_header',
        'invalid_header',
        'unsupported_scheme',
        'no_matching_signature',
        'timestamp_too_old',
        'timestamp_too_new',
      ]),
    )
  })
})

function bytesOf(vector: { body?: string | undefined; body_base64?: string | undefined }): Uint8Array {
  return vector.body === undefined ? Buffer.from(vector.body_base64 ?? '', 'base64') : Buffer.from(vector.body)
}

function signatureVector(number: number) {
  const vector = vectors.signatures.find((candidate) => candidate.number === number)
  if (vector === undefined) throw new Error(`no signature vector ${number}`)
  return vector
}

/** The same header lines as each kind of receiver sees them. */
function formsOf(lines: HeaderLines): [string, WebhookHeaders][] {
  const forms: [string, WebhookHeaders][] = [
    ['a record', recordOf(lines)],
    ['Node joins them', nodeHeadersOf(lines)],
  ]
  // A fetch Headers strips blanks at the ends, as HTTP does.
  if (lines.every(([, value = '']) => value === value.trim())) forms.push(['fetch Headers', fetchHeadersOf(lines)])
  return forms
}

function recordOf(lines: HeaderLines): Record<string, string | string[]> {
  const record: Record<string, string[]> = {}
  for (const [name = '', value = ''] of lines) record[name] = [...(record[name] ?? []), value]
  return record
}

function nodeHeadersOf(lines: HeaderLines): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(lines)).map(([name, values]) => [name.toLowerCase(), [values].flat().join(', ')]),
  )
}

function fetchHeadersOf(lines: HeaderLines): Headers {
  const headers = new Headers()
  for (const [name = '', value = ''] of lines) headers.append(name, value)
  return headers
}
