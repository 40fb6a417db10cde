/**
 * An erasure is killed before every statement that it makes, one after the other, and begun again by another process: what
 * is promised is there in the end, each event is counted once, and nobody else's rows were touched.
 */
import { randomBytes } from 'node:crypto'
import { type Uuid, uuidFloor } from '@posthorn/contract'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from './db/database.ts'
import { eraseRunning } from './erasures.ts'
import { dyingDatabase, withBystander } from './testing/dying.ts'
import { createTestDatabase, type TestDatabase } from './testing/index.ts'
import { newUuid } from './world.ts'

const world = { now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
const canary = 'CANARY_7315'
/** More than a portion of either kind, so that there is a middle. */
const goneCount = 60
const staysCount = 3

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

/** In which state deliveries are when the erasure begins, in turns, and in which they end. */
const turns = [
  { state: 'failed', ends: 'failed', work: false },
  { state: 'delivered', ends: 'delivered', work: false },
  { state: 'pending', ends: 'canceled', work: true },
  { state: 'retrying', ends: 'canceled', work: true },
  { state: 'held', ends: 'canceled', work: false },
] as const

/** Events of a tenant with a business key, each with a delivery and an attempt. */
async function store(client: pg.Client, tenantId: string, order: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const turn = turns[index % turns.length] ?? turns[0]
    const [eventId, deliveryId] = [newUuid(world), newUuid(world)]
    const publishId = `${canary}_${eventId}`
    const values = [eventId, deliveryId, tenantId, order, publishId, turn.state, turn.work]
    await client.query({ name: 'store', text: insertWhole, values })
  }
}

const insertWhole = `
with published as (
  insert into event (id, tenant_id, type, "timestamp", data, keys, publish_id, traceparent)
  values ($1, $3, 'a.b', now(), '{"name":"${canary}"}', jsonb_build_object('order', $4::text), $5, '00-${canary}')
), keyed as (
  insert into event_key (value, tenant_id, name, event_id) values ($4, $3, 'order', $1)
), named as (
  insert into event_publish_id (tenant_id, publish_id, event_id) values ($3, $5, $1)
), owed as (
  insert into delivery (id, tenant_id, event_id, event_type, subscription_id, state, attempt_count, delivered_at, finished_at)
  values ($2, $3, $1, 'a.b', $1, $6, 1, case when $6 = 'delivered' then now() end,
          case when $6 in ('delivered', 'failed') then now() end)
), due as (
  insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, next_attempt_at)
  select $2, $3, $1, $1, 1, now() where $7::boolean
)
insert into attempt (id, tenant_id, delivery_id, event_id, subscription_id, number, trigger, reason, started_at, url,
  request_headers, http_status, failure_code, response_headers, response_body, response_truncated, wait_ms, total_ms)
values ($2, $3, $2, $1, $1, 1, 'resend', '${canary}', now(), 'https://receiver.test/', '{"x":"${canary}"}', 500, 'http_5xx',
        '{"x":"${canary}"}', '${canary}', true, 1, 1)`

/** Every row of a tenant, of one business key or all, as text. */
async function rowsOf(client: pg.Client, tenantId: string, order?: string): Promise<string[]> {
  const of = `tenant_id = $1 and ($2::text is null or keys ->> 'order' = $2)`
  const { rows } = await client.query<{ row: string }>(
    `with chosen as (select id from event where ${of})
     select row from (
       select e::text as row from event e where ${of}
       union all select k::text from event_key k join chosen on chosen.id = k.event_id
       union all select p::text from event_publish_id p join chosen on chosen.id = p.event_id
       union all select d::text from delivery d join chosen on chosen.id = d.event_id
       union all select b::text from backlog b join chosen on chosen.id = b.event_id
       union all select a::text from attempt a join chosen on chosen.id = a.event_id
     ) whole order by row`,
    [tenantId, order ?? null],
  )
  return rows.map(({ row }) => row)
}

/** Events that are neither as they were nor erased whole, with work or without. There are never any. */
async function halfErased(client: pg.Client, tenantId: string): Promise<unknown[]> {
  const { rows } = await client.query(
    `select e.id, e.erased_at is not null as is_erased, d.erased_at is not null as delivery_is_erased
     from event e join delivery d on d.event_id = e.id join attempt a on a.delivery_id = d.id
     left join backlog b on b.delivery_id = d.id
     where e.tenant_id = $1 and (
       (e.erased_at is null) <> (e.data like '%${canary}%')
       or (e.erased_at is null) <> (d.erased_at is null) or (e.erased_at is null) <> (a.erased_at is null)
       or (e.erased_at is null) <> (a.reason is not null)
       or (e.erased_at is null) <> exists (select from event_key k where k.event_id = e.id)
       or (e.erased_at is null) <> exists (select from event_publish_id p where p.event_id = e.id)
       or (e.erased_at is not null and b.delivery_id is not null)
       or ((d.state in ('pending', 'retrying')) <> (b.delivery_id is not null)))`,
    [tenantId],
  )
  return rows
}

type Wanted = { key: string | null; events: number }

/** Stores all that it needs under a tenant of its own, and asks for the erasure. */
async function ask(client: pg.Client, tenantId: string, key: string | null): Promise<Uuid> {
  await client.query('insert into tenant (id) values ($1)', [tenantId])
  await store(client, tenantId, 'gone', goneCount)
  await store(client, tenantId, 'stays', staysCount)
  await store(client, `other-of-${tenantId}`, 'gone', staysCount)
  const id = newUuid(world)
  await client.query(
    `insert into erasure (id, tenant_id, key_name, key_value, actor, reason, before_event_id)
     values ($1, $2, $3, $4, 'staff:ada', 'r', $5)`,
    [id, tenantId, key === null ? null : 'order', key, uuidFloor(Date.now() + 60_000)],
  )
  await client.query(
    `insert into replay (id, tenant_id, filter, actor, until) values ($1, $2, '{"key.order": "gone", "state": "failed"}', 'a', now())`,
    [id, tenantId],
  )
  return id
}

/** What is promised when it has ended. */
async function expectErased(client: pg.Client, tenantId: string, id: Uuid, { key, events }: Wanted): Promise<void> {
  const erasure = await client.query('select * from erasure where id = $1', [id])
  const inTurns = (count: number) =>
    Array.from({ length: count }, (_, index) => turns[index % turns.length] ?? turns[0])
  const all = [...inTurns(goneCount), ...(key === null ? inTurns(staysCount) : [])]
  expect(erasure.rows).toMatchObject([
    {
      ...{ state: 'completed', key_value: null, pass_from: null, left_behind: false },
      ...{ event_count: events, delivery_count: events, attempt_count: events },
      canceled_count: all.filter(({ ends }) => ends === 'canceled').length,
    },
  ])
  const erased = await client.query(
    `select d.state, d.canceled_reason, count(*)::int as count
     from event e join delivery d on d.event_id = e.id join attempt a on a.delivery_id = d.id
     where e.tenant_id = $1 and e.erased_at is not null and e.data = 'null' and e.keys = '{}' and e.traceparent is null
       and e.publish_id is null and d.erased_at is not null and a.erased_at is not null and a.reason is null
       and a.response_body = '' and a.http_status = 500 and a.failure_code = 'http_5xx'
     group by 1, 2 order by 1`,
    [tenantId],
  )
  // The fact of the delivery: how it stands, and that there was an attempt with this status.
  expect(erased.rows).toEqual(
    ['canceled', 'delivered', 'failed'].map((state) => ({
      state,
      canceled_reason: state === 'canceled' ? 'erased' : null,
      count: all.filter(({ ends }) => ends === state).length,
    })),
  )
  expect(await halfErased(client, tenantId)).toEqual([])
  const replay = await client.query('select filter from replay where id = $1', [id])
  expect(replay.rows).toEqual([{ filter: { state: 'failed' } }])
}

test.each<[string, Wanted]>([
  ['of one business key', { key: 'gone', events: goneCount }],
  ['of a tenant', { key: null, events: goneCount + staysCount }],
])(
  'an erasure %s ends with what it promised, wherever it was killed, and touches nothing else',
  { timeout: 120_000 },
  async (_what, wanted) => {
    const places: string[] = []
    await withBystander(database.url, async (client) => {
      for (let isThrough = false; !isThrough; ) {
        const at = places.length + 1
        const tenantId = `${wanted.key ?? 'all'}-${at}`
        const id = await ask(client, tenantId, wanted.key)
        const others = async () => [
          ...(await rowsOf(client, `other-of-${tenantId}`)),
          ...(wanted.key === null ? [] : await rowsOf(client, tenantId, 'stays')),
        ]
        const before = await others()
        {
          await using db = openDatabase({ url: database.url, poolSize: 2 })
          const dying = dyingDatabase(db, at)
          const run = eraseRunning(dying.db, () => false)
          if (
            await run.then(
              () => true,
              () => false,
            )
          )
            isThrough = true
          expect(dying.isDead).toBe(!isThrough)
          places.push(dying.place)
        }
        expect([places.at(-1), await halfErased(client, tenantId)]).toEqual([places.at(-1), []])
        await using next = openDatabase({ url: database.url, poolSize: 2 })
        await eraseRunning(next, () => false)
        await expectErased(client, tenantId, id, wanted)
        expect(await others()).toEqual(before)
      }
    })
    // Two portions, and each time a transaction with all that belongs to it.
    expect(places.filter((place) => place === 'erase-events')).toHaveLength(2)
    expect(places.filter((place) => place === 'commit')).toHaveLength(2)
    expect(places).toEqual(
      expect.arrayContaining(['Erasure.findMany', 'begin', 'forget-replay-keys', 'advance-erasure', '']),
    )
  },
)

test('an erasure that is killed again and again gets further each time, and ends', { timeout: 60_000 }, async () => {
  await withBystander(database.url, async (client) => {
    const id = await ask(client, 'again', 'gone')
    let runs = 0
    for (let isThrough = false; !isThrough; runs += 1) {
      await using db = openDatabase({ url: database.url, poolSize: 2 })
      // Behind the first portion, always in the middle of the second one that this run would do.
      isThrough = await eraseRunning(dyingDatabase(db, 12).db, () => false).then(
        () => true,
        () => false,
      )
      expect(await halfErased(client, 'again')).toEqual([])
    }
    expect(runs).toBe(2)
    await expectErased(client, 'again', id, { key: 'gone', events: goneCount })
  })
})
