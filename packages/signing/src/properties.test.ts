import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WebhookVerificationError } from './errors.ts'
import type { WebhookHeaders } from './headers.ts'
import { formatSecret, generateSecret, parseSecret } from './secret.ts'
import { type SignedHeaders, sign, signedHeaders } from './sign.ts'
import { verify } from './verify.ts'

const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/)
const timestamps = fc.integer({ min: 0, max: 99_999_999_999 })
const bytes = fc.uint8Array({ maxLength: 300 })
const secrets = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .map((random) => `whsec_${Buffer.from(random).toString('base64')}`)
const distinctSecrets = (minLength: number) => fc.uniqueArray(secrets, { minLength, maxLength: 10 })
const contents = fc.record({ id: ids, timestamp: timestamps, body: bytes })
const bits = fc.record({ place: fc.nat(), bit: fc.integer({ min: 0, max: 7 }) })

describe('what is signed is verified', () => {
  test('whatever the body, the case and order of the headers, and the clock within the tolerance', () => {
    fc.assert(
      fc.property(
        contents,
        secrets,
        headerForms(),
        fc.integer({ min: -300, max: 300 }),
        (content, secret, form, skew) => {
          const key = parseSecret(secret)
          const headers = form(signedHeaders(content, [key]))
          const now = new Date((content.timestamp + skew) * 1000)

          expect(verify({ headers, body: content.body, keys: [key], now })).toEqual({
            id: content.id,
            timestamp: content.timestamp,
          })
        },
      ),
      { numRuns: 500 },
    )
  })

  test('by any of several keys, given to the receiver in any order among strangers', () => {
    const sentAndKept = distinctSecrets(3).chain((all) =>
      fc.record({
        sent: fc.shuffledSubarray(all, { minLength: 1 }),
        kept: fc.shuffledSubarray(all, { minLength: 1 }),
      }),
    )
    fc.assert(
      fc.property(contents, sentAndKept, (content, { sent, kept }) => {
        const check = () => verify(requestOf(content, signedHeaders(content, sent.map(parseSecret)), kept))

        if (kept.some((secret) => sent.includes(secret))) expect(check().id).toBe(content.id)
        else expect(check).toThrow(expect.objectContaining({ code: 'no_matching_signature' }))
      }),
      { numRuns: 300 },
    )
  })

  test('through a rotation: old secret, both, new secret, on either side', () => {
    fc.assert(
      fc.property(
        contents,
        fc.uniqueArray(secrets, { minLength: 2, maxLength: 2 }),
        (content, [old = '', fresh = '']) => {
          const both = signedHeaders(content, [parseSecret(fresh), parseSecret(old)])
          const before = signedHeaders(content, [parseSecret(old)])
          const after = signedHeaders(content, [parseSecret(fresh)])

          for (const [headers, kept] of [
            [before, [old]],
            [both, [old]],
            [both, [fresh]],
            [before, [fresh, old]],
            [after, [fresh, old]],
            [after, [fresh]],
          ] as const) {
            expect(verify(requestOf(content, headers, kept)).id).toBe(content.id)
          }
          expect(() => verify(requestOf(content, after, [old]))).toThrow(WebhookVerificationError)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('with signatures of unknown schemes anywhere between', () => {
    const unknownTokens = fc.array(fc.stringMatching(/^v(1a|[2-9]),[!-+\--~]{1,90}$/), { maxLength: 20 })
    fc.assert(
      fc.property(contents, secrets, unknownTokens, unknownTokens, (content, secret, before, after) => {
        const headers = signedHeaders(content, [parseSecret(secret)])
        const mixed = [...before, headers['webhook-signature'], ...after].slice(0, 32)
        fc.pre(mixed.includes(headers['webhook-signature']))

        expect(
          verify(requestOf(content, { ...headers, 'webhook-signature': mixed.join(' ') }, [secret])).timestamp,
        ).toBe(content.timestamp)
      }),
      { numRuns: 200 },
    )
  })

  test('as text or as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(contents, fc.string({ unit: 'binary' }), secrets, (content, text, secret) => {
        const key = parseSecret(secret)

        expect(sign({ ...content, body: text }, [key])).toBe(sign({ ...content, body: Buffer.from(text) }, [key]))
      }),
    )
  })
})

describe('one bit changed', () => {
  test('in the body never verifies', () => {
    const withBody = fc.record({
      id: ids,
      timestamp: timestamps,
      body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    })
    fc.assert(
      fc.property(withBody, secrets, bits, (content, secret, { place, bit }) => {
        const headers = signedHeaders(content, [parseSecret(secret)])
        const body = Uint8Array.from(content.body)
        const index = place % body.length
        body[index] = (body[index] ?? 0) ^ (1 << bit)

        expect(() => verify(requestOf({ ...content, body }, headers, [secret]))).toThrow(
          expect.objectContaining({ code: 'no_matching_signature' }),
        )
      }),
      { numRuns: 500 },
    )
  })

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const)('in %s never verifies', (name) => {
    fc.assert(
      fc.property(contents, secrets, bits, (content, secret, { place, bit }) => {
        const headers = signedHeaders(content, [parseSecret(secret)])
        const text = headers[name]
        const index = place % text.length
        const flipped = String.fromCharCode(text.charCodeAt(index) ^ (1 << bit))
        const changed = { ...headers, [name]: text.slice(0, index) + flipped + text.slice(index + 1) }

        expect(() => verify(requestOf(content, changed, [secret]))).toThrow(WebhookVerificationError)
      }),
      { numRuns: 1000 },
    )
  })

  test('in the secret never verifies', () => {
    fc.assert(
      fc.property(
        contents,
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        bits,
        (content, random, { place, bit }) => {
          const headers = signedHeaders(content, [parseSecret(Buffer.from(random).toString('base64'))])
          const index = place % random.length
          random[index] = (random[index] ?? 0) ^ (1 << bit)

          expect(() => verify(requestOf(content, headers, [Buffer.from(random).toString('base64')]))).toThrow(
            expect.objectContaining({ code: 'no_matching_signature' }),
          )
        },
      ),
      { numRuns: 200 },
    )
  })
})

test('whatever the headers hold, the answer is a verification error and nothing else', () => {
  const values = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string()), fc.constant(undefined), ids)
  const anything = fc.record({ 'webhook-id': values, 'webhook-timestamp': values, 'webhook-signature': values })
  fc.assert(
    fc.property(anything, secrets, (headers, secret) => {
      expect(() => verify({ headers, body: '', keys: [parseSecret(secret)], now: new Date(0) })).toThrow(
        WebhookVerificationError,
      )
    }),
    { numRuns: 500 },
  )
})

describe('a secret', () => {
  test('survives being written and read', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        expect(formatSecret(parseSecret(secret))).toBe(secret)
      }),
    )
  })

  test('is read after being generated from any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 36, maxLength: 36 }), (random) => {
        const secret = generateSecret(() => random)

        expect(formatSecret(parseSecret(secret))).toBe(secret)
      }),
    )
  })

  test('has one form only: no other text is read as the same key', () => {
    fc.assert(
      fc.property(secrets, bits, (secret, { place, bit }) => {
        const base64 = secret.slice('whsec_'.length)
        const index = place % base64.length
        const changed =
          base64.slice(0, index) + String.fromCharCode(base64.charCodeAt(index) ^ (1 << bit)) + base64.slice(index + 1)

        expect(readBack(changed)).not.toBe(secret)
      }),
      { numRuns: 500 },
    )
  })
})

function requestOf(content: { timestamp: number; body: Uint8Array }, headers: SignedHeaders, kept: readonly string[]) {
  return { headers, body: content.body, keys: kept.map(parseSecret), now: new Date(content.timestamp * 1000) }
}

/** Ways in which a receiver may see the three headers: any order, any case, any container, others between. */
function headerForms(): fc.Arbitrary<(headers: SignedHeaders) => WebhookHeaders> {
  const names = fc.tuple(
    fc.mixedCase(fc.constant('webhook-id')),
    fc.mixedCase(fc.constant('webhook-timestamp')),
    fc.mixedCase(fc.constant('webhook-signature')),
    fc.constant('content-type'),
    fc.constant('webhook-id-2'),
  )
  const shuffled = names.chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))
  return fc.tuple(shuffled, fc.constantFrom('record', 'lists', 'fetch')).map(([order, container]) => (headers) => {
    const known: Record<string, string> = headers
    const entries = order.map((name): [string, string] => [name, known[name.toLowerCase()] ?? 'other'])
    if (container === 'fetch') return new Headers(entries)
    return container === 'record'
      ? Object.fromEntries(entries)
      : Object.fromEntries(entries.map(([name, value]) => [name, [value]]))
  })
}

function readBack(text: string): string | undefined {
  try {
    return formatSecret(parseSecret(text))
  } catch {
    return undefined
  }
}
