/**
 * What requests are made with: an API key, or the token of a portal session. Both are found by their hash, anew with each
 * request: what was revoked stops at once.
 */
import {
  type ApiKeyRole,
  apiKeyPattern,
  formatId,
  type GrantablePermission,
  type PortalCapability,
  type PortalTheme,
  parseId,
  portalTokenPattern,
  type Uuid,
} from '@posthorn/contract'
import { createBatcher } from './batcher.ts'
import { credentialHash } from './credential-text.ts'
import type { Database } from './db/database.ts'
import { type ApiKeyRow, selectApiKeys } from './db/sql/select-api-keys.ts'
import { type PortalSessionRow, selectPortalSessions } from './db/sql/select-portal-sessions.ts'
import type { Within } from './tenancy.ts'

type CredentialOf<Kind, Rights> = Rights & {
  kind: Kind
  id: Uuid
  /** Its id as people see it: who asked, in attempts, logs and the audit log. */
  actor: string
  /** The person behind it, in the words of the one who made it, if any were given. */
  onBehalfOf: string | null
  /** The one tenant whose objects it may see, or undefined for all. */
  tenantId: Within
  expiresAt: Date | null
}

export type ApiKeyCredential = CredentialOf<
  'api_key',
  { role: ApiKeyRole; extraPermissions: readonly GrantablePermission[] }
>
export type PortalCredential = CredentialOf<
  'portal_session',
  { tenantId: string; capabilities: readonly PortalCapability[]; theme: PortalTheme }
>

/** Who asks. */
export type Credential = ApiKeyCredential | PortalCredential

/**
 * Finds out who a key or a token belongs to, or `undefined` for one that is unknown, expired or revoked. Callers at the
 * same time share one query. Nothing is remembered.
 */
export type Authenticate = (text: string) => Promise<Credential | undefined>

/** Lookups in one query, queries at once, and callers that may wait. */
const lookupBatch = { itemsMax: 200, parallel: 4, waitingMax: 10_000 }
const keyForm = new RegExp(apiKeyPattern)
const tokenForm = new RegExp(portalTokenPattern)

export function createAuthenticate(db: Database): Authenticate {
  // A read that failed has left nothing behind.
  const options = { ...lookupBatch, mayRunAlone: () => false }
  const keys = createBatcher<Buffer, ApiKeyRow | undefined>({ run: (hashes) => findApiKeys(db, hashes), ...options })
  const sessions = createBatcher<Buffer, PortalSessionRow | undefined>({
    run: async (hashes) => inPlace(hashes, await selectPortalSessions(db.pool, hashes)),
    ...options,
  })
  return async (text) => {
    if (keyForm.test(text)) return apiKeyCredential(await keys.add(credentialHash(text)))
    if (tokenForm.test(text)) return portalCredential(await sessions.add(credentialHash(text)))
    return undefined
  }
}

/**
 * Those of some actors that are credentials of this tenant, as `Credential.actor` names them, ended ones among them. A
 * portal session that is no longer kept is nobody's.
 */
export async function actorsOfTenant(
  db: Database,
  tenantId: string,
  actors: readonly string[],
): Promise<ReadonlySet<string>> {
  const idsOf = (kind: 'api_key' | 'portal_session') =>
    [...new Set(actors)].flatMap((actor) => parseId(kind, actor) ?? [])
  const [keys, sessions] = [idsOf('api_key'), idsOf('portal_session')]
  if (keys.length + sessions.length === 0) return new Set()
  const [ownKeys, ownSessions] = await Promise.all([
    db.prisma.apiKey.findMany({ where: { id: { in: keys }, tenantId }, select: { id: true } }),
    db.prisma.portalSession.findMany({ where: { id: { in: sessions }, tenantId }, select: { id: true } }),
  ])
  return new Set([
    ...ownKeys.map(({ id }) => formatId('api_key', id)),
    ...ownSessions.map(({ id }) => formatId('portal_session', id)),
  ])
}

/** The usable keys of these hashes, each in its place. */
export async function findApiKeys(db: Database, hashes: readonly Buffer[]): Promise<(ApiKeyRow | undefined)[]> {
  return inPlace(hashes, await selectApiKeys(db.pool, hashes))
}

function inPlace<Row extends { hash: Buffer }>(hashes: readonly Buffer[], rows: readonly Row[]): (Row | undefined)[] {
  const byHash = new Map(rows.map((row) => [row.hash.toString('hex'), row]))
  return hashes.map((hash) => byHash.get(hash.toString('hex')))
}

function apiKeyCredential(row: ApiKeyRow | undefined): ApiKeyCredential | undefined {
  return (
    row && {
      kind: 'api_key',
      id: row.id,
      actor: formatId('api_key', row.id),
      onBehalfOf: null,
      tenantId: row.tenant_id ?? undefined,
      expiresAt: row.expires_at,
      role: row.role,
      extraPermissions: row.permissions,
    }
  )
}

function portalCredential(row: PortalSessionRow | undefined): PortalCredential | undefined {
  return (
    row && {
      kind: 'portal_session',
      id: row.id,
      actor: formatId('portal_session', row.id),
      onBehalfOf: row.on_behalf_of,
      tenantId: row.tenant_id,
      expiresAt: row.expires_at,
      capabilities: row.capabilities,
      theme: row.theme,
    }
  )
}
