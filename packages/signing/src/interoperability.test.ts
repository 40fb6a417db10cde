/** Against the reference library for JavaScript. It takes text bodies only, and its clock is the real one. */
import fc from 'fast-check'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { generateSecret, parseSecret } from './secret.ts'
import { sign, signedHeaders } from './sign.ts'
import { verify } from './verify.ts'

const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/)
const texts = fc.string({ unit: 'binary', maxLength: 200 })
const secrets = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .map((random) => `whsec_${Buffer.from(random).toString('base64')}`)
/** Well inside the tolerance of five minutes, however slow the test. */
const recentTimestamps = fc.integer({ min: -200, max: 200 }).map((skew) => Math.floor(Date.now() / 1000) + skew)

test('the reference library makes the same signature', () => {
  fc.assert(
    fc.property(ids, fc.nat(4_000_000_000), texts, secrets, (id, timestamp, body, secret) => {
      const theirs = new Webhook(secret).sign(id, new Date(timestamp * 1000), body)

      expect(sign({ id, timestamp, body }, [parseSecret(secret)])).toBe(theirs)
    }),
    { numRuns: 300 },
  )
})

test('the reference library verifies what we sign, with each secret of a rotation and no other', () => {
  const rotation = fc.uniqueArray(secrets, { minLength: 3, maxLength: 3 })
  fc.assert(
    fc.property(
      ids,
      recentTimestamps,
      texts,
      rotation,
      (id, timestamp, body, [old = '', fresh = '', stranger = '']) => {
        const headers = signedHeaders({ id, timestamp, body }, [parseSecret(fresh), parseSecret(old)])

        for (const secret of [old, fresh, fresh.slice('whsec_'.length)]) {
          expect(() => new Webhook(secret).verify(body, headers, { jsonParse: false })).not.toThrow()
        }
        expect(() => new Webhook(stranger).verify(body, headers, { jsonParse: false })).toThrow(
          WebhookVerificationError,
        )
      },
    ),
    { numRuns: 200 },
  )
})

test('we verify what the reference library signs, and refuse it once changed', () => {
  fc.assert(
    fc.property(ids, fc.nat(4_000_000_000), texts, secrets, (id, timestamp, body, secret) => {
      const now = new Date(timestamp * 1000)
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': new Webhook(secret).sign(id, now, body),
      }
      const keys = [parseSecret(secret)]

      expect(verify({ headers, body, keys, now })).toEqual({ id, timestamp })
      expect(() => verify({ headers, body: `${body} `, keys, now })).toThrow(
        expect.objectContaining({ code: 'no_matching_signature' }),
      )
    }),
    { numRuns: 300 },
  )
})

test('a generated secret means the same key to the reference library', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 36, maxLength: 36 }), texts, (random, body) => {
      const secret = generateSecret(() => random)
      const raw = new Webhook(random, { format: 'raw' }).sign('msg_1', new Date(0), body)

      expect(sign({ id: 'msg_1', timestamp: 0, body }, [parseSecret(secret)])).toBe(raw)
    }),
  )
})
