/**
 * Importing event types from an OpenAPI 3.1 document: all of them or none, in one transaction. What is unchanged gets no
 * new version, so the same document can be imported at each deployment.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { Problem } from '@posthorn/contract'
import type { Schemas } from '@posthorn/json-schema'
import { writeAudit } from './audit.ts'
import type { Database } from './db/database.ts'
import type { EventTypeVersion } from './db/generated/client.ts'
import { selectCaseVariants } from './db/sql/select-case-variants.ts'
import { type Tx, transaction } from './db/transaction.ts'
import { eventTypeNameTaken } from './event-type-names.ts'
import { addVersion, storedComparison, type VersionComparison } from './event-type-versions.ts'
import { type DescribedType, type LeftOut, typesInDocument } from './openapi-import.ts'

export type ImportedType = {
  name: string
  outcome: 'created' | 'updated' | 'unchanged'
  /** Where its schema was taken from; null for none. */
  schemaPointer: string | null
  /** Its newest version now; 0 for none. */
  version: number
  /** What the new version changes; null when there is no new one. */
  comparison: VersionComparison | null
}

export type Import = { types: ImportedType[]; leftOut: LeftOut[] }

/** Many event types are many statements, in milliseconds. */
const importMsMax = 60_000

/**
 * @throws Problem `invalid_request`, `invalid_schema`, `event_type_name_taken`, with pointers into the document
 */
export async function importEventTypes(
  parts: { db: Database; schemas: Schemas },
  document: Readonly<Record<string, unknown>>,
  options: { dryRun: boolean },
): Promise<Import> {
  const { types, leftOut } = typesInDocument(document)
  requireDistinct(types)
  for (const type of types) {
    checkPayload(parts.schemas, type)
    // A schema may take a while; others have their turn in between.
    await turn()
  }
  const imported: ImportedType[] = []
  try {
    await transaction(
      parts.db,
      async (tx) => {
        // In one order, so that two imports never wait for one another in a circle.
        for (const type of types.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
          imported.push(await importOne(parts.db, tx, type, leftOut))
          await turn()
        }
        if (options.dryRun) throw new OnlyTold()
        await writeAudit(tx, parts.db, { target: `${imported.length} event types`, tenantId: null })
      },
      { timeoutMs: importMsMax },
    )
  } catch (error) {
    if (!(error instanceof OnlyTold)) throw error
  }
  return { types: imported, leftOut }
}

/** Rolls a dry run back. */
class OnlyTold extends Error {
  override readonly name = 'OnlyTold'
  readonly code = 'only_told'
}

function requireDistinct(types: readonly DescribedType[]): void {
  const names = new Map<string, string>()
  for (const { name, pointer } of types) {
    const before = names.get(name.toLowerCase())
    if (before !== undefined) throw eventTypeNameTaken(name, before, pointer)
    names.set(name.toLowerCase(), name)
  }
}

/** @throws Problem `invalid_schema` with pointers into the document */
function checkPayload(schemas: Schemas, { name, payload }: DescribedType): void {
  if (payload === null) return
  try {
    schemas.compile(
      payload.schema,
      payload.examples.map(({ value }) => value),
    )
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const places = error.errors.map(({ pointer, detail }) => {
      const [, what, index = '', ...rest] = pointer.split('/')
      const example = what === 'examples' ? payload.examples[Number(index)] : undefined
      const inside = (parts: readonly string[]) => parts.map((part) => `/${part}`).join('')
      if (example !== undefined) return { pointer: example.pointer + inside(rest), detail }
      return { pointer: payload.pointer + pointer.slice('/schema'.length), detail }
    })
    throw new Problem(error.code, `Of the webhook ${JSON.stringify(name)}: ${error.message}`, {
      errors: places,
      cause: error,
    })
  }
}

async function importOne(db: Database, tx: Tx, type: DescribedType, leftOut: LeftOut[]): Promise<ImportedType> {
  const { name, pointer, description, group, payload } = type
  const { count } = await tx.eventType.createMany({ data: [{ name, description, group }], skipDuplicates: true })
  const known = await tx.eventType.findUnique({ where: { name } })
  if (known === null) {
    const variants = await selectCaseVariants(db.pool, [name])
    throw eventTypeNameTaken(name, variants.get(name) ?? name, pointer)
  }
  // What the document says nothing of stays as it is.
  const described = { ...(description !== null && { description }), ...(group !== null && { group }) }
  const isDescribed = known.description === (description ?? known.description) && known.group === (group ?? known.group)
  if (!isDescribed) await tx.eventType.update({ where: { name }, data: described })
  if (known.state === 'archived')
    leftOut.push({ pointer, reason: 'the event type stays archived; put it to make it active' })
  const latest = await tx.eventTypeVersion.findFirst({ where: { eventType: name }, orderBy: { version: 'desc' } })
  const isNew = payload !== null && !isSame(latest, payload)
  const input = payload && { schema: payload.schema, examples: payload.examples.map(({ value }) => value) }
  const added = isNew && input !== null ? await addVersion(tx, name, input) : null
  return {
    name,
    outcome: count === 1 ? 'created' : isDescribed && added === null ? 'unchanged' : 'updated',
    schemaPointer: payload?.pointer ?? null,
    version: added?.version ?? latest?.version ?? 0,
    comparison: added === null ? null : storedComparison(added),
  }
}

/** Written alike, the order of members included: that one is shown to people. */
function isSame(latest: EventTypeVersion | null, payload: NonNullable<DescribedType['payload']>): boolean {
  if (latest === null) return false
  const examples = payload.examples.map(({ value }) => value)
  return JSON.stringify([latest.schema, latest.examples]) === JSON.stringify([payload.schema, examples])
}
