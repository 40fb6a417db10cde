/**
 * Signing secrets of subscriptions. A secret is shown twice at the most: in the answer that creates it, and when somebody
 * who may asks for it; it is in no list and no log.
 */
import { Problem, type Uuid } from '@posthorn/contract'
import { formatSecret, generateSecret, parseSecret, WebhookArgumentError } from '@posthorn/signing'
import type { Database } from './db/database.ts'
import { getSubscription } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'
import type { World } from './world.ts'

/** A secret in both of its forms. */
export type SecretMaterial = {
  /** `whsec_…`, as receivers know it. */
  text: string
  /** What is stored and signed with. */
  key: Uint8Array<ArrayBuffer>
}

/** A secret of a subscription that still signs. */
export type RevealedSecret = { id: Uuid; text: string; createdAt: Date; expiresAt: Date | null }

const prefix = 'whsec_'

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
    throw new Problem('invalid_secret', error.message, {
      errors: [{ pointer: '/secret', detail: error.failure.reason }],
      cause: error,
    })
  }
}

/**
 * The secrets that sign now, the current one first.
 *
 * @throws Problem `subscription_not_found`
 */
export async function revealSecrets(
  parts: { db: Database; world: World },
  subscriptionId: Uuid,
  within: Within,
): Promise<RevealedSecret[]> {
  const subscription = await getSubscription(parts.db, subscriptionId, within)
  const rows = await parts.db.prisma.secret.findMany({
    where: {
      tenantId: subscription.tenantId,
      subscriptionId,
      OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(parts.world.now()) } }],
    },
    orderBy: { expiresAt: { sort: 'desc', nulls: 'first' } },
  })
  return rows.map(({ id, key, createdAt, expiresAt }) => ({ id, text: textOf(key), createdAt, expiresAt }))
}

function materialOf(text: string): SecretMaterial {
  return { text, key: Uint8Array.from(Buffer.from(text.slice(prefix.length), 'base64')) }
}

function textOf(key: Uint8Array): string {
  return prefix + Buffer.from(key).toString('base64')
}
