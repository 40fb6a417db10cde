/**
 * Publishing: a draft becomes a stored event and its deliveries, or an error, and nothing in between.
 *
 * What is promised: when `publish` resolves, the event, its deliveries and the work for the dispatcher are committed.
 * Concurrent calls share one transaction (`batcher.ts`); a bad draft fails alone.
 */
import { isReservedEventType, Problem, type ProblemPlace, type Uuid } from '@posthorn/contract'
import { createAscendingIds } from './ascending-ids.ts'
import { BatcherFull, createBatcher } from './batcher.ts'
import type { Database } from './db/database.ts'
import { insertEvents, type NewDelivery, type NewEvent } from './db/sql/insert-events.ts'
import { type AudienceRow, selectAudience } from './db/sql/select-audience.ts'
import { selectCaseVariants } from './db/sql/select-case-variants.ts'
import { type EventTypeRow, selectEventTypes } from './db/sql/select-event-types.ts'
import { type PublishedRow, selectPublished } from './db/sql/select-published.ts'
import { isDatabaseUnavailable } from './db/unavailable.ts'
import { type DryRun, requestsFor, type ShowingMeans } from './dry-run.ts'
import { eventTypeNameTaken } from './event-type-names.ts'
import { createFilterReader, type FilterReader } from './filters.ts'
import { keysOfEvent } from './key-pointers.ts'
import { type Candidate, explainMatching, matching } from './matching.ts'
import { eventTypeReserved } from './reserved-event-types.ts'
import type { DueWork } from './work-hints.ts'
import { newUuid, type World } from './world.ts'

/** Drafts in one transaction at the most, and the bytes of their data. */
const batchEventsMax = 500
const batchBytesMax = 8 * 1024 * 1024
/** Transactions of one process under way at once. Two keep the disk busy while the next batch gathers. */
const batchesParallel = 2
/** Drafts that may wait for their transaction; beyond it publishers are told to come back. */
const draftsWaitingMax = 5_000
/** What a publisher is told to wait when too many are waiting, in seconds. */
const overloadedRetryAfterSeconds = 1

export type EventDraft = {
  tenantId: string
  type: string
  /** The exact JSON text of `data`, valid by the caller's word. */
  data: string
  /** When it happened; the time of publishing when absent. */
  timestamp?: Date
  /** The publisher's own id: the same one again is the same event. */
  publishId?: string
  /** In place of an id of the publisher's own: what makes a repeated request the same event. Never shown. */
  onceId?: string
  keys?: Record<string, string>
  /** What its requests carry besides, as `customHeaders` gives it. */
  headers?: Record<string, string>
  traceparent?: string
  /** Only these of the tenant's subscriptions, and only if they want the event. */
  subscriptionIds?: readonly Uuid[]
}

export type Accepted = {
  eventId: Uuid
  /** The event had been published before under the same `publishId`; nothing was stored or sent now. */
  duplicate: boolean
  deliveries: readonly { id: Uuid; subscriptionId: Uuid }[]
}

export type Publisher = {
  /** @throws Problem `tenant_not_found`, `event_type_not_found`, `event_type_reserved`, `payload_invalid`, `overloaded`, `database_unavailable` */
  publish(draft: EventDraft): Promise<Accepted>
  /** Each draft on its own: one result a draft, in order, accepted or refused. */
  publishMany(drafts: readonly EventDraft[]): Promise<readonly (Accepted | Problem)[]>
  /**
   * What `publish` would do. Nothing is stored, not even an unknown event type.
   *
   * @param showing what requests are made with
   * @throws Problem as `publish` does
   */
  dryRun(draft: EventDraft, showing: ShowingMeans): Promise<DryRun>
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
}

export type PublisherParts = {
  db: Database
  world: World
  /** Holds data to the schema of its event type; an empty list means that it fits. */
  checkSchema(eventType: string, version: number, data: string): Promise<readonly ProblemPlace[]>
  /** Unknown event types are created on the fly. */
  createEventTypes: boolean
  /** Unknown tenants are made known on the fly. */
  createTenants?: boolean
  /** It may publish what only Posthorn itself publishes. */
  reserved?: boolean
  /**
   * Told after the commit which shards have work, and of which subscriptions. A hint: whoever misses it finds the work
   * anyway.
   */
  onWork(shards: ReadonlySet<number>, due: readonly DueWork[]): void
}

/** With what the publisher remembers. */
type Publishing = PublisherParts & { readFilter: FilterReader }

/** Builds the publisher. One a process. */
export function createPublisher(given: PublisherParts): Publisher {
  const parts: Publishing = { ...given, readFilter: createFilterReader() }
  const sequence: Sequence = { nextId: createAscendingIds(given.world), earlier: Promise.resolve() }
  const batcher = createBatcher<EventDraft, Accepted | Problem>({
    run: (drafts) => inSequence(sequence, (earlier) => publishTogether(parts, drafts, { ...sequence, earlier })),
    itemsMax: batchEventsMax,
    parallel: batchesParallel,
    waitingMax: draftsWaitingMax,
    weigh: weightOf,
    weightMax: batchBytesMax,
    // A statement that the server refused has left nothing behind; a lost connection may have committed.
    mayRunAlone: (error) => !isDatabaseUnavailable(error),
  })

  async function publishOne(draft: EventDraft): Promise<Accepted | Problem> {
    try {
      return await batcher.add(draft)
    } catch (error) {
      return refusal(error)
    }
  }

  return {
    async publish(draft) {
      const result = await publishOne(draft)
      if (result instanceof Problem) throw result
      return result
    },
    publishMany: (drafts) => Promise.all(drafts.map((draft) => publishOne(draft).catch(ourFault))),
    dryRun: (draft, showing) => dryRun(parts, draft, showing),
    idle: () => batcher.idle(),
  }
}

/**
 * Publishes what can be, and answers for all, each in its place: what is a refusal already is its own answer.
 */
export async function publishInOrder(
  publisher: Pick<Publisher, 'publishMany'>,
  drafts: readonly (EventDraft | Problem)[],
): Promise<(Accepted | Problem)[]> {
  const answers = await publisher.publishMany(
    drafts.filter((draft): draft is EventDraft => !(draft instanceof Problem)),
  )
  const rest = answers.values()
  return drafts.map((draft) => {
    if (draft instanceof Problem) return draft
    const next = rest.next()
    return next.done ? ourFault(new Error('The publisher answered for fewer events than it was given')) : next.value
  })
}

/** Bytes, about. */
function weightOf({ data, headers }: EventDraft): number {
  const texts = headers === undefined ? [] : Object.entries(headers).flat()
  return texts.reduce((sum, text) => sum + text.length, data.length)
}

/** What keeps deliveries of ordered subscriptions in the order in which their events came to this process. */
type Sequence = {
  /** Ids of deliveries, each greater than all before. */
  nextId(): Uuid
  /** Resolves when the transactions that began earlier have ended. */
  earlier: Promise<unknown>
}

/** Runs a transaction beside others, and lets those behind it wait for it if they must. */
function inSequence<T>(sequence: Sequence, run: (earlier: Promise<unknown>) => Promise<T>): Promise<T> {
  const { earlier } = sequence
  const running = run(earlier)
  sequence.earlier = Promise.allSettled([earlier, running])
  return running
}

async function publishTogether(
  parts: Publishing,
  drafts: readonly EventDraft[],
  sequence: Sequence,
): Promise<(Accepted | Problem)[]> {
  const { db } = parts
  const [audience, eventTypes] = await Promise.all([
    selectAudience(db.pool, [...new Set(drafts.map((draft) => draft.tenantId))]),
    knownEventTypes(parts, [...new Set(drafts.map((draft) => draft.type))], { create: true }),
  ])
  const candidates = candidatesByTenant(audience)
  await admitTenants(parts, drafts, candidates, { create: true })

  // Otherwise a later transaction might commit first, and its deliveries be sent first.
  if (audience.some((row) => row.ordered)) await sequence.earlier
  const plans = await Promise.all(
    drafts.map((draft) => plan(parts, draft, candidates.get(draft.tenantId), eventTypes.get(draft.type))),
  )
  const good = plans.filter((one): one is Plan => !(one instanceof Problem))
  if (good.length === 0) return plans.filter((one) => one instanceof Problem)

  const deliveries = good.flatMap((one) => one.deliveries)
  for (const delivery of deliveries) delivery.id = sequence.nextId()
  const fresh = await insertEvents(
    db.pool,
    good.map((one) => one.event),
    deliveries,
  )
  const due = deliveries.filter((delivery) => fresh.has(delivery.eventId) && !delivery.held)
  if (due.length > 0) parts.onWork(new Set(due.map((delivery) => delivery.shard)), dueWork(due, audience))

  const earlier = await publishedBefore(
    db,
    good.map((one) => one.event).filter((event) => !fresh.has(event.id)),
  )
  return plans.map((one) => {
    if (one instanceof Problem) return one
    if (fresh.has(one.event.id)) return { eventId: one.event.id, duplicate: false, deliveries: one.deliveries }
    return earlier(one.event)
  })
}

/** The subscriptions of these deliveries, as far as a claim must know them. */
function dueWork(due: readonly NewDelivery[], audience: readonly AudienceRow[]): DueWork[] {
  const ids = new Set(due.map((delivery) => delivery.subscriptionId))
  return audience.flatMap((row) =>
    row.subscription_id === null || !ids.has(row.subscription_id)
      ? []
      : {
          subscriptionId: row.subscription_id,
          tenantId: row.tenant_id,
          shard: row.shard,
          maxInFlight: row.max_in_flight,
          ratePerSecond: row.rate_limit_per_second,
          ordered: row.ordered,
        },
  )
}

/** Deliveries get their ids when all drafts are planned, in the order of the drafts. */
const unnumbered: Uuid = ''

type Plan = { event: NewEvent; deliveries: NewDelivery[]; wrong: readonly ProblemPlace[] }

/** Everything about a draft that can be decided before the transaction. */
async function plan(
  parts: Publishing,
  draft: EventDraft,
  candidates: readonly AudienceCandidate[] | undefined,
  eventType: KnownEventType | undefined,
): Promise<Plan | Problem> {
  if (candidates === undefined) {
    return new Problem(
      'tenant_not_found',
      `There is no tenant "${draft.tenantId}". Create it with PUT /v1/tenants/${draft.tenantId}.`,
      {
        errors: [{ pointer: '/tenant', detail: 'is not a known tenant' }],
      },
    )
  }
  if (isReservedEventType(draft.type) && parts.reserved !== true) return eventTypeReserved(draft.type, '/type')
  if (eventType?.variant !== undefined) return eventTypeNameTaken(draft.type, eventType.variant, '/type')
  if (eventType === undefined || eventType.state !== 'active') {
    const [state, way] =
      eventType === undefined ? ['is not known', 'Create it'] : ['is archived', 'Make it active again']
    return new Problem(
      'event_type_not_found',
      `The event type "${draft.type}" ${state}. ${way} with PUT /v1/event-types/${draft.type}.`,
      {
        status: 422,
        errors: [{ pointer: '/type', detail: state }],
      },
    )
  }
  const wrong = await schemaErrors(parts, draft, eventType)
  if (wrong.length > 0 && eventType.validation === 'reject') {
    return new Problem(
      'payload_invalid',
      `The data does not fit version ${eventType.latest_version} of "${draft.type}".`,
      { errors: wrong },
    )
  }
  const event: NewEvent = {
    id: newUuid(parts.world),
    tenantId: draft.tenantId,
    type: draft.type,
    timestamp: draft.timestamp ?? new Date(parts.world.now()),
    data: draft.data,
    keys: keysOfEvent(draft.keys ?? {}, eventType.key_pointers, draft.data),
    publishId: draft.publishId ?? null,
    onceId: draft.onceId ?? null,
    headers: Object.keys(draft.headers ?? {}).length > 0 ? (draft.headers ?? null) : null,
    traceparent: draft.traceparent ?? null,
    schemaVersion: eventType.validation !== 'off' && eventType.latest_version > 0 ? eventType.latest_version : null,
    validationErrors: wrong.length > 0 ? JSON.stringify(wrong) : null,
  }
  return { event, deliveries: match(parts, event, candidates, draft.subscriptionIds), wrong }
}

function match(
  { readFilter }: Publishing,
  event: NewEvent,
  candidates: readonly AudienceCandidate[],
  chosen: readonly Uuid[] | undefined,
): NewDelivery[] {
  return matching(readFilter, event, candidates, chosen).map(({ subscriptionId, shard, state }) => ({
    id: unnumbered,
    eventId: event.id,
    subscriptionId,
    shard,
    held: state !== 'active',
  }))
}

type AudienceCandidate = Candidate & { shard: number; state: string }

/** Every tenant that exists, with its live subscriptions. */
function candidatesByTenant(audience: readonly AudienceRow[]): Map<string, AudienceCandidate[]> {
  const byTenant = new Map<string, AudienceCandidate[]>()
  for (const { tenant_id: tenantId, subscription_id: subscriptionId, event_types, filter, shard, state } of audience) {
    const candidates = byTenant.get(tenantId) ?? []
    if (candidates.length === 0) byTenant.set(tenantId, candidates)
    if (subscriptionId !== null) candidates.push({ subscriptionId, eventTypes: event_types, filter, shard, state })
  }
  return byTenant
}

/** Where unknown tenants are made known on the fly, they are from here on, and have no subscriptions yet. */
async function admitTenants(
  { createTenants, db }: Publishing,
  drafts: readonly EventDraft[],
  candidates: Map<string, AudienceCandidate[]>,
  { create }: { create: boolean },
): Promise<void> {
  const missing = [...new Set(drafts.map(({ tenantId }) => tenantId))].filter((id) => !candidates.has(id))
  if (createTenants !== true || missing.length === 0) return
  if (create) await db.prisma.tenant.createMany({ data: missing.map((id) => ({ id })), skipDuplicates: true })
  for (const id of missing) candidates.set(id, [])
}

async function dryRun(parts: Publishing, draft: EventDraft, showing: ShowingMeans): Promise<DryRun> {
  const { db, readFilter } = parts
  const [audience, eventTypes] = await Promise.all([
    selectAudience(db.pool, [draft.tenantId]),
    knownEventTypes(parts, [draft.type], { create: false }),
  ])
  const candidatesOf = candidatesByTenant(audience)
  await admitTenants(parts, [draft], candidatesOf, { create: false })
  const known = candidatesOf.get(draft.tenantId)
  const planned = await plan(parts, draft, known, eventTypes.get(draft.type))
  if (planned instanceof Problem) throw planned
  const { event, deliveries } = planned
  const { publishId, tenantId } = event
  const earlier = publishId === null ? [] : await selectPublished(db.pool, [{ tenantId, publishId }])
  const duplicate = earlier.length > 0
  const addressees = duplicate ? [] : deliveries.map((delivery) => delivery.subscriptionId)
  const requests = await requestsFor({ db, ...showing }, event, addressees)
  const candidates = (known ?? []).toSorted((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1))
  const verdicts = explainMatching(readFilter, event, candidates, draft.subscriptionIds)
  return {
    duplicate,
    validationErrors: planned.wrong,
    matches: verdicts.map((verdict, index) => {
      const { subscriptionId = '', state = '' } = candidates[index] ?? {}
      const shown = requests.get(subscriptionId) ?? { request: null, transformFailure: null }
      return { ...verdict, subscriptionId, state, ...shown }
    }),
  }
}

/** Where the data breaks its schema, as pointers into the event, alike in a refusal and beside a stored event. */
async function schemaErrors(
  parts: PublisherParts,
  draft: EventDraft,
  eventType: EventTypeRow,
): Promise<readonly ProblemPlace[]> {
  if (eventType.validation === 'off' || eventType.latest_version === 0) return []
  const places = await parts.checkSchema(draft.type, eventType.latest_version, draft.data)
  return places.map(({ pointer, detail }) => ({ pointer: `/data${pointer}`, detail }))
}

/** One that another one keeps from being made has the name of that one as its `variant`. */
type KnownEventType = EventTypeRow & { variant?: string }

async function knownEventTypes(
  parts: PublisherParts,
  names: readonly string[],
  { create }: { create: boolean },
): Promise<Map<string, KnownEventType>> {
  const rows = await selectEventTypes(parts.db.pool, names)
  const known = new Map<string, KnownEventType>(rows.map((row) => [row.name, row]))
  const missing = names.filter((name) => !known.has(name) && !isReservedEventType(name))
  if (parts.createEventTypes && missing.length > 0) {
    if (create) {
      await parts.db.prisma.eventType.createMany({ data: missing.map((name) => ({ name })), skipDuplicates: true })
    }
    const taken = await selectCaseVariants(parts.db.pool, missing)
    for (const name of missing) {
      const variant = taken.get(name)
      known.set(name, {
        name,
        state: 'active',
        validation: 'off',
        latest_version: 0,
        key_pointers: {},
        ...(variant && { variant }),
      })
    }
  }
  return known
}

/** How to answer for events that were published before. */
async function publishedBefore(db: Database, repeated: readonly NewEvent[]): Promise<(event: NewEvent) => Accepted> {
  const asked = repeated.map((event) => ({ tenantId: event.tenantId, publishId: identityOf(event) }))
  const rows = asked.length === 0 ? [] : await selectPublished(db.pool, asked)
  const byIdentity = Map.groupBy(rows, (row) => identity(row.tenant_id, row.publish_id))
  return (event) => {
    const found = byIdentity.get(identity(event.tenantId, identityOf(event))) ?? []
    const deliveries = new Map(found.flatMap(deliveryOf))
    return {
      eventId: found[0]?.event_id ?? event.id,
      duplicate: true,
      deliveries: [...deliveries].map(([id, subscriptionId]) => ({ id, subscriptionId })),
    }
  }
}

function deliveryOf(row: PublishedRow): [Uuid, Uuid][] {
  return row.delivery_id !== null && row.subscription_id !== null ? [[row.delivery_id, row.subscription_id]] : []
}

function identityOf({ publishId, onceId }: NewEvent): string {
  return publishId ?? onceId ?? ''
}

function identity(tenantId: string, publishId: string): string {
  return JSON.stringify([tenantId, publishId])
}

/** What a publisher is told when a draft could not be stored. Anything unexpected goes up as it is. */
function refusal(error: unknown): Problem {
  if (error instanceof BatcherFull) {
    return new Problem(
      'overloaded',
      'Too many events are waiting to be stored. Nothing of this one was stored; publish it again.',
      {
        retryAfterSeconds: overloadedRetryAfterSeconds,
        cause: error,
      },
    )
  }
  if (isDatabaseUnavailable(error)) {
    return new Problem(
      'database_unavailable',
      'The database does not answer, so the event may not have been stored. Publish it again, with its own `id` to be safe.',
      { retryAfterSeconds: overloadedRetryAfterSeconds, cause: error },
    )
  }
  throw error
}

/** In a batch, a fault of ours at one draft says nothing about the others, which may be stored already. */
function ourFault(error: unknown): Problem {
  return new Problem('internal_error', 'This event could not be stored because of a fault of ours.', { cause: error })
}
