/**
 * Key pairs of subscriptions that sign by `v1a` beside `v1`. The private key is sealed like a secret and never shown; the
 * public one is for everybody. A subscription signs by `v1a` exactly while it has a pair: asking for the scheme makes
 * one, and giving it up ends all of them.
 */

import { Problem, type SignatureScheme, signatureSchemes, type Uuid } from '@posthorn/contract'
import { generateKeyPair } from '@posthorn/signing'
import { writeAudit } from './audit.ts'
import type { Subscription } from './db/generated/client.ts'
import { endSecrets } from './db/sql/end-secrets.ts'
import { type Tx, transaction } from './db/transaction.ts'
import { lockOwner, makeRoom, type OlderKey, type SecretParts, secretsOf, storeKey } from './secrets.ts'
import { getSubscription } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'

const scheme = 'v1a'
const privatePrefix = 'whsk_'
/** Ed25519 (RFC 8032): the seed is the whole private key. */
const seedBytes = 32

/** A public key by which requests can be verified now. */
export type PublicKeyInfo = { id: Uuid; publicKey: string; createdAt: Date; expiresAt: Date | null }

/** The schemes by which a subscription signs, in the order of the signatures. */
export function schemesOf({ publicKey }: Pick<Subscription, 'publicKey'>): SignatureScheme[] {
  return signatureSchemes.filter((one) => one !== scheme || publicKey !== null)
}

/**
 * Whether the schemes asked for need a key pair; undefined when nothing was asked.
 *
 * @throws Problem `invalid_request` when `v1` is not among them
 */
export function wantsKeyPair(schemes: readonly SignatureScheme[] | null | undefined): boolean | undefined {
  if (schemes === undefined) return undefined
  if (schemes === null) return false
  if (schemes.includes('v1')) return schemes.includes(scheme)
  const detail = 'must hold v1, which is all that most receivers can verify; v1a may stand beside it'
  throw new Problem('invalid_request', `signature_schemes ${detail}.`, {
    errors: [{ pointer: '/signature_schemes', detail }],
  })
}

/** Makes the first key pair of a subscription, or ends all it has. Answers with its current public key from then on. */
export async function setKeyPair(
  tx: Tx,
  parts: SecretParts,
  owner: Pick<Subscription, 'id' | 'tenantId' | 'publicKey'>,
  wanted: boolean,
): Promise<string | null> {
  if (wanted && owner.publicKey === null) return (await storeKeyPair(tx, parts, owner)).publicKey
  if (!wanted && owner.publicKey !== null) await endSecrets(tx, owner.id, scheme, { overlapSeconds: 0, kept: [] })
  return wanted ? owner.publicKey : null
}

/**
 * Makes a new key pair the current one. The older ones sign beside it for `overlapSeconds` more, or until they would have
 * ended anyway.
 *
 * @throws Problem `subscription_not_found`, `limit_reached`, `invalid_request` when it does not sign by `v1a`
 */
export async function rotateKeyPair(
  parts: SecretParts,
  id: Uuid,
  within: Within,
  overlapSeconds: number,
): Promise<PublicKeyInfo & { older: OlderKey[] }> {
  return transaction(parts.db, async (tx) => {
    const owner = await lockOwner(tx, id, within)
    if (owner.publicKey === null) {
      throw new Problem(
        'invalid_request',
        'The subscription does not sign by v1a, so it has no key pair. Set its signature_schemes to ["v1a", "v1"] first.',
      )
    }
    // Nobody looks for a pair that has ended: a signature check names expired secrets only.
    const older = await makeRoom(tx, id, scheme, { overlapSeconds, kept: [] })
    await writeAudit(tx, parts.db, secretsOf(owner))
    const pair = await storeKeyPair(tx, parts, owner)
    await tx.subscription.update({ where: { id }, data: { publicKey: pair.publicKey } })
    return { ...pair, older }
  })
}

/**
 * The public keys of the pairs that sign now, the current one first. Told to everybody who knows the subscription's id:
 * receivers have no API key, a public key tells nothing of the private one, and 74 bits of the id are random.
 *
 * @throws Problem `subscription_not_found`
 */
export async function listPublicKeys(
  { db, world }: Pick<SecretParts, 'db' | 'world'>,
  subscriptionId: Uuid,
): Promise<PublicKeyInfo[]> {
  await getSubscription(db, subscriptionId, undefined)
  const rows = await db.prisma.secret.findMany({
    where: { subscriptionId, scheme, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(world.now()) } }] },
    orderBy: [{ expiresAt: { sort: 'desc', nulls: 'first' } }, { id: 'desc' }],
    select: { id: true, publicKey: true, createdAt: true, expiresAt: true },
  })
  // A CHECK holds that a key of this scheme has one.
  return rows.map(({ publicKey, ...row }) => ({ ...row, publicKey: publicKey ?? '' }))
}

async function storeKeyPair(
  tx: Tx,
  parts: SecretParts,
  owner: Pick<Subscription, 'id' | 'tenantId'>,
): Promise<PublicKeyInfo> {
  const { privateKey, publicKey } = generateKeyPair((size) => parts.world.randomBytes(size))
  const key = Buffer.from(privateKey.slice(privatePrefix.length), 'base64').subarray(0, seedBytes)
  return { ...(await storeKey(tx, parts, owner, { scheme, key, publicKey })), publicKey }
}
