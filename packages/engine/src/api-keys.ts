/**
 * Credentials of the API: `phk_` and 198 random bits. A key has so much randomness that a plain SHA-256 protects it; only
 * that is stored, so nobody, we included, can show a key a second time.
 */
import { createHash } from 'node:crypto'
import { type ApiKeyRole, apiKeyPattern, formatId, Problem, type Uuid } from '@posthorn/contract'
import { createBatcher } from './batcher.ts'
import type { Database } from './db/database.ts'
import type { ApiKey } from './db/generated/client.ts'
import { type ApiKeyRow, selectApiKeys } from './db/sql/select-api-keys.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { newUuid, type World } from './world.ts'

/** What is told of a key: everything but its hash. */
export type ApiKeyInfo = Omit<ApiKey, 'hash'>

/** Who asks. */
export type Credential = { keyId: Uuid; role: ApiKeyRole; tenantId: string | undefined }

const prefix = 'phk_'
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** 33 digits in base 62: 196 bits. */
const digitCount = 33
/** Bytes below this count give each digit the same chance; higher ones are drawn again. */
const fairByteMax = 256 - (256 % alphabet.length)
const hintLength = 8
/** Lookups in one query, queries at once, and callers that may wait. */
const lookupBatch = { itemsMax: 200, parallel: 4, waitingMax: 10_000 }
const keyForm = new RegExp(apiKeyPattern)
/** The name of the key that the environment gave. */
const environmentKeyName = 'POSTHORN_ADMIN_KEY'
const withoutHash = { hash: true } as const

export type ApiKeyDraft = { name: string; role: ApiKeyRole; tenantId: string | null; expiresAt: Date | null }

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
  const key = newKey(parts.world)
  const apiKey = await parts.db.prisma.apiKey.create({
    data: { id: newUuid(parts.world), ...draft, hash: hashOf(key), hint: key.slice(0, hintLength) },
    omit: withoutHash,
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
 * Revokes a key, from the next request on. Revoking it again changes nothing.
 *
 * @throws Problem `api_key_not_found`
 */
export async function revokeApiKey(parts: { db: Database; world: World }, id: Uuid): Promise<void> {
  const { db, world } = parts
  await db.prisma.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date(world.now()) } })
  const found = await db.prisma.apiKey.findUnique({ where: { id }, select: { id: true } })
  if (found === null) throw new Problem('api_key_not_found', `There is no API key ${formatId('api_key', id)}.`)
}

/**
 * Makes the operator's own key a key of the role `admin`. Another key that came the same way before is revoked.
 *
 * @throws Error when the text is no key; the message says what one looks like and does not repeat the text
 */
export async function registerAdminKey(parts: { db: Database; world: World }, key: string): Promise<void> {
  const hash = hashOf(parseApiKey(key))
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

/**
 * Finds out who a key belongs to, or `undefined` for one that is unknown, expired or revoked. Callers at the same time
 * share one query. Nothing is remembered: a revoked key stops at once.
 */
export type Authenticate = (key: string) => Promise<Credential | undefined>

export function createAuthenticate(db: Database): Authenticate {
  const batcher = createBatcher<Buffer, ApiKeyRow | undefined>({
    run: (hashes) => findApiKeys(db, hashes),
    ...lookupBatch,
    // A read that failed has left nothing behind.
    mayRunAlone: () => false,
  })
  return async (key) => {
    if (!keyForm.test(key)) return undefined
    const row = await batcher.add(hashOf(key))
    return row && { keyId: row.id, role: row.role, tenantId: row.tenant_id ?? undefined }
  }
}

/** The usable keys of these hashes, each in its place. */
export async function findApiKeys(db: Database, hashes: readonly Buffer[]): Promise<(ApiKeyRow | undefined)[]> {
  const rows = await selectApiKeys(db.pool, hashes)
  const byHash = new Map(rows.map((row) => [row.hash.toString('hex'), row]))
  return hashes.map((hash) => byHash.get(hash.toString('hex')))
}

async function tenantExists(db: Database, tenantId: string): Promise<void> {
  const found = await db.prisma.tenant.findUnique({ where: { id: tenantId }, select: { id: true } })
  if (found !== null) return
  throw new Problem('tenant_not_found', `There is no tenant ${JSON.stringify(tenantId)}.`, {
    status: 422,
    errors: [{ pointer: '/tenant', detail: 'is not a known tenant' }],
  })
}

function newKey(world: World): string {
  let digits = ''
  while (digits.length < digitCount) {
    for (const byte of world.randomBytes(digitCount)) {
      if (byte < fairByteMax && digits.length < digitCount) digits += alphabet.charAt(byte % alphabet.length)
    }
  }
  return prefix + digits
}

function hashOf(key: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(key).digest())
}
