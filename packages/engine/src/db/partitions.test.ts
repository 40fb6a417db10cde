import { uuidFloor, uuidV7 } from '@posthorn/contract'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEmptyDatabase, type TestDatabase } from '../testing/index.ts'
import { migrate } from './migrate.ts'
import { ensurePartitions, partitionsReadyUntil } from './partitions.ts'

const hourMs = 3_600_000
const noon = new Date('2026-02-28T12:00:00Z')

let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await createEmptyDatabase()
  await migrate(database.url)
  pool = new pg.Pool({ connectionString: database.url })
})

afterAll(async () => {
  await pool.end()
  await database[Symbol.asyncDispose]()
})

test('without partitions nothing can be stored today', async () => {
  expect(await partitionsReadyUntil(pool, noon)).toEqual(new Date('2026-02-28T00:00:00Z'))
  await expect(storeEvent(noon.getTime())).rejects.toMatchObject({ code: '23514' })
})

test('concurrent callers make each partition once', async () => {
  const made = await Promise.all(
    Array.from({ length: 4 }, () => ensurePartitions(pool, { now: noon, daysBack: 1, daysAhead: 1 })),
  )
  expect(made.flat().sort()).toEqual([
    'attempt_20260227', 'attempt_20260228', 'attempt_20260301',
    'delivery_20260227', 'delivery_20260228', 'delivery_20260301',
    'event_20260227', 'event_20260228', 'event_20260301',
    'event_key_20260227', 'event_key_20260228', 'event_key_20260301',
  ]) // biome-ignore format: a table a line
  expect(await ensurePartitions(pool, { now: noon, daysBack: 1, daysAhead: 1 })).toEqual([])
})

test('a row lies in the partition of its UTC day, from the first millisecond to the last', async () => {
  const midnight = Date.parse('2026-03-01T00:00:00Z')
  await storeEvent(midnight - 1)
  await storeEvent(midnight)
  const { rows } = await pool.query('select tableoid::regclass::text as partition from event order by id')
  expect(rows.map((row) => row.partition)).toEqual(['event_20260228', 'event_20260301'])
  // The smallest possible id of a day belongs to that day, not to the one before.
  await storeEvent(midnight, uuidFloor(midnight))
})

test('a day that is missing in between is filled, and until then only the days before it are ready', async () => {
  await ensurePartitions(pool, { now: new Date('2026-03-04T01:00:00Z'), daysBack: 0, daysAhead: 0 })
  expect(await partitionsReadyUntil(pool, noon)).toEqual(new Date('2026-03-02T00:00:00Z'))
  const made = await ensurePartitions(pool, { now: noon, daysBack: 0, daysAhead: 4 })
  expect(made).toHaveLength(8)
  expect(await partitionsReadyUntil(pool, noon)).toEqual(new Date('2026-03-05T00:00:00Z'))
})

test('a partition has the indexes and constraints of its table', async () => {
  const { rows } = await pool.query(`
    select count(*)::int as indexes, count(*) filter (where i.inhrelid is null)::int as unattached
    from pg_index x left join pg_inherits i on i.inhrelid = x.indexrelid
    where x.indrelid = 'delivery_20260228'::regclass`)
  const parent = await pool.query(`select count(*)::int as indexes from pg_index where indrelid = 'delivery'::regclass`)
  expect(rows).toEqual([{ indexes: parent.rows[0].indexes, unattached: 0 }])
  await expect(
    pool.query(
      `insert into delivery_20260228 (id, tenant_id, event_id, event_type, subscription_id, state)
      values ($1, 'acme', $1, 'invoice.paid', $1, 'lost')`,
      [uuidFloor(noon.getTime())],
    ),
  ).rejects.toMatchObject({ code: '23514', constraint: 'delivery_state' })
})

test('partitions are made while other transactions read and write the table', async () => {
  const writer = await pool.connect()
  try {
    await writer.query('begin')
    await writer.query('select count(*) from event')
    await writer.query(...eventRow(noon.getTime() + hourMs))
    const made = await ensurePartitions(pool, { now: new Date('2026-04-01T00:00:00Z'), daysBack: 0, daysAhead: 0 })
    expect(made).toHaveLength(4)
    await writer.query('commit')
  } finally {
    writer.release()
  }
})

test('a new partition takes rows at once, through statements that were prepared before it existed', async () => {
  const client = await pool.connect()
  const may = Date.parse('2026-05-01T10:00:00Z')
  const store = (ms: number) => {
    const [text, values] = eventRow(ms)
    return client.query({ name: 'store', text, values })
  }
  try {
    await store(noon.getTime() + 2)
    await expect(store(may)).rejects.toMatchObject({ code: '23514' })
    await ensurePartitions(pool, { now: new Date(may), daysBack: 0, daysAhead: 0 })
    await store(may)
  } finally {
    client.release()
  }
})

function storeEvent(ms: number, id?: string): Promise<unknown> {
  return pool.query(...eventRow(ms, id))
}

function eventRow(ms: number, id = uuidV7(ms, crypto.getRandomValues(new Uint8Array(10)))): [string, unknown[]] {
  const text = 'insert into event (id, tenant_id, type, timestamp, data) values ($1, $2, $3, $4, $5)'
  return [text, [id, 'acme', 'invoice.paid', new Date(ms), '{}']]
}
