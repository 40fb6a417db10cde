/**
 * How a signing secret lies in the database: sealed, and bound to its place. The place is the scheme, the tenant, the
 * subscription and the id of the secret, so a row that was copied or moved elsewhere cannot be opened there.
 */
import type { SignatureScheme, Uuid } from '@posthorn/contract'
import { type Seal, SealError } from './sealing.ts'

/** Where a secret belongs. */
export type SecretPlace = { id: Uuid; tenantId: string; subscriptionId: Uuid; scheme: SignatureScheme }

/** The columns of a sealed secret. */
export type SealedSecret = {
  /** The master key that opens it, once more beside the seal: to be looked for. */
  masterKeyId: string
  sealedKey: Uint8Array<ArrayBuffer>
}

export function sealSecret(seal: Seal, key: Uint8Array, place: SecretPlace): SealedSecret {
  return { masterKeyId: seal.sealsWith, sealedKey: seal.seal(key, contextOf(place)) }
}

/** @throws SealError, also for a key that was stored before there was sealing */
export function openSecret(seal: Seal, sealedKey: Uint8Array, place: SecretPlace): Uint8Array<ArrayBuffer> {
  return seal.open(sealedKey, contextOf(place))
}

/** The same for whoever can do without it: null when it cannot be opened. */
export function openedSecret(seal: Seal, sealedKey: Uint8Array, place: SecretPlace): Uint8Array<ArrayBuffer> | null {
  try {
    return openSecret(seal, sealedKey, place)
  } catch (error) {
    if (error instanceof SealError) return null
    throw error
  }
}

/** All but the tenant's id have one form each, without `|`, so a tenant's id may hold what it likes. */
function contextOf({ tenantId, subscriptionId, id, scheme }: SecretPlace): string {
  return `${tenantId}|${subscriptionId}|${id}|${scheme}`
}
