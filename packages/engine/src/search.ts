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
import { findByIdempotencyKey, type KeyedRequestRow } from './db/sql/find-by-idempotency-key.ts'
import { findByKey } from './db/sql/find-by-key.ts'
import { findByTrace } from './db/sql/find-by-trace.ts'
import { type FoundEvent, findPublished } from './db/sql/find-published.ts'
import { selectEvent } from './db/sql/select-event.ts'
import { onceIdOf } from './idempotency.ts'
import { inTenant, type Within } from './tenancy.ts'

/** Something that a text names. */
export type Found = {
  kind: SearchKind
  /** A name for an event type, the operator's own id for a tenant, an idempotency key itself. */
  id: string
  tenantId: string | null
  matched: SearchMatch
  /** The name of the business key. */
  key: string | null
  /** Unix milliseconds. */
  createdMs: number
  /** The delivery that an attempt was made for. */
  deliveryId?: Uuid
  /** What was made under an idempotency key. */
  request?: KeyedRequest
}

/** A request that was made under an idempotency key. */
export type KeyedRequest = {
  /** Null for requests that were begun before this was kept. */
  operation: string | null
  /** What was answered is known. */
  answered: boolean
  /** The events that it published, as far as they are told. */
  eventIds: readonly Uuid[]
}

const traceIdForm = /^[0-9a-f]{32}$/
const traceparentForm = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/
const tenantIdForm = new RegExp(tenantIdPattern, 'u')
/** As the header has it: in quotes, or bare. */
const quotedForm = /^"(.*)"$/s
/** Of a request that published one event, the event is known also when the answer was lost. */
const publishOne = 'publishEvent'
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
  const [named, events, keyed] = await Promise.all([
    Promise.all([
      ...ids.map(([noun, find]) => (kinds.has(noun) ? findId(noun, asked, (id) => find(db, id, within)) : null)),
      kinds.has('tenant') ? findTenant(db, asked, within) : null,
      kinds.has('event_type') ? findEventType(db, asked) : null,
    ]),
    kinds.has('event') ? findEvents(db, asked, within ?? null) : [],
    kinds.has('idempotency_key') ? findKeyed(db, quotedForm.exec(asked)?.[1] ?? asked, within) : nothingKeyed,
  ])
  const known = new Set(named.flatMap((one) => (one?.kind === 'event' ? one.id : [])))
  const newest = firstOfEach([...events, ...keyed.events].filter((one) => !known.has(one.id)).sort(newestFirst))
  return {
    found: [...named.filter((one) => one !== null), ...keyed.requests, ...newest.slice(0, limits.searchHitsMax)],
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

/** By everything but their own ids and idempotency keys. */
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
  return [
    ...published.map(eventFound('publish_id')),
    ...ofTrace.map(eventFound('trace_id')),
    ...[...ofValue, ...ofKey].map(eventFound('business_key')),
  ]
}

function eventFound(matched: SearchMatch): (row: FoundEvent & { name?: string }) => Found {
  return (row) => ({
    kind: 'event',
    id: row.id,
    tenantId: row.tenant_id,
    matched,
    key: row.name ?? null,
    createdMs: uuidTime(row.id),
  })
}

type Keyed = { requests: Found[]; events: Found[] }
const nothingKeyed: Keyed = { requests: [], events: [] }

/**
 * What was asked for under an idempotency key, and what that published. The requests are those of the caller's tenant, the
 * events too, whoever published them.
 */
async function findKeyed(db: Database, key: string, within: Within): Promise<Keyed> {
  const rows = await findByIdempotencyKey(db.pool, { tenantId: within ?? null, key }, limits.searchHitsMax + 1)
  const records = [...Map.groupBy(rows, ({ id }) => id).values()]
  const keyed = await Promise.all(
    records.map(async ([record, ...rest]) => {
      if (record === undefined) return nothingKeyed
      const published = [record, ...rest].flatMap(eventOf)
      const events = [...published, ...(await publishedUnanswered(db, record, within))]
      const { tenant_id: tenantId, operation, answered } = record
      const request: Found = {
        kind: 'idempotency_key',
        id: key,
        tenantId,
        matched: 'id',
        key: null,
        createdMs: record.begun_at.getTime(),
        request: { operation, answered, eventIds: [...new Set(events.map(({ id }) => id))] },
      }
      const isTheirs = within === undefined || tenantId === within
      return { requests: isTheirs ? [request] : [], events: events.map(eventFound('idempotency_key')) }
    }),
  )
  return {
    requests: keyed.flatMap(({ requests }) => requests).slice(0, limits.searchHitsMax),
    events: keyed.flatMap(({ events }) => events),
  }
}

function eventOf({ event_id: id, event_tenant_id: tenantId }: KeyedRequestRow): FoundEvent[] {
  return id === null || tenantId === null ? [] : [{ id, tenant_id: tenantId }]
}

/** The event of a request whose process died between its commit and its answer. */
async function publishedUnanswered(db: Database, record: KeyedRequestRow, within: Within): Promise<FoundEvent[]> {
  if (record.answered || record.operation !== publishOne) return []
  const found = await findPublished(db.pool, within ?? record.tenant_id, onceIdOf(record), 1)
  const events = await Promise.all(found.map(({ id, tenant_id: tenantId }) => selectEvent(db.pool, id, tenantId)))
  return events.flatMap((event) => (event === undefined || event.erased_at !== null ? [] : event))
}

function newestFirst(a: Found, b: Found): number {
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0
}

/** An event may be found by several things of it. */
function firstOfEach(found: readonly Found[]): Found[] {
  const ids = new Set<string>()
  return found.filter((one) => !ids.has(one.id) && ids.add(one.id))
}
