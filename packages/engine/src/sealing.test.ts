import { createDecipheriv, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeal, parseMasterKeys, SealError } from './sealing.ts'

const world = { randomBytes: (count: number) => randomBytes(count) }
const masterKey = randomBytes(32)
const { seal, open } = createSeal([masterKey], world)
const context = 'subscription:1:auth'

test('what was sealed is opened for the same context, and cannot be seen in between', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plain, context) => {
      const sealed = seal(plain, context)
      expect(Buffer.from(open(sealed, context))).toEqual(Buffer.from(plain))
      if (plain.length >= 8) expect(Buffer.from(sealed).includes(Buffer.from(plain))).toBe(false)
    }),
  )
})

test('a sealed secret opens in no other place, with no other key, and not when one bit of it is different', () => {
  const sealed = seal(Buffer.from('hunter2'), context)
  expect(() => open(sealed, 'subscription:2:auth')).toThrow(expect.objectContaining({ code: 'seal_broken' }))
  expect(() => createSeal([randomBytes(32)], world).open(sealed, context)).toThrow(
    expect.objectContaining({ code: 'unknown_master_key' }),
  )
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = sealed.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    expect(() => open(changed, context)).toThrow(SealError)
  }
  for (let length = 0; length < sealed.length; length += 1) {
    expect(() => open(sealed.subarray(0, length), context)).toThrow(SealError)
  }
})

test('the same secret sealed twice looks different', () => {
  expect(seal(Buffer.from('a'), context)).not.toEqual(seal(Buffer.from('a'), context))
})

test('a new master key put in front seals from now on, and the old one still opens what it sealed', () => {
  const old = seal(Buffer.from('old'), context)
  const newKey = randomBytes(32)
  const both = createSeal([newKey, masterKey], world)
  expect(Buffer.from(both.open(old, context)).toString()).toBe('old')
  const fresh = both.seal(Buffer.from('fresh'), context)
  expect(Buffer.from(createSeal([newKey], world).open(fresh, context)).toString()).toBe('fresh')
  expect(() => open(fresh, context)).toThrow(SealError)
})

test('what is sealed is plain AES-256-GCM, which any other program can open', () => {
  const sealed = seal(Buffer.from('hunter2'), context)
  const decipher = createDecipheriv('aes-256-gcm', masterKey, sealed.subarray(9, 21))
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(sealed.subarray(-16))
  const plain = Buffer.concat([decipher.update(sealed.subarray(21, -16)), decipher.final()])
  expect(plain.toString()).toBe('hunter2')
})

test('a master key is the base64 of 32 bytes, and what is not is refused without being repeated', () => {
  const text = masterKey.toString('base64')
  expect(parseMasterKeys(`${text}, ${text}`)).toEqual([masterKey, masterKey])
  for (const wrong of ['', 'canary', text.slice(0, -1), `${text}==`, randomBytes(31).toString('base64'), `${text},`]) {
    expect(() => parseMasterKeys(wrong)).toThrow('no master key')
    expect(() => parseMasterKeys(wrong)).not.toThrow('canary')
  }
})
