/**
 * Sealing: secrets are encrypted before they come to the database, so that a copy of it discloses none.
 *
 * AES-256-GCM under the operator's master key (NIST SP 800-38D). What a secret belongs to is its context, which is
 * authenticated with it: a sealed secret that is moved to another row cannot be opened there. Of several master keys the
 * first seals and all open, which is how one is replaced by another; the sealed bytes name theirs by an id derived from
 * it. Their form: one byte of version, 8 of that id, 12 of nonce, the ciphertext, 16 of tag. Nonces are random, so one
 * master key seals some 2^32 times.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { World } from './world.ts'

const cipher = 'aes-256-gcm'
const masterKeyBytes = 32
const version = 1
const idBytes = 8
const nonceBytes = 12
const tagBytes = 16
const nonceAt = 1 + idBytes
const hiddenAt = nonceAt + nonceBytes

export type Seal = {
  /** @param context what the secret belongs to, such as the id of a subscription and what it is there */
  seal(plain: Uint8Array, context: string): Uint8Array<ArrayBuffer>
  /** @throws SealError */
  open(sealed: Uint8Array, context: string): Uint8Array<ArrayBuffer>
}

/** A secret that cannot be opened. Nothing of it is in here. */
export class SealError extends Error {
  override readonly name = 'SealError'
  /**
   * - `unknown_master_key`: sealed with a master key that is not among those given, or with none
   * - `seal_broken`: changed, cut, or brought here from another place
   */
  readonly code: 'unknown_master_key' | 'seal_broken'

  constructor(code: SealError['code'], message: string, options?: { cause: unknown }) {
    super(message, options)
    this.code = code
  }
}

/**
 * Reads master keys: the base64 of 32 bytes each, separated by commas.
 *
 * @throws Error that says what is wrong and the fix, and never repeats the text
 */
export function parseMasterKeys(text: string): Uint8Array[] {
  return text.split(',').map((part) => {
    const key = Buffer.from(part.trim(), 'base64')
    // Exact: what is nearly base64 would be decoded to another key without a word.
    if (key.length === masterKeyBytes && key.toString('base64') === part.trim()) return key
    throw new Error(
      'holds what is no master key; write the base64 of 32 random bytes. Make one with: openssl rand -base64 32',
    )
  })
}

/** @param masterKeys at least one, of 32 bytes each; the first seals */
export function createSeal(masterKeys: readonly Uint8Array[], world: Pick<World, 'randomBytes'>): Seal {
  const byId = new Map(masterKeys.map((key) => [idOf(key).toString('hex'), key]))
  const [first] = masterKeys
  if (first === undefined) throw new Error('there is no master key to seal with')
  const head = Buffer.concat([Uint8Array.of(version), idOf(first)])

  return {
    seal(plain, context) {
      const nonce = world.randomBytes(nonceBytes)
      const sealing = createCipheriv(cipher, first, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(context))
      const hidden = [sealing.update(plain), sealing.final()]
      return Uint8Array.from(Buffer.concat([head, nonce, ...hidden, sealing.getAuthTag()]))
    },
    open(sealed, context) {
      if (sealed[0] !== version || sealed.length < hiddenAt + tagBytes) {
        throw new SealError('seal_broken', `the secret of ${context} is cut off, or was never sealed`)
      }
      const id = Buffer.from(sealed.subarray(1, nonceAt)).toString('hex')
      const key = byId.get(id)
      if (key === undefined) {
        throw new SealError(
          'unknown_master_key',
          `the secret of ${context} is sealed with the master key ${id}, which is not among those given`,
        )
      }
      try {
        const opening = createDecipheriv(cipher, key, sealed.subarray(nonceAt, hiddenAt), { authTagLength: tagBytes })
          .setAAD(Buffer.from(context))
          .setAuthTag(sealed.subarray(-tagBytes))
        return Uint8Array.from(Buffer.concat([opening.update(sealed.subarray(hiddenAt, -tagBytes)), opening.final()]))
      } catch (error) {
        throw new SealError('seal_broken', `the secret of ${context} was changed, or belongs elsewhere`, {
          cause: error,
        })
      }
    },
  }
}

/** Derived (RFC 5869), so that it tells nothing of the key. */
function idOf(key: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', 'posthorn master key id', idBytes))
}
