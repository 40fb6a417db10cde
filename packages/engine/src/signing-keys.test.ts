import { randomBytes } from 'node:crypto'
import { generateKeyPair, parsePublicKey, parseSecret, sign, verify } from '@posthorn/signing'
import { expect, test } from 'vitest'
import { sealSecret } from './sealed-secrets.ts'
import { createKeyRing, type StoredKey } from './signing-keys.ts'
import { testSeal } from './testing/master-keys.ts'

const place = {
  tenantId: 'acme',
  subscriptionId: '01900000-0000-7000-8000-000000000005',
  id: '01900000-0000-7000-8000-0000000000c1',
  scheme: 'v1',
} as const

/** A key as it is stored. */
function stored(key: Uint8Array, over: Partial<StoredKey> = {}): StoredKey {
  const where = { ...place, ...over }
  return { ...where, sealed: Buffer.from(sealSecret(testSeal, key, where).sealedKey).toString('base64') }
}

test('a secret is opened once, and the same key is given for it from then on', () => {
  const keyOf = createKeyRing(testSeal)
  const secret = randomBytes(36)
  const [one, other] = [stored(secret), stored(randomBytes(36))]
  const key = keyOf(one)
  expect(keyOf(other)).not.toBe(key)
  expect(keyOf({ ...one })).toBe(key)
  const content = { id: 'evt_1', timestamp: 1, body: '' }
  expect(sign(content, [key])).toBe(sign(content, [parseSecret(secret.toString('base64'))]))
})

test('the private half of a key pair signs what its public half verifies', () => {
  const { privateKey, publicKey } = generateKeyPair(randomBytes)
  const seed = Buffer.from(privateKey.slice('whsk_'.length), 'base64').subarray(0, 32)
  const key = createKeyRing(testSeal)(stored(seed, { scheme: 'v1a' }))
  const signature = sign({ id: 'evt_1', timestamp: 1, body: '{}' }, [key])
  const headers = { 'webhook-id': 'evt_1', 'webhook-timestamp': '1', 'webhook-signature': signature }
  const keys = [parsePublicKey(publicKey)]
  expect(verify({ headers, body: '{}', keys, now: new Date(1_000) })).toEqual({ id: 'evt_1', timestamp: 1 })
})

test('what is used again and again is kept, whatever comes and goes meanwhile', () => {
  const keyOf = createKeyRing(testSeal)
  const keyNumber = (number: number) => stored(Buffer.alloc(36, `${number}`.padStart(36, '0')))
  const [favourite, forgotten] = [keyNumber(-1), keyNumber(-2)]
  const [kept, lost] = [keyOf(favourite), keyOf(forgotten)]
  for (let number = 0; number < 10_001; number += 1) {
    keyOf(keyNumber(number))
    keyOf(favourite)
  }
  expect(keyOf(favourite)).toBe(kept)
  expect(keyOf(forgotten)).not.toBe(lost)
})

test.each<[string, Partial<StoredKey>]>([
  ['to another tenant', { tenantId: 'globex' }],
  ['to another subscription', { subscriptionId: '01900000-0000-7000-8000-000000000006' }],
  ['to another row', { id: '01900000-0000-7000-8000-0000000000c2' }],
  ['to the other scheme', { scheme: 'v1a' }],
])('a secret that was opened before is refused once it is moved %s, each time', (_where, moved) => {
  const keyOf = createKeyRing(testSeal)
  const one = stored(randomBytes(32))
  keyOf(one)
  for (const _time of [1, 2]) expect(() => keyOf({ ...one, ...moved })).toThrow('belongs elsewhere')
  expect(() => keyOf(one)).not.toThrow()
})

test('what is sealed and is no secret is refused', () => {
  const keyOf = createKeyRing(testSeal)
  expect(() => keyOf(stored(randomBytes(5)))).toThrow(expect.objectContaining({ code: 'invalid_secret' }))
})
