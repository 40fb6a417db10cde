/**
 * The operator's own tenant, to which Posthorn tells what happens to the subscriptions of the others, and the event types
 * that it uses for that. Subscriptions of this tenant get them as they get everything else.
 */
import { type SystemEventType, systemEvents, systemEventTypes, tenantIdPattern } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import type { Prisma } from './db/generated/client.ts'
import { transaction } from './db/transaction.ts'
import { SettingError } from './settings.ts'

const name = 'The operator of this installation'
const group = 'Posthorn'
const idForm = new RegExp(tenantIdPattern, 'u')

/** Reads the setting that names the operator's tenant. */
export function parseOperatorTenant(text: string): string {
  if (!idForm.test(text)) {
    throw new SettingError(`"${text}" is no tenant id; write 1 to 128 letters, digits and _ . : @ | -`)
  }
  return text
}

/**
 * Makes the operator's tenant and the event types known, with their schemas. What is there already stays; a schema that
 * has changed becomes a new version. Any number of processes may do so at once.
 */
export async function ensureOperator(db: Database, tenantId: string): Promise<void> {
  await db.prisma.tenant.createMany({ data: [{ id: tenantId, name }], skipDuplicates: true })
  await db.prisma.eventType.createMany({
    data: systemEventTypes.map((type) => ({ name: type, group })),
    skipDuplicates: true,
  })
  for (const type of systemEventTypes) await describe(db, type)
}

/** Two callers at once: the second waits for the row of the event type, and then finds the first one's version. */
async function describe(db: Database, type: SystemEventType): Promise<void> {
  const { description, schema, example } = systemEvents[type]
  const where = { name: type }
  await transaction(db, async (tx) => {
    const { latestVersion } = await tx.eventType.update({ where, data: { description, group, state: 'active' } })
    const key = { eventType: type, version: latestVersion }
    const latest = await tx.eventTypeVersion.findUnique({ where: { eventType_version: key } })
    if (latest !== null && JSON.stringify(latest.schema) === JSON.stringify(schema)) return
    const version = latestVersion + 1
    await tx.eventType.update({ where, data: { latestVersion: version } })
    const columns = { schema: json(schema), examples: json([example]) }
    await tx.eventTypeVersion.create({ data: { eventType: type, version, ...columns } })
  })
}

/** What is plain JSON already, as Prisma wants it typed. */
function json(value: object): Prisma.InputJsonValue {
  return JSON.parse(JSON.stringify(value))
}
