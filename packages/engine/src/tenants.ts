/**
 * The operator's customers. Their ids are the operator's own, so an upsert is all it takes to make one known.
 */

import { formSentence, Problem, tenantIdPattern } from '@posthorn/contract'
import { inAuditedTransaction, writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { Prisma, Tenant } from './db/generated/client.ts'
import { deleteTenant as deleteStatement } from './db/sql/delete-tenant.ts'
import { lockTenant } from './db/sql/lock-tenant.ts'
import { transaction } from './db/transaction.ts'
import { isTimeAndNameKey, type Page, type PageRequest, planPage } from './paging.ts'
import type { Precondition } from './precondition.ts'
import { storedJson } from './stored-json.ts'
import type { Within } from './tenancy.ts'

export type { Tenant } from './db/generated/client.ts'

export type TenantInput = {
  name: string | null
  metadata: Readonly<Record<string, unknown>>
  contacts: readonly { email: string; name?: string }[]
  /** Days after which the content of its events goes; null or left out: as the installation keeps it. */
  retentionDays?: number | null
}

const idForm = new RegExp(tenantIdPattern, 'u')

/**
 * Makes a tenant known, or replaces all that is known of it.
 *
 * @param expect throws when the tenant is not what the caller takes it for
 * @throws Problem `invalid_request`
 */
export async function putTenant(
  db: Database,
  id: string,
  input: TenantInput,
  expect: Precondition<Tenant> = () => undefined,
): Promise<{ tenant: Tenant; created: boolean }> {
  if (!idForm.test(id)) {
    throw new Problem(
      'invalid_request',
      'A tenant id has 1 to 128 characters out of letters, digits and _ . : @ | -, because it stands in URLs and logs.',
      { errors: [{ pointer: '{id}', detail: formSentence(tenantIdPattern) ?? 'does not fit' }] },
    )
  }
  const data = {
    name: input.name,
    metadata: storedJson(input.metadata, '/metadata'),
    contacts: input.contacts.map((contact) => ({ ...contact })),
    retentionDays: input.retentionDays ?? null,
  } satisfies Prisma.TenantUpdateInput
  return transaction(db, async (tx) => {
    const known = await lockTenant(tx, id)
    expect(known ? await tx.tenant.findUniqueOrThrow({ where: { id } }) : undefined)
    const { count } = await tx.tenant.createMany({ data: [{ id, ...data }], skipDuplicates: true })
    // Somebody else made it known between the two.
    if (!known && count === 0) expect(await tx.tenant.findUniqueOrThrow({ where: { id } }))
    await writeAudit(tx, db, { target: id, tenantId: id })
    return { tenant: await tx.tenant.update({ where: { id }, data }), created: count === 1 }
  })
}

/** @throws Problem `tenant_not_found` */
export async function getTenant(db: Database, id: string, within: Within): Promise<Tenant> {
  const visible = idForm.test(id) && (within === undefined || within === id)
  const tenant = visible ? await db.prisma.tenant.findUnique({ where: { id } }) : null
  if (tenant === null) throw tenantNotFound(id)
  return tenant
}

/** By the time they became known. */
export async function listTenants(db: Database, within: Within, request: PageRequest): Promise<Page<Tenant>> {
  const plan = planPage('tenants', request, isTimeAndNameKey)
  const rows = await db.prisma.tenant.findMany({
    where: { ...(within === undefined ? {} : { id: within }), ...beyondTenant(plan.beyond, plan.order) },
    orderBy: [{ createdAt: plan.order }, { id: plan.order }],
    take: plan.take,
  })
  return plan.page(rows, (tenant) => [tenant.createdAt.toISOString(), tenant.id])
}

/**
 * Forgets a tenant with its subscriptions, secrets and keys, and cancels what was still to be delivered. What was
 * published and attempted stays readable until its retention ends.
 *
 * @throws Problem `tenant_not_found`
 */
export async function deleteTenant(db: Database, id: string): Promise<void> {
  if (!idForm.test(id)) throw tenantNotFound(id)
  const found = await inAuditedTransaction(db, async (runner, write) => {
    const deleted = await deleteStatement(runner, id)
    if (deleted) await write({ target: id, tenantId: id })
    return deleted
  })
  if (!found) throw tenantNotFound(id)
}

/** The refusal of a tenant that is not there, or not the caller's. */
export function tenantNotFound(id: string): Problem {
  return new Problem('tenant_not_found', `There is no tenant ${JSON.stringify(id)}.`)
}

function beyondTenant(key: readonly string[] | undefined, order: 'asc' | 'desc'): Prisma.TenantWhereInput {
  const [time, id] = key ?? []
  if (time === undefined || id === undefined) return {}
  return order === 'asc'
    ? { OR: [{ createdAt: { gt: time } }, { createdAt: time, id: { gt: id } }] }
    : { OR: [{ createdAt: { lt: time } }, { createdAt: time, id: { lt: id } }] }
}
