/**
 * Retention is killed before every statement that it makes, one after the other, and while it waits to take a partition off,
 * and begun again by another process: what is old is gone in the end, and what is still to be sent, or younger, is there at
 * every moment.
 */
import { randomBytes } from 'node:crypto'
import { type Uuid, uuidFloor, uuidV7 } from '@posthorn/contract'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from './db/database.ts'
import { ensurePartitions, type partitionedTables } from './db/partitions.ts'
import { applyRetention } from './retention.ts'
import { dyingDatabase, endSessions, withBystander } from './testing/dying.ts'
import { createTestDatabase, type TestDatabase } from './testing/index.ts'

const dayMs = 86_400_000
const now = Date.now()
const daysAgo = (count: number) => now - count * dayMs
const dateOf = (ago: number) => new Date(daysAgo(ago)).toISOString().slice(0, 10).replaceAll('-', '')
const settings = { retentionDays: 30, auditRetentionDays: 365 }
const never = () => false
/** More than a portion. */
const shortCount = 60

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

/** Events so many days old, each with a delivery, an attempt and a business key. Answers with their ids. */
async function store(
  client: pg.Client,
  of: { tenantId: string; ago: number; state?: 'failed' | 'held'; count?: number; deliveryAgo?: number },
): Promise<Uuid[]> {
  const { tenantId, ago, state = 'failed', count = 1, deliveryAgo = ago } = of
  const ids = Array.from({ length: count }, () => [newId(ago), newId(deliveryAgo)] as const)
  await client.query(insertWhole, [ids.map(([id]) => id), ids.map(([, id]) => id), tenantId, state])
  return ids.map(([id]) => id)
}

const newId = (ago: number) => uuidV7(daysAgo(ago), randomBytes(10))

const insertWhole = `
with made as (select * from unnest($1::uuid[], $2::uuid[]) as m (event_id, delivery_id)), published as (
  insert into event (id, tenant_id, type, "timestamp", data, keys)
  select event_id, $3, 'a.b', now(), '{"name":"Ada"}', '{"order":"1"}' from made
), keyed as (
  insert into event_key (value, tenant_id, name, event_id) select '1', $3, 'order', event_id from made
), owed as (
  insert into delivery (id, tenant_id, event_id, event_type, subscription_id, state, attempt_count, finished_at)
  select delivery_id, $3, event_id, 'a.b', event_id, $4, 1, case when $4 = 'failed' then now() end from made
)
insert into attempt (id, tenant_id, delivery_id, event_id, subscription_id, number, trigger, reason, started_at, url,
  request_headers, http_status, failure_code, response_headers, response_body, response_truncated, wait_ms, total_ms)
select delivery_id, $3, delivery_id, event_id, event_id, 1, 'resend', 'Ada', now(), 'https://receiver.test/', '{}', 500,
       'http_5xx', '{}', 'Ada', false, 1, 1
from made`

/** Every row of these events, as text. */
async function rowsOf(client: pg.Client, ids: readonly Uuid[]): Promise<string[]> {
  const { rows } = await client.query<{ row: string }>(
    `select row from (
       select e::text as row from event e where id = any($1)
       union all select k::text from event_key k where event_id = any($1)
       union all select d::text from delivery d where event_id = any($1)
       union all select a::text from attempt a where event_id = any($1)
     ) whole order by row`,
    [ids],
  )
  return rows.map(({ row }) => row)
}

/** The day partitions of the old days, each with what has become of it. */
async function partitionsOf(client: pg.Client): Promise<Record<string, 'attached' | 'pending' | 'detached'>> {
  const { rows } = await client.query<{ name: string; place: 'attached' | 'pending' | 'detached' }>(
    `select c.relname as name,
       case when i.inhrelid is null then 'detached' when i.inhdetachpending then 'pending' else 'attached' end as place
     from pg_class c left join pg_inherits i on i.inhrelid = c.oid
     where c.relkind = 'r' and c.relname ~ '_(${dateOf(36)}|${dateOf(35)}|${dateOf(34)})$'
     order by c.relname`,
  )
  return Object.fromEntries(rows.map(({ name, place }) => [name, place]))
}

/** Events that are neither whole nor empty. */
async function halfErased(client: pg.Client, tenantId: string): Promise<unknown[]> {
  const { rows } = await client.query(
    `select e.id from event e left join delivery d on d.event_id = e.id left join attempt a on a.event_id = e.id
     where e.tenant_id = $1 and ((e.erased_at is null) <> (e.data like '%Ada%')
       or (e.erased_at is null) <> (d.erased_at is null) or (e.erased_at is null) <> (a.erased_at is null)
       or (e.erased_at is null) <> exists (select from event_key k where k.event_id = e.id))`,
    [tenantId],
  )
  return rows
}

type Stored = { tenantId: string; stays: Uuid[]; goes: Uuid[]; before: string[] }

/** Three old days, of which the youngest has something that is still to be sent; and a tenant that keeps a week. */
async function prepare(client: pg.Client, round: string): Promise<Stored> {
  {
    await using db = openDatabase({ url: database.url, poolSize: 1 })
    await ensurePartitions(db.pool, { now: new Date(daysAgo(36)), daysBack: 0, daysAhead: 2 })
    await ensurePartitions(db.pool, { now: new Date(daysAgo(10)), daysBack: 0, daysAhead: 1 })
  }
  const tenantId = `short-${round}`
  const other = `other-${round}`
  await client.query('insert into tenant (id, retention_days) values ($1, 7), ($2, null)', [tenantId, other])
  await store(client, { tenantId: other, ago: 36, count: 3 })
  await store(client, { tenantId: other, ago: 35, count: 3 })
  const stays = [
    // Its delivery was made behind midnight, and is still to be sent.
    ...(await store(client, { tenantId: other, ago: 35, deliveryAgo: 34, state: 'held' })),
    ...(await store(client, { tenantId: other, ago: 34 })),
    ...(await store(client, { tenantId: other, ago: 10, count: 3 })),
    ...(await store(client, { tenantId: other, ago: 0, count: 3 })),
    // A moment younger than what goes: until there the tenant's mark is set.
    ...(await store(client, { tenantId, ago: 9.999, state: 'held', count: 2 })),
    ...(await store(client, { tenantId, ago: 0, count: 2 })),
  ]
  const goes = await store(client, { tenantId, ago: 10, count: shortCount })
  const [old, young] = [uuidFloor(daysAgo(40)), uuidFloor(daysAgo(5))]
  await client.query(
    'insert into event_publish_id (tenant_id, publish_id, event_id) values ($1, $2, $3), ($1, $4, $5)',
    [...[other, 'old', old, 'young', young]],
  )
  await client.query(insertReplays, [uuidV7(daysAgo(40), randomBytes(10)), uuidV7(daysAgo(40), randomBytes(10))])
  return { tenantId, stays, goes, before: await rowsOf(client, stays) }
}

/** One that ended long ago, and one that was run lately, each with items. */
const insertReplays = `
with made as (
  insert into replay (id, filter, actor, until, state, finished_at)
  values ($1, '{}', 'old', now(), 'completed', now() - interval '35 days'),
         ($2, '{}', 'young', now(), 'completed', now() - interval '5 days')
  returning id
)
insert into replay_item (replay_id, delivery_id, tenant_id, subscription_id, outcome, finished_at)
select id, gen_random_uuid(), 'any', gen_random_uuid(), 'delivered', now() from made, generate_series(1, 3)`

async function expectApplied(client: pg.Client, { tenantId, stays, goes, before }: Stored): Promise<void> {
  const kept = [
    ...['attempt', 'delivery', 'event', 'event_key'].map((table) => `${table}_${dateOf(34)}`),
    // Of the day before something is still to be sent: its event.
    ...['event', 'event_key'].map((table) => `${table}_${dateOf(35)}`),
  ]
  expect(await partitionsOf(client)).toEqual(Object.fromEntries(kept.map((name) => [name, 'attached'])))
  expect(await rowsOf(client, stays)).toEqual(before)
  expect(await halfErased(client, tenantId)).toEqual([])
  const erased = await client.query(
    `select count(*)::int as count from event e join delivery d on d.event_id = e.id join attempt a on a.event_id = e.id
     where e.id = any($1) and e.erased_at is not null and e.data = 'null' and d.state = 'failed' and d.erased_at is not null
       and a.erased_at is not null and a.reason is null and a.http_status = 500`,
    [goes],
  )
  expect(erased.rows).toEqual([{ count: shortCount }])
  const ids = await client.query('select publish_id from event_publish_id')
  expect(ids.rows).toEqual([{ publish_id: 'young' }])
  const replays = await client.query(
    'select actor, count(*)::int as items from replay left join replay_item on replay_id = id group by 1',
  )
  expect(replays.rows).toEqual([{ actor: 'young', items: 3 }])
}

/** Takes away what would be in the way of the next round. */
async function clear(client: pg.Client): Promise<void> {
  for (const name of Object.keys(await partitionsOf(client))) await client.query(`drop table ${name}`)
  await client.query('delete from event_publish_id')
  await client.query('delete from replay')
  await client.query('delete from tenant')
}

async function resume(): Promise<void> {
  await using db = openDatabase({ url: database.url, poolSize: 2 })
  await applyRetention(db, settings, now, never)
}

test('retention ends with what it promised, wherever it was killed, and what is to stay is there at every moment', {
  timeout: 180_000,
}, async () => {
  const places: string[] = []
  await withBystander(database.url, async (client) => {
    for (let isThrough = false; !isThrough; ) {
      const stored = await prepare(client, String(places.length))
      {
        await using db = openDatabase({ url: database.url, poolSize: 2 })
        const dying = dyingDatabase(db, places.length + 1)
        const run = applyRetention(dying.db, settings, now, never)
        isThrough = await run.then(
          () => true,
          () => false,
        )
        expect(dying.isDead).toBe(!isThrough)
        places.push(dying.place)
      }
      const seen = [await rowsOf(client, stored.stays), await halfErased(client, stored.tenantId)]
      expect([places.at(-1), ...seen]).toEqual([places.at(-1), stored.before, []])
      await resume()
      await expectApplied(client, stored)
      await clear(client)
    }
  })
  const count = (beginning: string) => places.filter((place) => place.startsWith(beginning)).length
  // Of two days deliveries and attempts, of one events and their keys; and two portions of the tenant's, the
  // second up to what is still to be sent.
  expect([count('alter table'), count('drop table'), count('commit')]).toEqual([6, 6, 2])
  expect([count('erase-events'), count('Tenant.updateMany'), count('delete-old-publish-ids')]).toEqual([2, 1, 1])
})

test('retention that is killed while it waits to take a partition off goes on there, for each of the tables', {
  timeout: 60_000,
}, async () => {
  await withBystander(database.url, async (client) => {
    const stored = await prepare(client, 'waiting')
    for (const table of ['delivery', 'attempt', 'event', 'event_key'] as const) {
      await withBystander(database.url, async (reader) => {
        // Somebody reads for long. Nobody waits for the partition but who takes it off.
        await reader.query('begin')
        await reader.query(`select count(*) from ${table}`)
        await using db = openDatabase({ url: database.url, poolSize: 2 })
        const run = applyRetention(db, settings, now, never).then(
          () => 'ended',
          () => 'killed',
        )
        await waitsToDetach(client, table)
        await endSessions(database.url)
        expect(await run).toBe('killed')
        await reader.query('commit')
      })
      const pending = Object.entries(await partitionsOf(client)).filter(([, place]) => place === 'pending')
      expect(pending.map(([name]) => name.replace(/_\d+$/, ''))).toEqual([table])
      expect(await rowsOf(client, stored.stays)).toEqual(stored.before)
      // Meanwhile events are published and delivered.
      await store(client, { tenantId: 'meanwhile', ago: 0 })
    }
    await resume()
    await expectApplied(client, stored)
    await clear(client)
  })
})

/** Resolves when somebody has begun to take a partition off the table, and waits for those who use it. */
async function waitsToDetach(client: pg.Client, table: (typeof partitionedTables)[number]): Promise<void> {
  for (let waits = 0; waits === 0; ) {
    const { rowCount } = await client.query(
      `select from pg_stat_activity a
       where a.datname = current_database() and a.wait_event_type = 'Lock' and a.query like 'alter table "' || $1 || '" detach%'
         and exists (select from pg_inherits where inhdetachpending and inhparent = to_regclass($1))`,
      [table],
    )
    waits = rowCount ?? 0
  }
}
