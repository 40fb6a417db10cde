/**
 * Finds out what a text is. Each kind of text is looked up by an index, as a whole, so the cost does not grow with what is
 * stored; nothing is compared with a pattern.
 */
import {
  type IdNoun,
  limits,
  parseId,
  type SearchKind,
  type SearchMatch,
  tenantIdPattern,
  type Uuid,
  uuidTime,
} from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { findByKey } from './db/sql/find-by-key.ts'
import { findByTrace } from './db/sql/find-by-trace.ts'
import { findPublished } from './db/sql/find-published.ts'
import { selectEvent } from './db/sql/select-event.ts'
import { inTenant, type Within } from './tenancy.ts'

/** Something that a text names. */
export type Found = {
  kind: SearchKind
  /** A name for an event type, the operator's own id for a tenant. */
  id: string
  tenantId: string | null
  matched: SearchMatch
  /** The name of the business key. */
  key: string | null
  /** Unix milliseconds. */
  createdMs: number
  /** The delivery that an attempt was made for. */
  deliveryId?: Uuid
}

const traceIdForm = /^[0-9a-f]{32}$/
const traceparentForm = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/
const tenantIdForm = new RegExp(tenantIdPattern, 'u')
/** `order=ord_42`: a name and a value. */
const keyForm = new RegExp(`^([A-Za-z0-9_.-]{1,${limits.businessKeyLengthMax}})=(.+)$`, 'su')

/** @param kinds what the caller may read; nothing else is looked for */
export async function search(
  db: Database,
  text: string,
  { within, kinds }: { within: Within; kinds: ReadonlySet<SearchKind> },
): Promise<{ found: Found[]; hasMore: boolean }> {
  const asked = text.trim()
  if (asked === '') return { found: [], hasMore: false }
  const [named, events] = await Promise.all([
    Promise.all([
      ...ids.map(([noun, find]) => (kinds.has(noun) ? findId(noun, asked, (id) => find(db, id, within)) : null)),
      kinds.has('tenant') ? findTenant(db, asked, within) : null,
      kinds.has('event_type') ? findEventType(db, asked) : null,
    ]),
    kinds.has('event') ? findEvents(db, asked, within ?? null) : [],
  ])
  const known = new Set(named.flatMap((one) => (one?.kind === 'event' ? one.id : [])))
  const newest = firstOfEach(events.filter((one) => !known.has(one.id)))
  return {
    found: [...named.filter((one) => one !== null), ...newest.slice(0, limits.searchHitsMax)],
    hasMore: newest.length > limits.searchHitsMax,
  }
}

type Owned = { tenantId: string | null; deliveryId?: Uuid } | null
type FindId = (db: Database, id: Uuid, within: Within) => Promise<Owned>

const tenantOnly = { tenantId: true } as const

/** What has ids of ours. Each keeps to the caller's tenant. */
const ids: readonly (readonly [IdNoun & SearchKind, FindId])[] = [
  [
    'event',
    async ({ pool }, id, within) => {
      const row = await selectEvent(pool, id, within ?? null)
      return row === undefined ? null : { tenantId: row.tenant_id }
    },
  ],
  [
    'delivery',
    ({ prisma }, id, within) => prisma.delivery.findFirst({ where: { ...inTenant(within), id }, select: tenantOnly }),
  ],
  [
    'attempt',
    ({ prisma }, id, within) =>
      prisma.attempt.findFirst({ where: { ...inTenant(within), id }, select: { tenantId: true, deliveryId: true } }),
  ],
  [
    'subscription',
    ({ prisma }, id, within) =>
      prisma.subscription.findFirst({ where: { ...inTenant(within), id, deletedAt: null }, select: tenantOnly }),
  ],
  [
    'replay',
    ({ prisma }, id, within) => prisma.replay.findFirst({ where: { ...inTenant(within), id }, select: tenantOnly }),
  ],
  [
    'api_key',
    ({ prisma }, id, within) => prisma.apiKey.findFirst({ where: { ...inTenant(within), id }, select: tenantOnly }),
  ],
]

async function findId(
  noun: IdNoun & SearchKind,
  text: string,
  find: (id: Uuid) => Promise<Owned>,
): Promise<Found | null> {
  const id = parseId(noun, text.toLowerCase())
  const owned = id === undefined ? null : await find(id)
  if (id === undefined || owned === null) return null
  return { kind: noun, id, matched: 'id', key: null, createdMs: uuidTime(id), ...owned }
}

async function findTenant(db: Database, id: string, within: Within): Promise<Found | null> {
  if (!tenantIdForm.test(id) || (within !== undefined && within !== id)) return null
  const tenant = await db.prisma.tenant.findUnique({ where: { id }, select: { createdAt: true } })
  return tenant && { kind: 'tenant', id, tenantId: id, matched: 'id', key: null, createdMs: tenant.createdAt.getTime() }
}

/** Event types are nobody's, and everybody may read them. */
async function findEventType(db: Database, name: string): Promise<Found | null> {
  const row = await db.prisma.eventType.findUnique({ where: { name }, select: { createdAt: true } })
  return (
    row && {
      kind: 'event_type',
      id: name,
      tenantId: null,
      matched: 'id',
      key: null,
      createdMs: row.createdAt.getTime(),
    }
  )
}

/** By everything but their own ids, newest first. */
async function findEvents(db: Database, text: string, tenantId: string | null): Promise<Found[]> {
  const { pool } = db
  const rowsMax = limits.searchHitsMax + 1
  const traceId = traceIdForm.exec(text.toLowerCase())?.[0] ?? traceparentForm.exec(text.toLowerCase())?.[1]
  const [, name, value] = keyForm.exec(text) ?? []
  const [published, ofTrace, ofValue, ofKey] = await Promise.all([
    findPublished(pool, tenantId, text, rowsMax),
    traceId === undefined ? [] : findByTrace(pool, tenantId, traceId, rowsMax),
    findByKey(pool, { tenantId, name: null, value: text }, rowsMax),
    name === undefined || value === undefined ? [] : findByKey(pool, { tenantId, name, value }, rowsMax),
  ])
  const found = (matched: SearchMatch) => (row: { id: Uuid; tenant_id: string; name?: string }) => ({
    kind: 'event' as const,
    id: row.id,
    tenantId: row.tenant_id,
    matched,
    key: row.name ?? null,
    createdMs: uuidTime(row.id),
  })
  return [
    ...published.map(found('publish_id')),
    ...ofTrace.map(found('trace_id')),
    ...[...ofValue, ...ofKey].map(found('business_key')),
  ].sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
}

/** An event may be found by several things of it. */
function firstOfEach(found: readonly Found[]): Found[] {
  const ids = new Set<string>()
  return found.filter((one) => !ids.has(one.id) && ids.add(one.id))
}
