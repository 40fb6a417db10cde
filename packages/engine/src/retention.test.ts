import { randomBytes } from 'node:crypto'
import { uuidFloor, uuidV7 } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { type Database, openDatabase } from './db/database.ts'
import { dropOldPartitions, ensurePartitions } from './db/partitions.ts'
import { applyRetention } from './retention.ts'
import { createTestDatabase, withClient } from './testing/index.ts'

const dayMs = 86_400_000
const now = new Date()
const days = (count: number) => now.getTime() - count * dayMs
const never = () => false
const settings = { retentionDays: 30, auditRetentionDays: 365 }

const nameOf = (table: string, ms: number) => `${table}_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}`

/** An event of a tenant with one delivery, made so many days ago. */
async function store(db: Database, ago: number, state: 'failed' | 'held', tenantId = 'acme'): Promise<string> {
  const id = uuidV7(days(ago), randomBytes(10))
  const finishedAt = state === 'failed' ? now : null
  await db.prisma.event.create({
    data: { id, tenantId, type: 'a.b', timestamp: now, data: '{"name":"Ada"}', keys: { order: '1' } },
  })
  await db.prisma.$executeRaw`
    insert into delivery (id, tenant_id, event_id, event_type, subscription_id, state, finished_at)
    values (${id}::uuid, ${tenantId}, ${id}::uuid, 'a.b', ${id}::uuid, ${state}, ${finishedAt})`
  return id
}

async function tables(db: Database): Promise<string[]> {
  const rows = await db.prisma.$queryRaw<{ name: string }[]>`
    select relname::text as name from pg_class where relkind = 'r' and relname ~ '_[0-9]{8}$'`
  return rows.map((row) => row.name)
}

async function open(stack: AsyncDisposableStack) {
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 3 }))
  await ensurePartitions(db.pool, { now, daysBack: 40, daysAhead: 1 })
  await db.prisma.tenant.createMany({ data: [{ id: 'acme' }, { id: 'globex' }] })
  return { db, url: database.url }
}

test('days that are older than they are kept go, and a day of which something is still to be sent stays', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await open(stack)
  await store(db, 33, 'failed')
  const held = await store(db, 35, 'held')
  const recent = await store(db, 5, 'failed')
  const { dropped, kept } = await applyRetention(db, settings, now.getTime(), never)
  expect(kept).toEqual([nameOf('delivery', days(35))])
  expect(dropped).toContain(nameOf('delivery', days(33)))
  expect(dropped).toContain(nameOf('event', days(33)))
  const left = await tables(db)
  for (const table of ['event', 'event_key', 'delivery', 'attempt']) {
    expect(left).toContain(nameOf(table, days(35)))
    expect(left).toContain(nameOf(table, days(29)))
    expect(left).not.toContain(nameOf(table, days(33)))
  }
  expect((await db.prisma.delivery.findMany()).map((row) => row.id).toSorted()).toEqual([held, recent].toSorted())

  await db.prisma.delivery.updateMany({ where: { id: held }, data: { state: 'failed', finishedAt: now } })
  const again = await applyRetention(db, settings, now.getTime(), never)
  expect(again.dropped).toContain(nameOf('delivery', days(35)))
  expect(again.kept).toEqual([])
})

test('events stay a day longer than the deliveries that were made behind midnight', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await open(stack)
  const { dropped } = await dropOldPartitions(db.pool, Math.floor(days(30) / dayMs) * dayMs)
  expect(dropped).toContain(nameOf('delivery', days(31)))
  expect(dropped).not.toContain(nameOf('event', days(31)))
  expect(dropped).toContain(nameOf('event', days(32)))
})

test('what a killed call has taken off and not dropped is dropped, or put back when something of it is to be sent', async () => {
  await using stack = new AsyncDisposableStack()
  const { db, url } = await open(stack)
  const held = await store(db, 35, 'held')
  for (const ago of [34, 35]) {
    await withClient(url, (client) =>
      client.query(`alter table delivery detach partition ${nameOf('delivery', days(ago))} concurrently`),
    )
  }
  expect(await db.prisma.delivery.count()).toBe(0)
  await dropOldPartitions(db.pool, days(30))
  expect(await tables(db)).not.toContain(nameOf('delivery', days(34)))
  expect((await db.prisma.delivery.findMany()).map((row) => row.id)).toEqual([held])
})

test('a tenant that keeps less loses the content of older events, and keeps the fact and what is still to be sent', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await open(stack)
  await db.prisma.tenant.update({ where: { id: 'acme' }, data: { retentionDays: 7 } })
  const [old, held, young, foreign] = [
    await store(db, 10, 'failed'),
    await store(db, 9, 'held'),
    await store(db, 5, 'failed'),
    await store(db, 10, 'failed', 'globex'),
  ]
  const { erased } = await applyRetention(db, settings, now.getTime(), never)
  expect(erased).toBe(1)
  const dataOf = new Map((await db.prisma.event.findMany()).map((event) => [event.id, event.data]))
  expect(dataOf.get(old)).toBe('null')
  for (const id of [held, young, foreign]) expect(dataOf.get(id)).toBe('{"name":"Ada"}')
  const delivery = await db.prisma.delivery.findFirstOrThrow({ where: { id: old } })
  expect([delivery.state, delivery.erasedAt === null]).toEqual(['failed', false])
  expect((await db.prisma.delivery.findFirstOrThrow({ where: { id: held } })).state).toBe('held')
  expect((await applyRetention(db, settings, now.getTime(), never)).erased).toBe(0)
})

test('replays go when they ended longer ago than deliveries are kept, with items in more than one portion', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await open(stack)
  const keep = async (id: string, ended: number | null, state: string, items: number) => {
    const finishedAt = ended === null ? null : new Date(days(ended))
    await db.prisma.replay.create({ data: { id, filter: {}, actor: 'staff:ada', until: now, state, finishedAt } })
    await db.prisma.$executeRaw`
      insert into replay_item (replay_id, delivery_id, tenant_id, subscription_id, outcome, finished_at)
      select ${id}::uuid, gen_random_uuid(), 'acme', gen_random_uuid(), 'delivered', now() from generate_series(1, ${items}::int)`
  }
  const madeAgo = (count: number) => uuidV7(days(count), randomBytes(10))
  const [long, expired, recent, running] = [madeAgo(40), madeAgo(35), madeAgo(34), madeAgo(50)]
  await keep(long, 31, 'completed', 12_000)
  await keep(expired, 34, 'expired', 0)
  // Made long ago, and run or at work until lately.
  await keep(recent, 29, 'canceled', 3)
  await keep(running, null, 'running', 3)
  await applyRetention(db, settings, now.getTime(), never)
  const left = await db.prisma.replay.findMany({ include: { _count: { select: { items: true } } } })
  expect(new Map(left.map(({ id, _count }) => [id, _count.items]))).toEqual(
    new Map([
      [recent, 3],
      [running, 3],
    ]),
  )
})

test('old ids of publishers, audit entries and ended sessions go', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await open(stack)
  const entry = { actor: 'key_x', action: 'tenant_put', target: 'acme' }
  const ids = [days(400), days(300)].map((ms) => uuidV7(ms, randomBytes(10)))
  await db.prisma.auditEntry.createMany({ data: ids.map((id) => ({ id, ...entry })) })
  await db.prisma.eventPublishId.createMany({
    data: [40, 5].map((ago) => ({ tenantId: 'acme', publishId: `${ago}`, eventId: uuidFloor(days(ago)) })),
  })
  await applyRetention(db, settings, now.getTime(), never)
  expect((await db.prisma.auditEntry.findMany()).map((row) => row.id)).toEqual([ids[1]])
  expect((await db.prisma.eventPublishId.findMany()).map((row) => row.publishId)).toEqual(['5'])
})
