/**
 * The texts of credentials: a prefix and 196 random bits in base62. With so much randomness a plain SHA-256 protects them;
 * only that is stored, so nobody, we included, can show one a second time.
 */
import { createHash } from 'node:crypto'
import type { World } from './world.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** 33 digits in base 62: 196 bits. */
const digitCount = 33
/** Bytes below this count give each digit the same chance; higher ones are drawn again. */
const fairByteMax = 256 - (256 % alphabet.length)

/** A new one. */
export function newCredentialText(world: World, prefix: 'phk_' | 'phs_'): string {
  let digits = ''
  while (digits.length < digitCount) {
    for (const byte of world.randomBytes(digitCount)) {
      if (byte < fairByteMax && digits.length < digitCount) digits += alphabet.charAt(byte % alphabet.length)
    }
  }
  return prefix + digits
}

/** What is stored of it. */
export function credentialHash(text: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(text).digest())
}
