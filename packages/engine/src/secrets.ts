/**
 * Signing secrets of subscriptions. A secret is shown in the answer that creates it, and when somebody who may asks for
 * it; it is in no list and no log, and it is stored sealed (`sealing.ts`).
 *
 * Rotating makes a new one the current one. The older ones sign beside it for a while, so that receivers can change over
 * without losing a delivery.
 */

import { formatId, limits, Problem, type SignatureScheme, type Uuid } from '@posthorn/contract'
import { formatSecret, generateSecret, parseSecret, type SecretFault, WebhookArgumentError } from '@posthorn/signing'
import { type AuditTarget, writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { Subscription } from './db/generated/client.ts'
import { endSecrets } from './db/sql/end-secrets.ts'
import { lockSubscription } from './db/sql/lock-subscription.ts'
import { type Tx, transaction } from './db/transaction.ts'
import { openedSecret, openSecret, type SecretPlace, sealSecret } from './sealed-secrets.ts'
import type { Seal } from './sealing.ts'
import { getSubscription, subscriptionNotFound } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'
import { newUuid, type World } from './world.ts'

export type SecretParts = { db: Database; world: World; seal: Seal }

/** A secret in both of its forms. */
export type SecretMaterial = {
  /** `whsec_…`, as receivers know it. */
  text: string
  /** What is stored and signed with. */
  key: Uint8Array<ArrayBuffer>
}

/** A secret of a subscription that still signs. */
export type RevealedSecret = { id: Uuid; text: string; createdAt: Date; expiresAt: Date | null }

/** A key that goes on signing beside a new one. */
export type OlderKey = { id: Uuid; expiresAt: Date }

export type Rotation = {
  /** How long the older ones go on signing at the most, in seconds. */
  overlapSeconds: number
  /** `whsec_…`; generated when left out. */
  secret?: string
}

const prefix = 'whsec_'

/** What is wrong with a secret that was brought along, and what it has to be. */
const secretFaults: Readonly<Record<SecretFault, string>> = {
  not_text: 'must be a text: whsec_ and the base64 of 24 to 64 bytes',
  asymmetric_key: 'is a key of the scheme v1a, whsk_ or whpk_; a secret begins with whsec_',
  whitespace: 'holds a space or a line break, usually from copying: leave it out',
  url_safe_base64: 'is written in the base64 of URLs, with - and _: write + and / in their places',
  not_base64: 'holds a character that base64 does not have: it must be whsec_ and the base64 of 24 to 64 bytes',
  bad_padding: 'ends too early: characters of its base64 are missing, or the = at its end',
  too_short: 'is too short: whsec_ is followed by the base64 of at least 24 bytes',
  too_long: 'is too long: whsec_ is followed by the base64 of at most 64 bytes',
}

/** A new secret: 36 random bytes. */
export function newSecret(world: World): SecretMaterial {
  return materialOf(generateSecret((size) => world.randomBytes(size)))
}

/**
 * A secret that the caller brought along, usually from another sender.
 *
 * @throws Problem `invalid_secret` with the reason, never with the text
 */
export function givenSecret(text: string): SecretMaterial {
  try {
    return materialOf(formatSecret(parseSecret(text)))
  } catch (error) {
    if (!(error instanceof WebhookArgumentError) || error.failure.code !== 'invalid_secret') throw error
    const detail = secretFaults[error.failure.reason]
    throw new Problem('invalid_secret', `The secret ${detail}.`, {
      errors: [{ pointer: '/secret', detail }],
      cause: error,
    })
  }
}

/** Stores a key of a subscription, sealed, as the current one of its scheme. Answers with the row. */
export async function storeKey(
  tx: Tx,
  { world, seal }: SecretParts,
  owner: Pick<Subscription, 'id' | 'tenantId'>,
  made: { scheme: SignatureScheme; key: Uint8Array; publicKey?: string },
): Promise<{ id: Uuid; createdAt: Date; expiresAt: Date | null }> {
  const { key, ...shown } = made
  const place: SecretPlace = {
    id: newUuid(world),
    tenantId: owner.tenantId,
    subscriptionId: owner.id,
    scheme: made.scheme,
  }
  return tx.secret.create({ data: { ...place, ...sealSecret(seal, key, place), ...shown } })
}

/**
 * The secrets that sign now, the current one first.
 *
 * @throws Problem `subscription_not_found`; SealError
 */
export async function revealSecrets(
  parts: SecretParts,
  subscriptionId: Uuid,
  within: Within,
): Promise<RevealedSecret[]> {
  const subscription = await getSubscription(parts.db, subscriptionId, within)
  const place = { tenantId: subscription.tenantId, subscriptionId, scheme: 'v1' } as const
  // Written before the secret is read: whatever happens now, nothing was shown that does not stand there.
  await transaction(parts.db, (tx) => writeAudit(tx, parts.db, secretsOf(subscription)))
  const rows = await parts.db.prisma.secret.findMany({
    where: { ...place, ended: false, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(parts.world.now()) } }] },
    orderBy: [{ expiresAt: { sort: 'desc', nulls: 'first' } }, { id: 'desc' }],
  })
  return rows.map(({ id, sealedKey, createdAt, expiresAt }) => {
    return { id, text: textOf(openSecret(parts.seal, sealedKey, { id, ...place })), createdAt, expiresAt }
  })
}

/**
 * Makes a new secret the current one. The older ones sign beside it for `overlapSeconds` more, or until they would have
 * ended anyway; with 0 it signs alone from the next claim on, whatever was promised before. What has ended is kept until the
 * next rotation, so that a signature check can name it. An older one may become the current one again, and is then no older
 * one any more.
 *
 * @throws Problem `subscription_not_found`, `invalid_secret`, `limit_reached`
 */
export async function rotateSecret(
  parts: SecretParts,
  id: Uuid,
  within: Within,
  rotation: Rotation,
): Promise<RevealedSecret & { older: OlderKey[] }> {
  const { text, key } = rotation.secret === undefined ? newSecret(parts.world) : givenSecret(rotation.secret)
  return transaction(parts.db, async (tx) => {
    const owner = await lockOwner(tx, id, within)
    if (rotation.secret !== undefined) await takeBack(tx, parts, owner, key)
    const older = await makeRoom(tx, id, 'v1', {
      overlapSeconds: rotation.overlapSeconds,
      kept: rotation.overlapSeconds === 0 ? await recognisable(tx, parts, owner) : [],
    })
    await writeAudit(tx, parts.db, secretsOf(owner))
    return { ...(await storeKey(tx, parts, owner, { scheme: 'v1', key })), text, older }
  })
}

/**
 * The subscription, locked until the transaction ends: rotations come one after the other.
 *
 * @throws Problem `subscription_not_found`
 */
export async function lockOwner(tx: Tx, id: Uuid, within: Within): Promise<Subscription> {
  if (!(await lockSubscription(tx, id, within ?? null))) throw subscriptionNotFound(id)
  return tx.subscription.findUniqueOrThrow({ where: { id } })
}

/**
 * Lets the keys of a scheme end after the overlap, so that another one can be the current one. Answers with those that still
 * sign meanwhile.
 *
 * @throws Problem `limit_reached`: each key signs each request, and none ends earlier than was said
 */
export async function makeRoom(
  tx: Tx,
  id: Uuid,
  scheme: SignatureScheme,
  ending: { overlapSeconds: number; kept: readonly Uuid[] },
): Promise<OlderKey[]> {
  const signing = await endSecrets(tx, id, scheme, ending)
  if (signing.length < limits.signingKeysMax) return signing
  throw new Problem(
    'limit_reached',
    `${signing.length} older keys would sign beside the new one, and ${limits.signingKeysMax} may sign at once in all. Wait until one has ended, or give a smaller overlap_seconds: 0 ends all of them now.`,
  )
}

/**
 * Takes a secret that is to be the current one away from those that are known: no request is signed twice by one secret, and
 * none has two ends.
 *
 * @throws Problem `invalid_secret`: it is the current one already, and what was to be changed would stay as it is
 */
async function takeBack(
  tx: Tx,
  { seal }: SecretParts,
  { id: subscriptionId, tenantId }: Pick<Subscription, 'id' | 'tenantId'>,
  key: Uint8Array,
): Promise<void> {
  const place = { tenantId, subscriptionId, scheme: 'v1' } as const
  const rows = await tx.secret.findMany({ where: place, select: { id: true, sealedKey: true, expiresAt: true } })
  for (const { id, sealedKey, expiresAt } of rows) {
    const known = openedSecret(seal, sealedKey, { id, ...place })
    if (known === null || Buffer.compare(known, key) !== 0) continue
    if (expiresAt === null) {
      const detail = 'is the current secret already: give another one, or leave it out for a new one'
      throw new Problem('invalid_secret', `The secret ${detail}.`, { errors: [{ pointer: '/secret', detail }] })
    }
    await tx.secret.delete({ where: { id } })
  }
}

/** The secrets that can be opened. Another one would be recognised by nobody, and be in the way of giving up a master key. */
async function recognisable(
  tx: Tx,
  { seal }: SecretParts,
  { id: subscriptionId, tenantId }: Pick<Subscription, 'id' | 'tenantId'>,
): Promise<Uuid[]> {
  const place = { tenantId, subscriptionId, scheme: 'v1' } as const
  const rows = await tx.secret.findMany({ where: place, select: { id: true, sealedKey: true } })
  return rows.flatMap(({ id, sealedKey }) => (openedSecret(seal, sealedKey, { id, ...place }) === null ? [] : [id]))
}

/** What the audit log says of them: whose they are. */
export function secretsOf({ id, tenantId }: Pick<Subscription, 'id' | 'tenantId'>): AuditTarget {
  return { target: formatId('subscription', id), tenantId }
}

function materialOf(text: string): SecretMaterial {
  return { text, key: Uint8Array.from(Buffer.from(text.slice(prefix.length), 'base64')) }
}

function textOf(key: Uint8Array): string {
  return prefix + Buffer.from(key).toString('base64')
}
