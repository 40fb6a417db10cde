import { limits, uuidV7 } from '@posthorn/contract'
import { sampleEvents } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi, world } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

/** A new event type with this schema. */
async function eventType(name: string, schema?: object): Promise<void> {
  expect((await api.ask('PUT', `/v1/event-types/${name}`, {})).status).toBe(201)
  if (schema !== undefined) await version(name, schema)
}

async function version(name: string, schema: object): Promise<void> {
  expect((await api.ask('POST', `/v1/event-types/${name}/versions`, { schema })).status).toBe(201)
}

async function publish(type: string, data: unknown, tenant = 'acme'): Promise<string> {
  const { status, body } = await api.ask('POST', '/v1/events', { tenant, type, data })
  expect(status).toBe(202)
  return body.id
}

async function observations(name: string, as = 'admin') {
  const { status, body } = await api.ask('GET', `/v1/event-types/${name}/observations`, undefined, { as })
  expect(status).toBe(200)
  return body
}

/** Events as they are stored, of now. */
function rows(type: string, count: number, data: string) {
  return Array.from({ length: count }, () => {
    return { id: uuidV7(Date.now(), world.randomBytes(10)), tenantId: 'acme', type, timestamp: new Date(), data }
  })
}

const schema = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string' },
    status: { enum: ['open', 'paid'] },
    note: { type: 'string' },
    never: { type: 'string' },
  },
}

test('what was published for all tenants stands beside what the newest schema declares, in counts', async () => {
  await eventType('order.placed', schema)
  await publish('order.placed', { id: 'a', status: 'paid', note: 'call Jane' })
  await publish('order.placed', { id: 'b', status: 'refunded', extra: 1 }, 'globex')
  await publish('order.placed', { status: 'open', extra: 'x', note: 'call Joe' })
  const body = await observations('order.placed')
  expect(body).toMatchObject({
    event_type: 'order.placed',
    version: 1,
    compared: true,
    sample: { events: 3, complete: true, versions: [{ version: null, events: 3 }] },
    counts: { undeclared: 1, never_seen: 1, required_missing: 1, undeclared_type: 0, outside_list: 1 },
    more_fields: 0,
  })
  expect(body.data.map(({ path, findings }: { path: string; findings: string[] }) => [path, ...findings])).toEqual([
    ['data'],
    ['data.id', 'required_missing'],
    ['data.status', 'outside_list'],
    ['data.note'],
    ['data.never', 'never_seen'],
    ['data.extra', 'undeclared'],
  ])
  expect(body.data[2]).toMatchObject({
    events: 3,
    percent: 100,
    outside_events: 1,
    values: [
      { value: 'refunded', declared: false, events: 1 },
      { value: 'open', declared: true, events: 1 },
      { value: 'paid', declared: true, events: 1 },
    ],
  })
  expect(body.data[3]).toMatchObject({ events: 2, percent: 66.7, values: null })
  expect(JSON.stringify(body)).not.toMatch(/Jane|Joe/)
})

test('who may not see payloads is told counts and no values', async () => {
  await eventType('order.canceled', schema)
  await publish('order.canceled', { id: 'a', status: 'refunded' })
  expect((await observations('order.canceled', 'viewer')).data[2].values).toHaveLength(3)
  const [, , field] = (await observations('order.canceled', 'support')).data
  expect(field).toMatchObject({ path: 'data.status', values: null, more_values: 0, outside_events: 1 })
})

test('events from before the newest version are not held against it', async () => {
  await eventType('order.paid', schema)
  await publish('order.paid', { id: 'a', old: 1 })
  await version('order.paid', { ...schema, properties: { ...schema.properties, fresh: { type: 'integer' } } })
  expect((await observations('order.paid')).sample).toMatchObject({ events: 0, oldest_at: null, complete: true })
  await publish('order.paid', { id: 'a', fresh: 1 })
  const body = await observations('order.paid')
  expect(body).toMatchObject({ version: 2, sample: { events: 1 }, counts: { undeclared: 0 } })
})

test('an event whose content was erased is not looked at', async () => {
  await eventType('order.lost', schema)
  await publish('order.lost', { id: 'a', gone: 1 })
  await publish('order.lost', { id: 'b' })
  const gone = await api.db.prisma.event.findFirstOrThrow({ where: { type: 'order.lost' }, orderBy: { id: 'asc' } })
  await api.db.prisma.event.updateMany({ where: { id: gone.id }, data: { data: 'null', erasedAt: new Date() } })
  expect(await observations('order.lost')).toMatchObject({ sample: { events: 1 }, counts: { undeclared: 0 } })
})

test('a type without a schema, and one without an event', async () => {
  await eventType('order.seen')
  expect(await observations('order.seen')).toMatchObject({ version: null, compared: false, data: [] })
  await publish('order.seen', { id: 'a' })
  expect(await observations('order.seen')).toMatchObject({ compared: false, counts: { undeclared: 1 } })
})

test('however many and large they are, so many events and bytes are looked at, the newest', async () => {
  await eventType('order.huge', schema)
  const data = JSON.stringify({ id: 'a', note: 'x'.repeat(100_000) })
  const small = JSON.stringify({ id: 'a' })
  await api.db.prisma.event.createMany({ data: rows('order.huge', 100, data) })
  const large = await observations('order.huge')
  expect(large.sample.bytes).toBeLessThanOrEqual(limits.observedBytesMax)
  expect(large.sample.events).toBe(Math.floor(limits.observedBytesMax / data.length))
  expect(large.sample.complete).toBe(false)
  await api.db.prisma.event.createMany({ data: rows('order.huge', limits.observedEventsMax + 1, small) })
  const many = await observations('order.huge')
  expect(many.sample).toMatchObject({ complete: false })
  expect(many.sample.events).toBeGreaterThan(0)
  expect(many.sample.events).toBeLessThanOrEqual(limits.observedEventsMax)
})

test('a type that is rare among the newest events is found by every sixteenth of its older ones', async () => {
  await eventType('order.rare', schema)
  await api.db.prisma.event.createMany({ data: rows('order.rare', 640, JSON.stringify({ id: 'a', rare: 1 })) })
  const small = await observations('order.rare')
  expect(small.sample.events).toBe(limits.observedEventsMax)
  await api.db.prisma.event.createMany({ data: rows('order.often', 2_100, '{}') })
  const body = await observations('order.rare')
  expect(body).toMatchObject({ sample: { complete: false }, counts: { undeclared: 1 } })
  // 40 of 640 by chance: fewer than 10 or more than 90 come less often than once in a billion runs.
  expect(body.sample.events).toBeGreaterThan(10)
  expect(body.sample.events).toBeLessThan(90)
})

test('the sample is found by its index, and others are not planned by it', async () => {
  await withClient(api.url, async (client) => {
    await client.query('set enable_seqscan = off')
    const planOf = async (text: string) => {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`)
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    }
    const floor = '00000000-0000-7000-8000-000000000000'
    const ofType = `select id, data from event where type = 'a' and id >= '${floor}'`
    const sampled = 'erased_at is null and get_byte(uuid_send(id), 15) < 16'
    const plan = await planOf(`${ofType} and ${sampled} order by id desc limit 501`)
    expect(plan).toMatch(/Index Scan Backward using event_\w*type_id_idx/)
    expect(plan).not.toContain('Sort')
    expect(await planOf(`select id from event where type = 'a' order by id desc limit 50`)).not.toContain('type_id_idx')
  })
})

test('404 for a type that is not known, 403 for roles that see one tenant only', async () => {
  const ask = async (name: string, as: string) => {
    const { status, body } = await api.ask('GET', `/v1/event-types/${name}/observations`, undefined, { as })
    return [status, body.code]
  }
  expect(await ask('nothing', 'admin')).toEqual([404, 'event_type_not_found'])
  expect(await ask('a..b', 'admin')).toEqual([404, 'event_type_not_found'])
  for (const role of ['tenant', 'publisher']) expect(await ask('invoice.paid', role)).toEqual([403, 'forbidden'])
  const { body } = await api.ask('POST', '/v1/tenants/acme/portal-sessions', { capabilities: ['event-types:read'] })
  expect(await ask('invoice.paid', body.token)).toEqual([403, 'forbidden'])
})

test('a database that does not get to it in time says so, and nothing waits for it any longer', async () => {
  await eventType('order.slow', schema)
  await withClient(api.url, async (client) => {
    await client.query('begin')
    await client.query('lock table event in access exclusive mode')
    await expect(sampleEvents({ db: api.db, world }, 'order.slow')).rejects.toThrow('The database does not answer')
    await client.query('rollback')
  })
  expect((await observations('order.slow')).sample.events).toBe(0)
}, 20_000)
