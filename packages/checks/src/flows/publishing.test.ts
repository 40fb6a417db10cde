import { Problem } from '@posthorn/contract'
import { type Accepted, createPublisher, type Database, openDatabase } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { sentId, startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

test.each([
  ['a number beyond a double', '{"big":12345678901234567890123456789,"one":1.0,"e":1E400,"minus":-0}'],
  ['two keys of one name', '{"a":1,"a":2,"__proto__":{"x":1},"constructor":null}'],
  ['key order and spaces', ' {\n\t"b" : 1 ,\r\n "a":[ ] , "9":0,"1":0 } '],
  [
    'escapes of every kind',
    String.raw`{"u":"\u0041\u00e9\ud83d\ude00","lone":"\ud800","nul":"\u0000","s":"\/\"\\\b\f\n\r\t"}`,
  ],
  ['text of many scripts', '{"zoë":"漢字 😀 \u2028\u2029 \u200f עברית \u007f","":"\ufeff"}'],
  ['a single word', 'null'],
  ['a single text', '"</script><!--"'],
  ['a deep nest', `${'['.repeat(500)}${']'.repeat(500)}`],
  ['a quarter of a mebibyte', `{"x":"${'0123456789abcdef'.repeat(16 * 1024)}"}`],
])('the data arrives byte for byte and validly signed: %s', async (_what, data) => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  await posthorn.subscribe()
  await posthorn.publish({ data, timestamp: new Date(0) })
  await posthorn.recorded(1)
  expect(posthorn.receiver.requests).toMatchObject([
    { signature: 'valid', body: `{"type":"invoice.paid","timestamp":"1970-01-01T00:00:00.000Z","data":${data}}` },
  ])
})

test('an event published again under the same id is stored and delivered once, and says that it is a duplicate', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const first = await posthorn.publish({ publishId: 'invoice-1', data: '1' })
  const second = await posthorn.publish({ publishId: 'invoice-1', data: '2' })
  expect(first).toMatchObject({ duplicate: false, deliveries: [{ subscriptionId: subscription.id }] })
  const deliveries = first.deliveries.map(({ id, subscriptionId }) => ({ id, subscriptionId }))
  expect(second).toEqual({ eventId: first.eventId, duplicate: true, deliveries })
  await posthorn.publish({ publishId: 'invoice-2', data: '3' })
  await posthorn.recorded(2)
  expect(await rowCounts(posthorn.db)).toEqual({ events: 2, publishIds: 2, deliveries: 2, backlog: 0 })
  expect(posthorn.receiver.requests.filter((r) => r.headers['webhook-id'] === sentId(first.eventId))).toHaveLength(1)
})

test('fifty publishers of the same event at once store it once, and all are given the same event', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  // Four processes, each with its own share of the publishes.
  const publishers = Array.from({ length: 4 }, () => createPublisher(publisherParts(posthorn.db)))
  const draft = { tenantId: 'acme', type: 'invoice.paid', data: '{}', publishId: 'same' }
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, index) => publishers[index % publishers.length]?.publish(draft)),
  )
  expect(new Set(all.map((one) => one?.eventId)).size).toBe(1)
  expect(new Set(all.map((one) => one?.deliveries[0]?.id)).size).toBe(1)
  expect(all.filter((one) => one?.duplicate === false)).toHaveLength(1)
  expect(await rowCounts(posthorn.db)).toEqual({ events: 1, publishIds: 1, deliveries: 1, backlog: 1 })
})

test('of two drafts under one id in one batch the first is stored, and the second is its duplicate', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const draft = { tenantId: 'acme', type: 'invoice.paid' }
  // Many pairs, because the order of two ids made in the same millisecond is chance.
  const pairs = Array.from({ length: 40 }, (_, index) => `pair-${index}`)
  // Two drafts go at once and keep both transactions busy; the rest share one.
  const results = await posthorn.publisher.publishMany(
    ['a', 'b', ...pairs.flatMap((id) => [id, id])].map((publishId, index) => ({
      ...draft,
      publishId,
      data: `${index}`,
    })),
  )
  const accepted = results.slice(2).map(acceptedOnly)
  expect(accepted.map((one) => one.duplicate)).toEqual(pairs.flatMap(() => [false, true]))
  for (const [index] of pairs.entries()) expect(accepted[2 * index]?.eventId).toBe(accepted[2 * index + 1]?.eventId)
  const stored = await posthorn.db.prisma.event.findMany({ where: { publishId: { startsWith: 'pair-' } } })
  expect(stored.map((event) => Number(event.data)).sort((a, b) => a - b)).toEqual(
    pairs.map((_, index) => 2 + 2 * index),
  )
})

test('the same id means another event at another tenant', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe({ tenantId: 'acme' })
  await posthorn.subscribe({ tenantId: 'globex' })
  const one = await posthorn.publish({ tenantId: 'acme', publishId: 'same' })
  const other = await posthorn.publish({ tenantId: 'globex', publishId: 'same' })
  expect([one.duplicate, other.duplicate]).toEqual([false, false])
  expect(one.eventId).not.toBe(other.eventId)
})

test('a publish for an unknown tenant is refused and leaves nothing', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await expect(posthorn.publish({ tenantId: 'nobody' })).rejects.toMatchObject({
    code: 'tenant_not_found',
    status: 404,
  })
  expect(await rowCounts(posthorn.db)).toEqual({ events: 0, publishIds: 0, deliveries: 0, backlog: 0 })
})

test('an unknown event type is refused where types are not made on the fly, and made where they are', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const strict = createPublisher(publisherParts(posthorn.db, { createEventTypes: false }))
  const draft = { tenantId: 'acme', type: 'invoice.voided', data: '{}' }
  await expect(strict.publish(draft)).rejects.toMatchObject({ code: 'event_type_not_found', status: 422 })
  expect(await rowCounts(posthorn.db)).toMatchObject({ events: 0 })
  expect(await posthorn.publish({ type: 'invoice.voided' })).toMatchObject({ duplicate: false })
  expect(await strict.publish(draft)).toMatchObject({ duplicate: false })
})

test('an archived event type takes no more events', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await posthorn.db.prisma.eventType.create({ data: { name: 'invoice.paid', state: 'archived' } })
  await expect(posthorn.publish()).rejects.toMatchObject({ code: 'event_type_not_found', status: 422 })
})

test('data that does not fit its schema is refused where the type says so, and stored with the places where it warns', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const checkSchema = async () => [{ pointer: '/amount', detail: 'must be a number' }]
  const wrong = [{ pointer: '/data/amount', detail: 'must be a number' }]
  const publisher = createPublisher(publisherParts(posthorn.db, { checkSchema }))
  await posthorn.db.prisma.eventType.createMany({
    data: [
      { name: 'strict', validation: 'reject', latestVersion: 3 },
      { name: 'lenient', validation: 'warn', latestVersion: 3 },
      { name: 'unchecked', validation: 'off', latestVersion: 3 },
    ],
  })
  const publish = (type: string) => publisher.publish({ tenantId: 'acme', type, data: '{}' })
  await expect(publish('strict')).rejects.toMatchObject({
    code: 'payload_invalid',
    errors: wrong,
  })
  await publish('lenient')
  await publish('unchecked')
  const events = await posthorn.db.prisma.event.findMany({ orderBy: { type: 'asc' } })
  expect(events).toMatchObject([
    { type: 'lenient', schemaVersion: 3, validationErrors: wrong },
    { type: 'unchecked', schemaVersion: null, validationErrors: null },
  ])
})

test('the patterns of a subscription choose the events it gets', async () => {
  await using posthorn = await startTestPosthorn()
  const all = await posthorn.subscribe({ eventTypes: ['*'] })
  const invoices = await posthorn.subscribe({ eventTypes: ['invoice.*'] })
  const paid = await posthorn.subscribe({ eventTypes: ['user.created', '*.paid'] })
  const exact = await posthorn.subscribe({ eventTypes: ['user.created'] })
  await posthorn.subscribe({ eventTypes: ['*'], tenantId: 'globex' })
  const deleted = await posthorn.subscribe({ eventTypes: ['*'] })
  await posthorn.db.prisma.subscription.update({ where: { id: deleted.id }, data: { deletedAt: new Date() } })
  const chosen = async (type: string) =>
    (await posthorn.publish({ type })).deliveries.map((delivery) => delivery.subscriptionId).sort()
  expect(await chosen('invoice.paid')).toEqual([all.id, invoices.id, paid.id].sort())
  expect(await chosen('invoice.line.added')).toEqual([all.id, invoices.id].sort())
  expect(await chosen('invoice')).toEqual([all.id])
  expect(await chosen('user.created')).toEqual([all.id, paid.id, exact.id].sort())
})

test('an event for certain subscriptions goes to those alone, and only if they want its type and are the tenant’s', async () => {
  await using posthorn = await startTestPosthorn()
  const one = await posthorn.subscribe()
  await posthorn.subscribe()
  const unwilling = await posthorn.subscribe({ eventTypes: ['user.created'] })
  const foreign = await posthorn.subscribe({ tenantId: 'globex' })
  const accepted = await posthorn.publish({ subscriptionIds: [one.id, unwilling.id, foreign.id] })
  expect(accepted.deliveries.map((delivery) => delivery.subscriptionId)).toEqual([one.id])
  expect((await posthorn.publish({ subscriptionIds: [] })).deliveries).toEqual([])
})

test('an event that nobody wants is stored, accepted and owed to nobody', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe({ eventTypes: ['user.created'] })
  expect(await posthorn.publish()).toMatchObject({ duplicate: false, deliveries: [] })
  expect(await rowCounts(posthorn.db)).toEqual({ events: 1, publishIds: 0, deliveries: 0, backlog: 0 })
})

test('a bad draft in a batch fails alone: the others are stored, and each is told what became of it', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const draft = { tenantId: 'acme', type: 'invoice.paid', data: '{}' }
  const results = await posthorn.publisher.publishMany([
    draft,
    draft,
    { ...draft, publishId: 'good' },
    { ...draft, tenantId: 'nobody' },
    { ...draft, data: '"\0"', publishId: 'no text of PostgreSQL holds this' },
    { ...draft, keys: { invoice: 'no jsonb holds a \0' } },
    draft,
  ])
  expect(results.map((result) => (result instanceof Problem ? result.code : result.duplicate))).toEqual([
    false,
    false,
    false,
    'tenant_not_found',
    'internal_error',
    'internal_error',
    false,
  ])
  expect(await rowCounts(posthorn.db)).toEqual({ events: 4, publishIds: 1, deliveries: 4, backlog: 4 })
})

test('an event for which there is no partition is an error, and nothing of it is left behind', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const longAgo = { ...world, now: () => Date.UTC(2020, 0, 1) }
  const publisher = createPublisher(publisherParts(posthorn.db, { world: longAgo }))
  const draft = { tenantId: 'acme', type: 'invoice.paid', data: '{}', publishId: 'once' }
  await expect(publisher.publish(draft)).rejects.toThrow()
  expect(await rowCounts(posthorn.db)).toEqual({ events: 0, publishIds: 0, deliveries: 0, backlog: 0 })
  expect(await posthorn.publish({ publishId: 'once' })).toMatchObject({ duplicate: false })
})

test('a publish whose last row is refused leaves nothing of its first ones', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await withClient(posthorn.url, (client) =>
    client.query(`alter table backlog add constraint no_work_today check (next_attempt_at < '2000-01-01')`),
  )
  await expect(posthorn.publish({ publishId: 'once' })).rejects.toThrow()
  expect(await rowCounts(posthorn.db)).toEqual({ events: 0, publishIds: 0, deliveries: 0, backlog: 0 })
})

test('a database that goes away in the middle of a publish is an error, and what was not acknowledged can be published again', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await posthorn.publish({ data: '"before"' })
  await withClient(posthorn.url, async (other) => {
    // Another publisher is about to store the same id: the publish waits for its end.
    await other.query('begin')
    await other.query(`insert into event_publish_id values ('acme', 'once', gen_random_uuid())`)
    const published = posthorn.publish({ publishId: 'once' }).catch((error: unknown) => error)
    await expect.poll(() => sessionsWaitingForLocks(other)).toBe(1)
    await other.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'posthorn'`,
    )
    expect(await published).toMatchObject({ code: 'database_unavailable', status: 503 })
    await other.query('rollback')
  })
  expect(await rowCounts(posthorn.db)).toMatchObject({ events: 1, publishIds: 0 })
  expect(await posthorn.publish({ publishId: 'once' })).toMatchObject({ duplicate: false })
})

test('a database that cannot be reached at all refuses every publish', async () => {
  await using posthorn = await startTestPosthorn()
  const port1 = new URL(posthorn.url)
  port1.port = '1'
  await using away = openDatabase({ url: port1.href, poolSize: 1 })
  const publisher = createPublisher(publisherParts(away))
  const draft = { tenantId: 'acme', type: 'invoice.paid', data: '{}' }
  const results = await publisher.publishMany([draft, draft, draft])
  expect(results).toMatchObject(
    Array.from({ length: 3 }, () => ({ code: 'database_unavailable', retryAfterSeconds: 1 })),
  )
})

test('more publishes than can wait are refused at once, and exactly the accepted ones are stored', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const drafts = Array.from({ length: 6_500 }, () => ({ tenantId: 'acme', type: 'invoice.paid', data: '{}' }))
  const results = await posthorn.publisher.publishMany(drafts)
  const refused = results.filter((result) => result instanceof Problem)
  expect(new Set(refused.map((problem) => problem.code))).toEqual(new Set(['overloaded']))
  expect(refused.length).toBeGreaterThan(1_000)
  const accepted = results.length - refused.length
  expect(await rowCounts(posthorn.db)).toMatchObject({ events: accepted, deliveries: accepted, backlog: accepted })
})

type PublisherParts = Parameters<typeof createPublisher>[0]

function publisherParts(db: Database, over: Partial<PublisherParts> = {}): PublisherParts {
  return { db, world, checkSchema: async () => [], createEventTypes: true, onWork: () => undefined, ...over }
}

function acceptedOnly(result: Accepted | Problem): Accepted {
  if (result instanceof Problem) throw result
  return result
}

async function rowCounts({ prisma }: TestPosthorn['db']) {
  const [events, publishIds, deliveries, backlog] = await Promise.all([
    prisma.event.count(),
    prisma.eventPublishId.count(),
    prisma.delivery.count(),
    prisma.backlog.count(),
  ])
  return { events, publishIds, deliveries, backlog }
}

async function sessionsWaitingForLocks(client: { query(text: string): Promise<{ rows: { waiting: number }[] }> }) {
  const { rows } = await client.query(
    `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]?.waiting
}
