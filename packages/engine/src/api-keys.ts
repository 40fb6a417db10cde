/**
 * API keys: credentials that last. A portal session lasts minutes or hours (`portal-sessions.ts`).
 */

import {
  type ApiKeyRole,
  apiKeyPattern,
  formatId,
  type GrantablePermission,
  Problem,
  type Uuid,
} from '@posthorn/contract'
import { writeAudit } from './audit.ts'
import { credentialHash, newCredentialText } from './credential-text.ts'
import type { Database } from './db/database.ts'
import type { ApiKey } from './db/generated/client.ts'
import { transaction } from './db/transaction.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { newUuid, type World } from './world.ts'

/** What is told of a key: everything but its hash. */
export type ApiKeyInfo = Omit<ApiKey, 'hash'>

const prefix = 'phk_'
const hintLength = 8
const keyForm = new RegExp(apiKeyPattern)
/** The name of the key that the environment gave. */
const environmentKeyName = 'POSTHORN_ADMIN_KEY'
const withoutHash = { hash: true } as const

export type ApiKeyDraft = {
  name: string
  role: ApiKeyRole
  tenantId: string | null
  expiresAt: Date | null
  /** What it may do beside what its role may. */
  permissions?: readonly GrantablePermission[]
}

/**
 * Makes a key. Its text is in the answer and nowhere else.
 *
 * @throws Problem `invalid_request`, `tenant_not_found`
 */
export async function createApiKey(
  parts: { db: Database; world: World },
  draft: ApiKeyDraft,
): Promise<{ apiKey: ApiKeyInfo; key: string }> {
  if ((draft.role === 'tenant') !== (draft.tenantId !== null)) {
    const detail = draft.role === 'tenant' ? 'is required for the role tenant' : 'is only for the role tenant'
    throw new Problem('invalid_request', `tenant ${detail}.`, { errors: [{ pointer: '/tenant', detail }] })
  }
  if (draft.tenantId !== null) await tenantExists(parts.db, draft.tenantId)
  const key = newCredentialText(parts.world, prefix)
  const permissions = [...(draft.permissions ?? [])]
  const id = newUuid(parts.world)
  const apiKey = await transaction(parts.db, async (tx) => {
    await writeAudit(tx, parts.db, { target: formatId('api_key', id), tenantId: draft.tenantId })
    return tx.apiKey.create({
      data: { id, ...draft, permissions, hash: credentialHash(key), hint: key.slice(0, hintLength) },
      omit: withoutHash,
    })
  })
  return { apiKey, key }
}

/** By the time they were made, revoked ones included. */
export async function listApiKeys(db: Database, request: PageRequest): Promise<Page<ApiKeyInfo>> {
  const plan = planPage('api_keys', request, isUuidKey)
  const [beyond] = plan.beyond ?? []
  const rows = await db.prisma.apiKey.findMany({
    where: beyond === undefined ? {} : { id: plan.order === 'asc' ? { gt: beyond } : { lt: beyond } },
    orderBy: { id: plan.order },
    take: plan.take,
    omit: withoutHash,
  })
  return plan.page(rows, (apiKey) => [apiKey.id])
}

/**
 * Revokes a key, from the next request on, and with it the portal sessions that were made with it. Revoking it again
 * changes nothing.
 *
 * @throws Problem `api_key_not_found`
 */
export async function revokeApiKey(parts: { db: Database; world: World }, id: Uuid): Promise<void> {
  const { db, world } = parts
  await transaction(db, async (tx) => {
    await tx.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date(world.now()) } })
    const found = await tx.apiKey.findUnique({ where: { id }, select: { tenantId: true } })
    if (found === null) throw new Problem('api_key_not_found', `There is no API key ${formatId('api_key', id)}.`)
    await writeAudit(tx, db, { target: formatId('api_key', id), tenantId: found.tenantId })
  })
}

/**
 * Makes the operator's own key a key of the role `admin`. Another key that came the same way before is revoked.
 *
 * @throws Error when the text is no key; the message says what one looks like and does not repeat the text
 */
export async function registerAdminKey(parts: { db: Database; world: World }, key: string): Promise<void> {
  const hash = credentialHash(parseApiKey(key))
  await parts.db.prisma.apiKey.createMany({
    data: [{ id: newUuid(parts.world), name: environmentKeyName, role: 'admin', hash, hint: key.slice(0, hintLength) }],
    skipDuplicates: true,
  })
  await parts.db.prisma.apiKey.updateMany({
    where: { name: environmentKeyName, hash: { not: hash }, revokedAt: null },
    data: { revokedAt: new Date(parts.world.now()) },
  })
  await parts.db.prisma.apiKey.updateMany({ where: { hash }, data: { role: 'admin', tenantId: null, revokedAt: null } })
}

/**
 * Reads the text of a key, for settings.
 *
 * @throws Error that says what a key looks like
 */
export function parseApiKey(text: string): string {
  if (keyForm.test(text)) return text
  throw new Error(`is no API key; write ${prefix} and 27 to 64 letters and digits chosen at random`)
}

async function tenantExists(db: Database, tenantId: string): Promise<void> {
  const found = await db.prisma.tenant.findUnique({ where: { id: tenantId }, select: { id: true } })
  if (found !== null) return
  throw new Problem('tenant_not_found', `There is no tenant ${JSON.stringify(tenantId)}.`, {
    status: 422,
    errors: [{ pointer: '/tenant', detail: 'is not a known tenant' }],
  })
}
