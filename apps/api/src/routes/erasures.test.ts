import { parseId } from '@posthorn/contract'
import { createPublisher, eraseRunning, publishOutbox, requestErasure } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi, world } from '../testing/api.ts'

const canary = 'CANARY_4242'

let api: TestApi
let subscription: string
beforeAll(async () => {
  api = await startTestApi()
  const draft = { url: callbackUrl, event_types: ['*'] }
  subscription = (await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)).body.id
  await api.ask('POST', '/v1/tenants/globex/subscriptions', draft)
})
afterAll(() => api[Symbol.asyncDispose]())

const uuid = (noun: 'event' | 'delivery', id: string) => parseId(noun, id) ?? ''

/** Publishes an event full of canaries. */
async function published(order: string, tenant = 'acme'): Promise<{ event: string; delivery: string }> {
  const keys = { order, person: canary }
  const headers = { 'x-person': canary }
  const event = { tenant, type: 'invoice.paid', data: { name: canary }, keys, headers, id: `${canary}_${order}` }
  const { body } = await api.ask('POST', '/v1/events', event)
  return { event: body.id, delivery: body.deliveries[0].id }
}

/** As if it had been sent and refused, with canaries in the answer. */
async function attempted({ event, delivery }: { event: string; delivery: string }, tenantId = 'acme'): Promise<void> {
  await api.db.prisma.attempt.create({
    data: {
      id: uuid('delivery', delivery),
      tenantId,
      deliveryId: uuid('delivery', delivery),
      eventId: uuid('event', event),
      subscriptionId: parseId('subscription', subscription) ?? '',
      number: 1,
      trigger: 'resend',
      reason: canary,
      startedAt: new Date(),
      url: callbackUrl,
      requestHeaders: { 'x-person': canary },
      httpStatus: 500,
      failureCode: 'http_5xx',
      responseHeaders: { 'x-person': canary },
      responseBody: Buffer.from(canary),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 1,
    },
  })
}

/** Rows of any of our tables that hold the canary, by table. The log of what is asked of us here is part of it. */
async function tablesWithCanary(where = ''): Promise<string[]> {
  return withClient(api.url, async (client) => {
    const tables = await client.query<{ name: string }>(
      "select c.oid::regclass::text as name from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace",
    )
    const found: string[] = []
    for (const { name } of tables.rows) {
      const text = `select 1 from ${name} t where (t::text like '%${canary}%' or t::text like '%${Buffer.from(canary).toString('hex')}%') ${where} limit 1`
      if ((await client.query(text)).rowCount) found.push(name)
    }
    return found.toSorted()
  })
}

test('one call erases one business key: nothing of the content is left anywhere, and the fact of delivery stays', async () => {
  const gone = await published('ord_42')
  await attempted(gone)
  const stays = await published('ord_43')
  const foreign = await published('ord_42', 'globex')
  const before = await tablesWithCanary(`and t::text like '%ord_42%'`)
  expect(before).toEqual(['event', 'event_publish_id'])

  const asked = await api.ask('POST', '/v1/erasures', { tenant: 'acme', key: { order: 'ord_42' }, reason: 'request 7' })
  expect([asked.status, asked.body.state, asked.body.key_name]).toEqual([202, 'running', 'order'])
  expect(await eraseRunning(api.db, () => false)).toBe(1)

  const erasure = await api.ask('GET', `/v1/erasures/${asked.body.id}`)
  expect(erasure.body).toMatchObject({ state: 'completed', events: 1, deliveries: 1, attempts: 1, canceled: 1 })
  expect(erasure.text).not.toContain('ord_42')
  const event = await api.ask('GET', `/v1/events/${gone.event}`)
  expect(event.body).toMatchObject({
    data: null,
    headers: {},
    keys: {},
    publish_id: null,
    erased_at: expect.any(String),
  })
  const delivery = await api.ask('GET', `/v1/deliveries/${gone.delivery}`)
  expect(delivery.body).toMatchObject({ state: 'canceled', canceled_reason: 'erased', erased_at: expect.any(String) })
  const attempts = await api.ask('GET', `/v1/deliveries/${gone.delivery}/attempts`)
  expect(attempts.text).not.toContain(canary)
  expect(attempts.body).toMatchObject({ request_body: null, data: [{ failure_code: 'http_5xx', reason: null }] })
  for (const answer of [
    await api.ask('POST', `/v1/deliveries/${gone.delivery}/resend`),
    await api.ask('GET', `/v1/events/${gone.event}/matches`),
    await api.ask('POST', `/v1/subscriptions/${subscription}/transform-previews`, { event_id: gone.event }),
  ]) {
    expect([answer.status, answer.body.code]).toEqual([409, 'content_erased'])
  }
  // The other key and the other tenant's same key are untouched.
  for (const { event } of [stays, foreign]) {
    expect((await api.ask('GET', `/v1/events/${event}`)).body).toMatchObject({
      data: { name: canary },
      erased_at: null,
    })
  }
})

test('what is in flight is waited for, and erased when it has ended', async () => {
  const flying = await published('ord_fly')
  const deliveryId = uuid('delivery', flying.delivery)
  await api.db.prisma.backlog.update({
    where: { deliveryId },
    data: { leasedAt: new Date(), ready: false, attemptId: deliveryId },
  })
  const asked = await api.ask('POST', '/v1/erasures', { tenant: 'acme', key: { order: 'ord_fly' }, reason: 'r' })
  expect(await eraseRunning(api.db, () => false)).toBe(0)
  expect((await api.ask('GET', `/v1/erasures/${asked.body.id}`)).body).toMatchObject({ state: 'running', events: 0 })
  expect((await api.ask('GET', `/v1/events/${flying.event}`)).body.data).toEqual({ name: canary })

  await api.db.prisma.backlog.update({ where: { deliveryId }, data: { leasedAt: null, ready: true, attemptId: null } })
  expect(await eraseRunning(api.db, () => false)).toBe(1)
  expect((await api.ask('GET', `/v1/erasures/${asked.body.id}`)).body).toMatchObject({
    state: 'completed',
    canceled: 1,
  })
  expect(await api.db.prisma.backlog.findUnique({ where: { deliveryId } })).toBeNull()
})

test('an erasure that was stopped in the middle goes on where it was, and ends with every event once', async () => {
  const count = 120
  for (let index = 0; index < count; index += 1) await published('ord_many')
  await withClient(api.url, (client) => client.query('delete from event_publish_id'))
  for (let index = 0; index < count; index += 1) await publishedPlain('ord_many', index)
  const asked = await api.ask('POST', '/v1/erasures', { tenant: 'acme', key: { order: 'ord_many' }, reason: 'r' })
  let portions = 0
  await eraseRunning(api.db, () => portions++ > 0)
  const middle = await api.ask('GET', `/v1/erasures/${asked.body.id}`)
  expect(middle.body).toMatchObject({ state: 'running', events: 50 })
  await eraseRunning(api.db, () => false)
  const end = await api.ask('GET', `/v1/erasures/${asked.body.id}`)
  expect(end.body).toMatchObject({ state: 'completed', events: count + 1, deliveries: count + 1 })
})

/** Without an id of the publisher's. */
async function publishedPlain(order: string, index: number): Promise<void> {
  await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: index, keys: { order } })
}

test('one call erases all of a tenant, of a deleted one too, and nothing of it is left but in the log of erasures', async () => {
  await attempted(await published('ord_last', 'globex'), 'globex')
  expect((await api.ask('DELETE', '/v1/tenants/globex')).status).toBe(204)
  const asked = await api.ask('POST', '/v1/erasures', { tenant: 'globex', reason: 'contract ended' })
  expect(asked.status).toBe(202)
  await api.ask('POST', '/v1/erasures', { tenant: 'acme', reason: 'contract ended' })
  await eraseRunning(api.db, () => false)
  expect((await api.ask('GET', `/v1/erasures/${asked.body.id}`)).body).toMatchObject({ state: 'completed', events: 2 })
  expect(await tablesWithCanary()).toEqual([])
})

test('a resend of an erased delivery is impossible, for whatever statement', async () => {
  await withClient(api.url, async (client) => {
    const reopen =
      "update delivery set state = 'pending', finished_at = null, canceled_reason = null where erased_at is not null"
    await expect(client.query(reopen)).rejects.toThrow('delivery_erased_is_final')
  })
})

test.each([
  ['a tenant that is not there', { tenant: 'nobody', reason: 'r' }, 404, 'tenant_not_found'],
  ['no reason', { tenant: 'acme' }, 422, 'invalid_request'],
  ['two keys', { tenant: 'acme', key: { a: '1', b: '2' }, reason: 'r' }, 422, 'invalid_request'],
  ['an empty key', { tenant: 'acme', key: {}, reason: 'r' }, 422, 'invalid_request'],
])('%s: refused, and nothing is erased', async (_what, body, status, code) => {
  const count = await api.db.prisma.erasure.count()
  const answer = await api.ask('POST', '/v1/erasures', body)
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(await api.db.prisma.erasure.count()).toBe(count)
})

test('404 for an erasure that is not there, and they are listed in pages', async () => {
  const missing = await api.ask('GET', '/v1/erasures/era_00000000000000000000000000')
  expect([missing.status, missing.body.code]).toEqual([404, 'erasure_not_found'])
  const page = await api.ask('GET', '/v1/erasures?limit=1')
  const next = await api.ask('GET', `/v1/erasures?limit=1&cursor=${page.body.next_cursor}`)
  expect(next.body.data[0].id < page.body.data[0].id).toBe(true)
})

describe('what is in the outbox', () => {
  beforeAll(async () => {
    await api.ask('PUT', '/v1/event-types/order.placed', { key_pointers: { order: '/order/id' } })
  })

  /** Writes an event as a backend would, inside a transaction of its own. */
  async function write(data: string, more: { keys?: object; type?: string; tenant?: string } = {}): Promise<string> {
    const { keys = {}, type = 'order.placed', tenant = 'acme' } = more
    return withClient(api.url, async (client) => {
      const text = 'insert into outbox_event (tenant_id, type, data, keys) values ($1, $2, $3, $4) returning id'
      return (await client.query<{ id: string }>(text, [tenant, type, data, keys])).rows[0]?.id ?? ''
    })
  }

  const left = async () => (await api.db.prisma.outboxEvent.findMany({ orderBy: { place: 'asc' } })).map(({ id }) => id)
  const erase = (key: object) => api.ask('POST', '/v1/erasures', { tenant: 'acme', key, reason: 'request 8' })
  const publisher = () =>
    createPublisher({ ...{ db: api.db, world, checkSchema: async () => [] }, createEventTypes: false, onWork() {} })

  test('goes with its business key, also where that is only read out of the data, by the rules of publishing', async () => {
    await api.db.prisma.outboxEvent.deleteMany()
    const goes = [
      await write(`{"name":"${canary}"}`, { keys: { order: 'ord_9' } }),
      await write(`{"order":{"id":"ord_9"},"name":"${canary}"}`),
      await write(`{"order":{"id":"ord\\u005f9"}, "name":"${canary}"}`),
      await write(`{"order":{"id":"ord_9"},"name":"${canary}"}`, { keys: { order: 'ord_9', other: 1 } }),
    ]
    // Refused, because of a key that is none, and kept with all it holds.
    goes.push(await write(`{"order":{"id":"ord_9"},"name":"${canary}"}`, { keys: { 'not a name': 'x' } }))
    const stays = [
      await write('{"order":{"id":"ord_10"}}'),
      await write('{"order":{"id":"ord_9"},"order":{"id":"ord_9"}}'), // nobody can say which of the two is meant
      await write('{"order":{"id":"ord_9"}}', { keys: { order: 'ord_11' } }), // what the writer gave counts
      await write('{"order":{"id":"ord_9"}}', { type: 'invoice.paid' }), // its type has no such pointer
      await write('{"order":{"id":"ord_9"}}', { tenant: 'globex' }),
      await write(`${'['.repeat(500)}${']'.repeat(500)}`),
    ]
    await api.db.prisma.outboxEvent.updateMany({
      where: { id: goes.at(-1) ?? '' },
      data: { refusedAt: new Date(), problem: { code: 'invalid_request' } },
    })
    const erased = await erase({ order: 'ord_9' })
    expect([erased.status, await left()]).toEqual([202, stays])
  })

  test('goes by the text of a number, and of a name that means something elsewhere', async () => {
    await api.db.prisma.outboxEvent.deleteMany()
    const large = '12345678901234567890'
    await write(`{"order":{"id":${large}}}`)
    await write(`{}`, { keys: { order: 42 } })
    const near = await write('{"order":{"id":12345678901234567891}}')
    await erase({ order: large })
    await erase({ order: '42' })
    expect(await left()).toEqual([near])
  })

  test('goes from among thousands, in pages', async () => {
    await api.db.prisma.outboxEvent.deleteMany()
    await withClient(api.url, (client) =>
      client.query(`
        insert into outbox_event (tenant_id, type, data)
        select 'acme', 'order.placed', format('{"order":{"id":"o%s"}}', n % 7)::json from generate_series(1, 1400) n`),
    )
    await erase({ order: 'o3' })
    const rows = await api.db.prisma.outboxEvent.findMany({ select: { data: true } })
    expect([rows.length, JSON.stringify(rows).includes('"o3"')]).toEqual([1_200, false])
    await api.db.prisma.outboxEvent.deleteMany()
  })

  test('and being published at this moment is waited for, and is part of the erasure', async () => {
    await write(`{"order":{"id":"ord_now"},"name":"${canary}"}`)
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const real = publisher()
    const slow: typeof real = {
      ...real,
      async publishMany(drafts) {
        begun.resolve()
        await gate.promise
        return real.publishMany(drafts)
      },
    }
    const order: string[] = []
    const relayed = publishOutbox({ db: api.db, publisher: slow, telemetry: () => undefined }).then((count) => {
      order.push(`relayed ${count}`)
    })
    await begun.promise
    const asked = erase({ order: 'ord_now' }).then(({ status, body }) => {
      order.push(`asked ${status}`)
      return body.id
    })
    await isWaitedFor()
    gate.resolve()
    const id = await asked
    await relayed
    expect(order.toSorted()).toEqual(['asked 202', 'relayed 1'])
    expect(order[1]).toBe('asked 202')
    expect(await eraseRunning(api.db, () => false)).toBe(1)
    expect((await api.ask('GET', `/v1/erasures/${id}`)).body).toMatchObject({ state: 'completed', events: 1 })
    expect(await left()).toEqual([])
  })

  test('503 when it is being published for too long: nothing is erased, and nothing was asked for', async () => {
    await write('{"order":{"id":"ord_busy"}}')
    const before = await api.db.prisma.erasure.count()
    await withClient(api.url, async (client) => {
      // As a dispatcher does that publishes and does not come to an end.
      await client.query('select pg_advisory_lock(7267846303)')
      const draft = { tenantId: 'acme', key: { name: 'order', value: 'ord_busy' }, actor: 'staff:ada', reason: 'r' }
      await expect(
        requestErasure({ db: api.db, world, jobs: null as never, outboxWaitMs: 50 }, draft),
      ).rejects.toMatchObject({
        code: 'overloaded',
        retryAfterSeconds: 5,
      })
    })
    expect([await api.db.prisma.erasure.count(), (await left()).length]).toEqual([before, 1])
  })

  /** Resolves when somebody waits for the outbox. */
  async function isWaitedFor(): Promise<void> {
    await withClient(api.url, async (client) => {
      for (let waits = 0; waits === 0; ) {
        const { rowCount } = await client.query(`select from pg_locks where locktype = 'advisory' and not granted
           and database = (select oid from pg_database where datname = current_database())`)
        waits = rowCount ?? 0
      }
    })
  }
})
