import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { formatSecret, generateSecret, parseSecret, type SigningKey } from './secret.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

describe('a generated secret', () => {
  test('is the prefix and 48 base64 characters of the random bytes, without padding', () => {
    const bytes = Uint8Array.from({ length: 36 }, (_, index) => 255 - index)

    expect(generateSecret(() => bytes)).toBe(`whsec_${Buffer.from(bytes).toString('base64')}`)
    expect(generateSecret(randomBytes)).toMatch(/^whsec_[A-Za-z0-9+/]{48}$/)
  })

  test('asks the source of randomness for 36 bytes at once', () => {
    const asked: number[] = []
    generateSecret((size) => {
      asked.push(size)
      return new Uint8Array(size)
    })

    expect(asked).toEqual([36])
  })

  test('takes its bytes from a view into a larger buffer', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => index).subarray(10, 46)

    expect(formatSecret(parseSecret(generateSecret(() => bytes)))).toBe(
      `whsec_${Buffer.from(bytes).toString('base64')}`,
    )
  })

  test.each([0, 35, 37])('is refused when the source gives %i bytes', (size) => {
    expect(() => generateSecret(() => new Uint8Array(size))).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', code: 'invalid_random_bytes' }),
    )
  })
})

describe('a signing key', () => {
  test.each<[string, (key: SigningKey) => string]>([
    ['JSON', (key) => JSON.stringify({ key })],
    [
      'an inspection down to hidden properties',
      (key) => inspect({ key }, { showHidden: true, depth: 9, getters: true }),
    ],
    ['text', (key) => `${key}`],
    ['its properties', (key) => Object.getOwnPropertyNames(key).concat(Object.values(key)).join()],
  ])('does not show its bytes in %s', (_, show) => {
    const shown = show(parseSecret(secret))

    const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64')
    for (const form of [secret.slice('whsec_'.length), bytes.toString('hex'), bytes.toString('latin1')]) {
      expect(shown).not.toContain(form)
    }
    expect(shown).not.toMatch(/31\W+f2\W+90|49\W+242\W+144/)
  })

  test('is written back as the secret it was read from, with the prefix', () => {
    expect(formatSecret(parseSecret(secret))).toBe(secret)
    expect(formatSecret(parseSecret(secret.slice('whsec_'.length)))).toBe(secret)
  })

  test.each([
    ['the text of a secret', secret],
    ['bytes', new Uint8Array(36)],
    ['nothing', undefined],
    ['an object', {}],
  ])('cannot be replaced by %s', (_, value) => {
    expect(() => formatSecret(value as unknown as SigningKey)).toThrow(
      expect.objectContaining({ failure: { code: 'invalid_keys', reason: 'not_a_signing_key' } }),
    )
  })
})

describe('a refused secret', () => {
  test('is not repeated in the error', () => {
    const almost = `${secret}=`
    const error = thrownBy(() => parseSecret(almost))

    expect(inspect(error, { depth: 9 })).not.toContain(secret.slice('whsec_'.length))
    expect(error).toMatchObject({ name: 'WebhookArgumentError', failure: { reason: 'bad_padding' } })
  })

  test('may be a setting that is not there', () => {
    expect(() => parseSecret(undefined as unknown as string)).toThrow(
      expect.objectContaining({ failure: { code: 'invalid_secret', reason: 'not_text' } }),
    )
  })
})

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
