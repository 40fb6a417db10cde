import { formatId, limits, parseId, uuidV7 } from '@posthorn/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi, world } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
  await api.ask('PUT', '/v1/event-types/order.placed', {})
  for (const tenant of ['acme', 'globex']) {
    await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, { url: callbackUrl, event_types: ['*'] })
  }
})
afterAll(() => api[Symbol.asyncDispose]())

async function publish(keys: Record<string, string>, { tenant = 'acme', type = 'invoice.paid' } = {}) {
  const { body } = await api.ask('POST', '/v1/events', { tenant, type, data: 1, keys })
  return { event: String(body.id), delivery: String(body.deliveries[0].id) }
}

/** The row of a delivery, moved to where a dispatcher would have brought it. */
async function ended(delivery: string, data: object): Promise<void> {
  const id = parseId('delivery', delivery) ?? ''
  await api.db.prisma.backlog.delete({ where: { deliveryId: id } })
  await api.db.prisma.delivery.update({ where: { id }, data: { finishedAt: new Date(), ...data } })
}

async function attempted(delivery: string, trigger: string): Promise<void> {
  const row = await api.db.prisma.delivery.findFirstOrThrow({ where: { id: parseId('delivery', delivery) ?? '' } })
  await api.db.prisma.attempt.create({
    data: {
      id: uuidV7(world.now(), world.randomBytes(10)),
      deliveryId: row.id,
      tenantId: row.tenantId,
      eventId: row.eventId,
      subscriptionId: row.subscriptionId,
      number: 1,
      trigger,
      startedAt: new Date(),
      url: callbackUrl,
      requestHeaders: {},
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 1,
      failureCode: 'connect_refused',
    },
  })
}

async function found(list: 'deliveries' | 'events', query: string, as?: 'tenant'): Promise<string[]> {
  const { status, body } = await api.ask('GET', `/v1/${list}?${query}`, undefined, as ? { as } : {})
  expect([status, body.errors]).toEqual([200, undefined])
  return body.data.map(({ id }: { id: string }) => id)
}

describe('business keys', () => {
  test('find the events that were published with them, and their deliveries', async () => {
    const one = await publish({ order: 'ord_42', customer: 'c_1' })
    const two = await publish({ order: 'ord_43', customer: 'c_1' }, { type: 'order.placed' })
    const other = await publish({ order: 'ord_42' }, { tenant: 'globex' })
    const named = await publish({ invoice: 'ord_42' })
    for (const list of ['events', 'deliveries'] as const) {
      const id = ({ event, delivery }: typeof one) => (list === 'events' ? event : delivery)
      expect(await found(list, 'key.order=ord_42')).toEqual([id(other), id(one)])
      expect(await found(list, 'key.order=ord_42&tenant=acme')).toEqual([id(one)])
      expect(await found(list, 'key.order=ord_42', 'tenant')).toEqual([id(one)])
      expect(await found(list, 'key.order=ord_42&key.order=ord_43&tenant=acme')).toEqual([id(two), id(one)])
      expect(await found(list, 'key.order=ord_43&key.customer=c_1')).toEqual([id(two)])
      expect(await found(list, 'key.customer=c_1&event_type=order.*')).toEqual([id(two)])
      expect(await found(list, 'key.customer=c_1&limit=1&order=asc')).toEqual([id(one)])
      expect(await found(list, 'key.order=ord_43&key.customer=c_2')).toEqual([])
      expect(await found(list, 'key.invoice=ord_42')).toEqual([id(named)])
      expect(await found(list, 'key.order=ord_42&until=1d')).toEqual([])
      expect(await found(list, 'key.order=ord_42&tenant=globex', 'tenant')).toEqual([])
    }
  })

  test('may have any sign that a publisher may put there, and nothing in them is a pattern', async () => {
    const odd = await publish({ 'a.b_c-d': '100 % of \'it\' \\ "all" — {über}, $1 & key.x=y' })
    const query = new URLSearchParams({ 'key.a.b_c-d': '100 % of \'it\' \\ "all" — {über}, $1 & key.x=y' })
    expect(await found('events', query.toString())).toEqual([odd.event])
    expect(await found('events', 'key.a.b_c-d=100+%25')).toEqual([])
    expect(await found('events', 'key.a.b_c-d=%25')).toEqual([])
    const proto = await publish({ constructor: 'x' })
    expect(await found('deliveries', 'key.constructor=x')).toEqual([proto.delivery])
  })

  test('are found again for an event that is published twice, and once', async () => {
    const body = { tenant: 'acme', type: 'invoice.paid', data: 1, id: 'twice', keys: { order: 'twice' } }
    await api.ask('POST', '/v1/events', body)
    expect((await api.ask('POST', '/v1/events', body)).status).toBe(200)
    expect(await found('deliveries', 'key.order=twice')).toHaveLength(1)
  })
})

describe('what came of deliveries', () => {
  test('finds them by the cause, the status or its class, and by what their attempts were made for', async () => {
    const [a, b, c, d] = [await publish({}), await publish({}), await publish({}), await publish({})]
    const among = ['tenant=acme', ...[a, b, c, d].map(({ event }) => `event=${event}`)].join('&')
    const only = (query: string) => found('deliveries', `${among}&${query}`)
    await ended(a.delivery, { state: 'failed', lastFailureCode: 'http_5xx', lastHttpStatus: 503 })
    await ended(b.delivery, { state: 'failed', lastFailureCode: 'http_4xx', lastHttpStatus: 404 })
    await ended(c.delivery, { state: 'failed', lastFailureCode: 'dns_not_found' })
    await ended(d.delivery, { state: 'delivered', lastHttpStatus: 204, deliveredAt: new Date() })
    await attempted(a.delivery, 'resend')
    expect(await only('failure_code=http_5xx')).toEqual([a.delivery])
    expect(await only('failure_code=http_5xx&failure_code=dns_not_found')).toEqual([c.delivery, a.delivery])
    expect(await only('http_status=503')).toEqual([a.delivery])
    expect(await only('http_status=5xx&http_status=404')).toEqual([b.delivery, a.delivery])
    expect(await only('http_status=2xx')).toEqual([d.delivery])
    expect(await only('http_status=500')).toEqual([])
    expect(await only('trigger=resend')).toEqual([a.delivery])
    expect(await only('trigger=replay&trigger=test')).toEqual([])
    expect(await only('state=failed&http_status=4xx')).toEqual([b.delivery])
  })

  test('a replay finds its own deliveries, and for a tenant only where it is its own', async () => {
    const { delivery } = await publish({})
    const row = await api.db.prisma.delivery.findFirstOrThrow({ where: { id: parseId('delivery', delivery) ?? '' } })
    const make = async (tenantId: string | null) => {
      const id = uuidV7(world.now(), world.randomBytes(10))
      const items = { create: { deliveryId: row.id, tenantId: row.tenantId, subscriptionId: row.subscriptionId } }
      await api.db.prisma.replay.create({ data: { id, tenantId, filter: {}, actor: 'a', until: new Date(), items } })
      return formatId('replay', id)
    }
    const [own, operators] = [await make('acme'), await make(null)]
    expect(await found('deliveries', `replay=${own}&replay=${operators}`)).toEqual([delivery])
    expect(await found('deliveries', `replay=${own}`, 'tenant')).toEqual([delivery])
    expect(await found('deliveries', `replay=${operators}`, 'tenant')).toEqual([])
  })
})

test('the number of all that fit is told when it is asked for, whatever is on the page', async () => {
  for (let n = 0; n < 3; n += 1) await publish({ batch: 'counted' })
  for (const list of ['events', 'deliveries']) {
    const asked = await api.ask('GET', `/v1/${list}?key.batch=counted&limit=1&count=exact`)
    expect([asked.body.count, asked.body.data.length]).toEqual([3, 1])
    const next = await api.ask(
      'GET',
      `/v1/${list}?key.batch=counted&limit=1&count=exact&cursor=${asked.body.next_cursor}`,
    )
    expect([next.body.count, next.body.data.length]).toEqual([3, 1])
    const foreign = await api.ask('GET', `/v1/${list}?tenant=globex&count=exact`, undefined, { as: 'tenant' })
    expect([foreign.body.count, foreign.body.data]).toEqual([0, []])
    expect((await api.ask('GET', `/v1/${list}?limit=1`)).body).not.toHaveProperty('count')
  }
})

test.each([
  ['deliveries', 'colour=red', '?colour'],
  ['events', 'state=failed', '?state'],
  ['deliveries', 'state=lost', '?state'],
  ['deliveries', 'failure_code=http_503', '?failure_code'],
  ['deliveries', 'http_status=50', '?http_status'],
  ['deliveries', 'http_status=5XX', '?http_status'],
  ['deliveries', 'http_status=503%20or%201=1', '?http_status'],
  ['deliveries', 'trigger=manual', '?trigger'],
  ['deliveries', 'event_type=order.%25', '?event_type'],
  ['deliveries', 'event_type=order.**', '?event_type'],
  ['deliveries', 'replay=rpl_1', '?replay'],
  ['deliveries', 'subscription=evt_00000000000000000000000000', '?subscription'],
  ['deliveries', 'since=yesterday', '?since'],
  ['deliveries', 'since=1h&since=2h', '?since'],
  ['deliveries', 'until=2026-02-31T00:00:00Z', '?until'],
  ['deliveries', 'limit=0', '?limit'],
  ['deliveries', `limit=${limits.pageSizeMax + 1}`, '?limit'],
  ['deliveries', 'limit=99999999999999999999', '?limit'],
  ['deliveries', 'count=all', '?count'],
  ['deliveries', 'key.=x', '?key.'],
  ['deliveries', 'key.order', '?key.order'],
  ['deliveries', 'key.or%20der=x', '?key.or der'],
  ['events', 'key.order=%00', '?key.order'],
  ['events', `key.order=${'x'.repeat(limits.businessKeyValueLengthMax + 1)}`, '?key.order'],
  ['events', 'key.a=1&key.b=1&key.c=1&key.d=1&key.e=1', '?key.e'],
  ['deliveries', 'event=&'.repeat(3), '?event'],
  ['deliveries', 'state=failed&'.repeat(limits.listFilterValuesMax + 1), '?state'],
])('422 naming the place of what is no filter: %s?%s', async (list, query, pointer) => {
  const { status, body } = await api.ask('GET', `/v1/${list}?${query}`)
  expect([status, body.code]).toEqual([422, 'invalid_request'])
  expect(body.errors.map((place: { pointer: string }) => place.pointer)).toContain(pointer)
})

test('an id that cannot be one matches nothing', async () => {
  expect(await found('deliveries', 'event=evt_7zzzzzzzzzzzzzzzzzzzzzzzzz')).toEqual([])
  expect(await found('deliveries', 'tenant=nobody')).toEqual([])
})
