/**
 * Portal sessions: what a customer's browser is given for a while. Each is of one tenant and may do what its capabilities
 * say. It ends by itself, when somebody revokes it, and with the API key that it was made with.
 */

import { formatId, type PortalCapability, type PortalTheme, Problem, type Uuid } from '@posthorn/contract'
import { writeAudit } from './audit.ts'
import { credentialHash, newCredentialText } from './credential-text.ts'
import type { ApiKeyCredential } from './credentials.ts'
import type { Database } from './db/database.ts'
import type { PortalSession } from './db/generated/client.ts'
import { transaction } from './db/transaction.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { inTenant, type Within } from './tenancy.ts'
import { getTenant } from './tenants.ts'
import { newUuid, type World } from './world.ts'

/** What is told of a session: everything but the hash of its token. */
export type PortalSessionInfo = Omit<PortalSession, 'hash'>

export type PortalSessionDraft = {
  capabilities: readonly PortalCapability[]
  ttlSeconds: number
  theme: PortalTheme
  onBehalfOf: string | null
}

const withoutHash = { hash: true } as const

/**
 * Makes a session of a tenant. Its token is in the answer and nowhere else. It ends with the key that it is made with, if
 * that is earlier.
 *
 * @throws Problem `tenant_not_found`
 */
export async function createPortalSession(
  parts: { db: Database; world: World },
  tenantId: string,
  draft: PortalSessionDraft,
  by: ApiKeyCredential,
): Promise<{ session: PortalSessionInfo; token: string }> {
  await getTenant(parts.db, tenantId, by.tenantId)
  const token = newCredentialText(parts.world, 'phs_')
  const wantedMs = parts.world.now() + draft.ttlSeconds * 1000
  const id = newUuid(parts.world)
  const session = await transaction(parts.db, async (tx) => {
    await writeAudit(tx, parts.db, { target: formatId('portal_session', id), tenantId })
    return tx.portalSession.create({
      data: {
        id,
        tenantId,
        hash: credentialHash(token),
        capabilities: [...draft.capabilities],
        theme: draft.theme,
        onBehalfOf: draft.onBehalfOf,
        createdBy: by.id,
        expiresAt: new Date(Math.min(wantedMs, by.expiresAt?.getTime() ?? wantedMs)),
      },
      omit: withoutHash,
    })
  })
  return { session, token }
}

/**
 * The sessions of a tenant by the time they were made, for as long as they are kept: expired and revoked ones too.
 *
 * @throws Problem `tenant_not_found`
 */
export async function listPortalSessions(
  db: Database,
  tenantId: string,
  within: Within,
  request: PageRequest,
): Promise<Page<PortalSessionInfo>> {
  const plan = planPage('portal_sessions', request, isUuidKey)
  await getTenant(db, tenantId, within)
  const [beyond] = plan.beyond ?? []
  const rows = await db.prisma.portalSession.findMany({
    where: {
      ...inTenant(tenantId),
      ...(beyond === undefined ? {} : { id: plan.order === 'asc' ? { gt: beyond } : { lt: beyond } }),
    },
    orderBy: { id: plan.order },
    take: plan.take,
    omit: withoutHash,
  })
  return plan.page(rows, (session) => [session.id])
}

/** @throws Problem `portal_session_not_found` */
export async function getPortalSession(db: Database, id: Uuid, within: Within): Promise<PortalSessionInfo> {
  const found = await db.prisma.portalSession.findFirst({ where: { ...inTenant(within), id }, omit: withoutHash })
  if (found === null) throw portalSessionNotFound(id)
  return found
}

/**
 * Revokes a session, from the next request on. Revoking it again changes nothing.
 *
 * @throws Problem `portal_session_not_found`
 */
export async function revokePortalSession(
  { db, world }: { db: Database; world: World },
  id: Uuid,
  within: Within,
): Promise<void> {
  const { tenantId } = await getPortalSession(db, id, within)
  await transaction(db, async (tx) => {
    await writeAudit(tx, db, { target: formatId('portal_session', id), tenantId })
    await tx.portalSession.updateMany({
      where: { ...inTenant(within), id, revokedAt: null },
      data: { revokedAt: new Date(world.now()) },
    })
  })
}

function portalSessionNotFound(id: Uuid): Problem {
  return new Problem('portal_session_not_found', `There is no portal session ${formatId('portal_session', id)}.`)
}
