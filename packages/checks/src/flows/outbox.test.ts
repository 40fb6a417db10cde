/** Publishing inside a transaction of the publisher's own: the outbox, from the SDK's function to the receiver. */
import { formatId } from '@posthorn/contract'
import { createPublisher, openDatabase, type Publisher, publishOutbox } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { type EventInTransaction, publishInTransaction } from '@posthorn/sdk/transaction'
import { expect, test } from 'vitest'
import { startPosthornProcess } from '../faults/posthorn-process.ts'
import { startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

/** Headers that no event may set; the SDK has this list of its own. */
const reservedNames = [
  ...[
    'Host',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'upgrade',
    'te',
    'trailer',
    'expect',
    'cookie',
    'cookie2',
  ],
  ...['authorization', 'forwarded', 'user-agent', 'via', 'http2-settings', 'Content-Type', 'proxy-a', 'sec-a'],
  ...['x-forwarded-for', 'webhook-id', 'posthorn-a', 'ce-id'],
]
const invoice: EventInTransaction = { tenant: 'acme', type: 'invoice.paid', data: { total: 1200 } }

test('an event is published when the transaction that wrote it commits, and not when it rolls back', async () => {
  await using posthorn = await startTestPosthorn()
  const { db, receiver } = posthorn
  await posthorn.subscribe()
  await posthorn.dispatch()
  const rolledBack = db.prisma.$transaction(async (tx) => {
    await publishInTransaction(tx, { ...invoice, data: 'rolled back' })
    throw new RangeError('the business said no')
  })
  await expect(rolledBack).rejects.toThrow('the business said no')
  const { id } = await db.prisma.$transaction(async (tx) => {
    await tx.tenant.create({ data: { id: 'made-with-it' } })
    return publishInTransaction(tx, invoice)
  })
  await posthorn.received(1)
  expect(receiver.requests).toMatchObject([{ signature: 'valid', body: expect.stringContaining('{"total":1200}') }])
  expect(await db.prisma.tenant.count({ where: { id: 'made-with-it' } })).toBe(1)
  expect(await db.prisma.event.findMany()).toMatchObject([{ publishId: id }])
  expect(await db.prisma.outboxEvent.count()).toBe(0)
})

test('what was written with pg or by SQL is stored as the API would have stored it', async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  const chosen = await posthorn.subscribe()
  await posthorn.subscribe()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const timestamp = new Date('2026-11-20T10:00:00.125Z')
  const keys = { order: 'ord_42', 'a.b': 'ü' }
  const data = '{"big":12345678901234567890,"one":1.0,"one":1.0, "text":"\\u00e9"}'
  const headers = { 'x-region': 'eu', 'x-empty': '' }
  const draft = { type: 'invoice.paid', data, timestamp, keys, headers, traceparent, subscriptionIds: [chosen.id] }
  await posthorn.publish(draft)
  const wire = formatId('subscription', chosen.id)
  await withClient(posthorn.url, (client) =>
    client.query(
      `insert into outbox_event (tenant_id, type, data, timestamp, keys, traceparent, subscriptions, headers)
       values ('acme', 'invoice.paid', $1, $2, $3, $4, $5, $6)`,
      [data, timestamp, keys, traceparent, [wire], { 'X-Region': 'eu', 'x-empty': '' }],
    ),
  )
  expect(await empty(posthorn)).toBe(1)
  const [byApi, byOutbox] = await db.prisma.event.findMany({ orderBy: { id: 'asc' } })
  const alike = { id: '', createdAt: null, publishId: null }
  expect({ ...byOutbox, ...alike }).toEqual({ ...byApi, ...alike })
  expect(byOutbox?.publishId).toMatch(/^outbox:[0-9a-f-]{36}$/)
  const deliveries = await db.prisma.delivery.findMany()
  expect(deliveries.map(({ subscriptionId }) => subscriptionId)).toEqual([chosen.id, chosen.id])
  expect(await db.prisma.backlog.count()).toBe(2)
})

test('with pg the function writes on the client that it is given, and nothing is chosen by an empty list', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await withClient(posthorn.url, async (client) => {
    await client.query('begin')
    await publishInTransaction(client, { ...invoice, id: 'own', subscriptions: [], keys: { order: '1' } })
    expect(await posthorn.db.prisma.outboxEvent.count()).toBe(0)
    await client.query('commit')
  })
  await empty(posthorn)
  expect(await posthorn.db.prisma.event.findMany()).toMatchObject([{ publishId: 'own', keys: { order: '1' } }])
  expect(await posthorn.db.prisma.delivery.count()).toBe(0)
})

test('one publish id is one event, whether it comes by the API or from the outbox, and however often', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await posthorn.publish({ publishId: 'inv_1' })
  for (const id of ['inv_1', 'inv_2', 'inv_2']) await write(posthorn, { ...invoice, id })
  await empty(posthorn)
  expect((await posthorn.publish({ publishId: 'inv_2' })).duplicate).toBe(true)
  expect(await posthorn.db.prisma.event.count()).toBe(2)
  expect(await posthorn.db.prisma.delivery.count()).toBe(2)
  expect(await posthorn.db.prisma.outboxEvent.count()).toBe(0)
})

test('an ordered subscription gets events in the order in which they were written', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe({ ordered: true, maxInFlight: 1 })
  const numbers = Array.from({ length: 450 }, (_, number) => number)
  await posthorn.db.prisma.$transaction(
    async (tx) => {
      for (const number of numbers) await publishInTransaction(tx, { ...invoice, data: { number } })
    },
    { timeout: 20_000 },
  )
  await Promise.all([posthorn.dispatch(), posthorn.dispatch({ ownDatabase: true })])
  await posthorn.received(numbers.length)
  const arrived = posthorn.receiver.requests.map(({ body }) => JSON.parse(body).data.number)
  expect(arrived).toEqual(numbers)
})

test('what can never be published stays with the reason, is told, and keeps nobody waiting', async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  await posthorn.subscribe()
  await db.prisma.eventType.create({ data: { name: 'old.one', state: 'archived' } })
  await write(posthorn, { ...invoice, tenant: 'nobody' })
  await write(posthorn, { ...invoice, type: 'old.one' })
  await write(posthorn, { ...invoice, type: 'posthorn.subscription.disabled' })
  // Written by SQL: the SDK refuses these before they are.
  await insert(posthorn, { keys: '{"not a name":"x"}' })
  await insert(posthorn, { subscriptions: ['sub_1'] })
  await insert(posthorn, { data: '{"__proto__":1}' })
  await insert(posthorn, { data: `${'['.repeat(64)}${']'.repeat(64)}` })
  await insert(posthorn, { timestamp: '0001-01-01T00:00:00Z' })
  await insert(posthorn, { headers: '{"Content-Type":"text/plain"}' })
  await write(posthorn, { ...invoice, id: 'last' })
  await posthorn.dispatch()
  await posthorn.received(1)
  await posthorn.until(() => posthorn.told.filter(({ what }) => what === 'outbox_event_refused').length === 9)
  const rows = await db.prisma.outboxEvent.findMany({ orderBy: { place: 'asc' } })
  expect(rows.map(({ problem }) => problem)).toMatchObject([
    { code: 'tenant_not_found', detail: expect.stringContaining('"nobody"') },
    { code: 'event_type_not_found', detail: expect.stringContaining('archived') },
    { code: 'event_type_reserved' },
    { code: 'invalid_request', errors: [expect.objectContaining({ pointer: '/keys/not a name' })] },
    { code: 'invalid_request', errors: [expect.objectContaining({ pointer: '/subscriptions/0' })] },
    { code: 'invalid_request', errors: [expect.objectContaining({ pointer: '/data/__proto__' })] },
    { code: 'invalid_request', errors: [expect.objectContaining({ pointer: '/data' })] },
    { code: 'invalid_request', errors: [expect.objectContaining({ pointer: '/timestamp' })] },
    { code: 'invalid_header', errors: [expect.objectContaining({ pointer: '/headers/Content-Type' })] },
  ])
  expect(await db.prisma.event.findMany()).toMatchObject([{ publishId: 'last' }])
})

test('a form that can never be published is refused while the transaction can still be mended', async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  const write = (wrong: object) => db.prisma.$transaction((tx) => publishInTransaction(tx, { ...invoice, ...wrong }))
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  for (const wrong of [
    { tenant: 'a b' },
    { tenant: undefined },
    { type: undefined },
    { id: 7 },
    { type: 'a..b' },
    { type: 'a'.repeat(129) },
    { id: '' },
    { timestamp: 'yesterday' },
    { data: undefined },
    { headers: ['x-a'] },
    { headers: 'x-a: b' },
    { headers: null },
    { headers: { 'x a': 'b' } },
    { headers: { 'x-a': 1 } },
    { headers: { 'x-a': 'a\r\nx-b: c' } },
    { headers: { 'x-a': ' a' } },
    { headers: { 'x-a': 'x'.repeat(4097) } },
    { headers: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`x-${index}`, 'a'])) },
    { data: 1n },
    { data: circle },
    { data: 'x'.repeat(256 * 1024) },
    { typ: 'invoice.paid' },
    { id: 'a\0b' },
    { id: 'half \ud800' },
    { timestamp: '2026-11-26' },
    { timestamp: '2026-02-30T00:00:00Z' },
    { timestamp: '0001-01-01T00:00:00Z' },
    { traceparent: 7 },
    { keys: null },
    { keys: [] },
    { keys: { 'a b': 'c' } },
    { keys: { order: 1 } },
    { keys: { order: '' } },
    { keys: { order: 'x'.repeat(257) } },
    { keys: { order: 'a\0b' } },
    { keys: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'a'])) },
    { subscriptions: 'sub_1' },
    { subscriptions: ['sub_1'] },
    { subscriptions: Array.from({ length: 501 }, () => formatId('subscription', crypto.randomUUID())) },
    { headers: { 'X-A': '1', 'x-a': '2' } },
    { headers: { 'x-a': '[redacted]' } },
    { data: JSON.parse('{"__proto__":1}') },
    { data: { a: [JSON.parse('{"constructor":{"prototype":1}}')] } },
    { data: JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`) },
    ...reservedNames.map((name) => ({ headers: { [name]: 'x' } })),
  ])
    await expect(write(wrong)).rejects.toMatchObject({ code: 'invalid_argument' })
  await expect(insert(posthorn, { tenant_id: 'a b' })).rejects.toThrow('outbox_event_tenant_id')
  await expect(insert(posthorn, { type: 'a b' })).rejects.toThrow('outbox_event_type')
  await expect(insert(posthorn, { data: '{' })).rejects.toThrow('invalid input syntax')
  await expect(insert(posthorn, { keys: '[]' })).rejects.toThrow('outbox_event_keys')
  await expect(insert(posthorn, { data: `"${'x'.repeat(262_144)}"` })).rejects.toThrow('outbox_event_data')
  expect(await db.prisma.outboxEvent.count()).toBe(0)
})

test('what is just within its bounds is written and published', async () => {
  await using posthorn = await startTestPosthorn()
  const subscription = await posthorn.subscribe()
  const fits: Partial<EventInTransaction>[] = [
    { data: JSON.parse(`${'['.repeat(63)}${']'.repeat(63)}`) },
    { data: { constructor: 'x', proto: '__proto__' } },
    { timestamp: '2026-11-26T01:02:03.125+01:00', id: 'ü'.repeat(256) },
    { keys: Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`k.${index}`, 'ü'.repeat(256)])) },
    { subscriptions: [formatId('subscription', subscription.id)], headers: { 'x-hosts': 'host' } },
    { traceparent: undefined, keys: undefined, headers: undefined, id: undefined } as object,
  ]
  for (const one of fits) await write(posthorn, { ...invoice, ...one })
  expect(await empty(posthorn)).toBe(fits.length)
  expect(await posthorn.db.prisma.event.count()).toBe(fits.length)
})

test('a null that is written in place of a default is the default', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  const none = { id: null, publish_id: null, timestamp: null, keys: null, headers: null, subscriptions: null }
  await insert(posthorn, { ...none, traceparent: null })
  expect(await posthorn.db.prisma.outboxEvent.findMany()).toMatchObject([{ keys: {}, timestamp: expect.any(Date) }])
  expect(await empty(posthorn)).toBe(1)
  expect(await posthorn.db.prisma.event.count()).toBe(1)
})

test('a role that may only add to the outbox can publish, and do nothing else', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await posthorn.dispatch()
  const role = `writer_${Date.now()}`
  await withClient(posthorn.url, async (client) => {
    await client.query(
      `create role ${role}; grant usage on schema public to ${role}; grant insert on outbox_event to ${role}`,
    )
    try {
      await client.query(`begin; set local role ${role}`)
      await publishInTransaction(client, invoice)
      await client.query('commit')
      await client.query(`begin; set local role ${role}`)
      await expect(client.query('select * from outbox_event')).rejects.toThrow('permission denied')
      await client.query('rollback')
    } finally {
      await client.query(`drop owned by ${role}; drop role ${role}`)
    }
  })
  await posthorn.received(1)
})

test('the outbox is found whatever the search path of the writer is, and in the schema that is named', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await posthorn.dispatch()
  const odd = 'an "odd" schema'
  await withClient(posthorn.url, async (client) => {
    await client.query(`create schema app; create schema "an ""odd"" schema"`)
    await client.query(`create table "an ""odd"" schema".outbox_event (like public.outbox_event including all)`)
    await client.query('set search_path = app')
    await publishInTransaction(client, invoice)
    await publishInTransaction(client, { ...invoice, id: 'elsewhere' }, { schema: odd })
    const { rows } = await client.query(`select publish_id from "an ""odd"" schema".outbox_event`)
    expect(rows).toEqual([{ publish_id: 'elsewhere' }])
  })
  await posthorn.received(1)
  expect(await posthorn.db.prisma.event.count()).toBe(1)
})

test('who is killed between publishing and taking it away publishes again, and nothing is stored twice', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  for (let count = 0; count < 3; count += 1) await write(posthorn, invoice)
  const killed: Publisher = {
    ...posthorn.publisher,
    async publishMany(drafts) {
      await posthorn.publisher.publishMany(drafts)
      throw new RangeError('killed')
    },
  }
  await expect(empty(posthorn, killed)).rejects.toThrow('killed')
  expect(await posthorn.db.prisma.event.count()).toBe(3)
  expect(await posthorn.db.prisma.outboxEvent.count()).toBe(3)
  expect(await empty(posthorn)).toBe(3)
  expect(await posthorn.db.prisma.event.count()).toBe(3)
  expect(await posthorn.db.prisma.delivery.count()).toBe(3)
  expect(await posthorn.db.prisma.outboxEvent.count()).toBe(0)
})

test('a fault of ours at one event postpones it, and its turn comes again', async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  await posthorn.subscribe()
  await write(posthorn, { ...invoice, type: 'poison.one' })
  await write(posthorn, invoice)
  await db.prisma.eventType.create({ data: { name: 'poison.one', validation: 'reject', latestVersion: 1 } })
  const faulty = createPublisher({
    db,
    world,
    async checkSchema() {
      throw new RangeError('a fault of ours')
    },
    createEventTypes: true,
    onWork: () => undefined,
  })
  await expect(empty(posthorn, faulty)).rejects.toMatchObject({ code: 'internal_error' })
  expect(await db.prisma.event.findMany()).toMatchObject([{ type: 'invoice.paid' }])
  expect(await db.prisma.outboxEvent.findMany()).toMatchObject([
    { type: 'poison.one', tries: 1, refusedAt: null, notBefore: expect.any(Date) },
  ])
  expect(await empty(posthorn)).toBe(0)
  await db.prisma.outboxEvent.updateMany({ data: { notBefore: new Date(0), tries: 8 } })
  expect(await empty(posthorn, faulty)).toBe(1)
  expect(await db.prisma.outboxEvent.findMany()).toMatchObject([{ problem: { code: 'internal_error' } }])
})

test('while one process publishes, another one leaves it to it', async () => {
  await using posthorn = await startTestPosthorn()
  await using other = openDatabase({ url: posthorn.url, poolSize: 2 })
  await posthorn.subscribe()
  await write(posthorn, invoice)
  const waiting: Publisher = {
    ...posthorn.publisher,
    async publishMany(drafts) {
      expect(await publishOutbox({ db: other, publisher: posthorn.publisher, telemetry: () => undefined })).toBe(0)
      return posthorn.publisher.publishMany(drafts)
    },
  }
  expect(await empty(posthorn, waiting)).toBe(1)
  expect(await posthorn.db.prisma.event.count()).toBe(1)
})

test('dispatchers that are killed while the outbox fills publish each event once', { timeout: 90_000 }, async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  await posthorn.subscribe()
  const ids = Array.from({ length: 600 }, (_, number) => `inv_${number}`)
  const options = { url: posthorn.url, receiverPort: posthorn.receiver.port }
  for (const part of [ids.slice(0, 200), ids.slice(200, 400), ids.slice(400)]) {
    await using dispatcher = startPosthornProcess({ ...options, logLevel: 'trace' })
    for (const [number, id] of part.entries()) {
      await write(posthorn, { ...invoice, id })
      if (number === 20) await dispatcher.until(() => (dispatcher.said.get('outbox_published') ?? 0) > 0)
      // It is at it: rows come all the time.
      if (number === 20 + part.length / 4) dispatcher.kill('SIGKILL')
    }
    expect(await dispatcher.ended).toBe('SIGKILL')
  }
  await using last = startPosthornProcess(options)
  await posthorn.until(() => posthorn.receiver.requests.length >= ids.length)
  await last.until(() => last.recorded > 0)
  const events = await db.prisma.event.findMany()
  expect(events.map(({ publishId }) => publishId).toSorted()).toEqual(ids.toSorted())
  expect(await db.prisma.delivery.count()).toBe(ids.length)
})

/** A row as any language may write it. */
function insert({ url }: TestPosthorn, given: Readonly<Record<string, unknown>>): Promise<unknown> {
  const columns = { tenant_id: invoice.tenant, type: invoice.type, data: '{}', ...given }
  const names = Object.keys(columns).map((name) => `"${name}"`)
  const places = names.map((_, index) => `$${index + 1}`)
  const text = `insert into outbox_event (${names.join()}) values (${places.join()})`
  return withClient(url, (client) => client.query(text, Object.values(columns)))
}

function write({ db }: TestPosthorn, event: EventInTransaction): Promise<{ id: string }> {
  return db.prisma.$transaction((tx) => publishInTransaction(tx, event))
}

/** Publishes what is in the outbox, as a dispatcher does. */
async function empty({ db, publisher }: TestPosthorn, by: Publisher = publisher): Promise<number> {
  return publishOutbox({ db, publisher: by, telemetry: () => undefined })
}
