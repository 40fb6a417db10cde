/**
 * What a backend engineer who publishes comes to do (B1 to B12), each with the SDK in no more requests than would be
 * ideal. Not here, because no API serves it: B10, testing in CI, is the command `posthorn demo --once`, which has tests of
 * its own (packages/checks/src/demo).
 */
import { openDatabase } from '@posthorn/engine'
import { publishInTransaction } from '@posthorn/sdk/transaction'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, startServed } from '../sdk/serving.ts'

let served: Served

beforeAll(async () => {
  served = await startServed({
    settings: { POSTHORN_CREATE_TENANTS: 'true' },
    answer: ({ path }) => ({ status: path.startsWith('/failing') ? 500 : 204 }),
  })
})

afterAll(() => served[Symbol.asyncDispose]())

test('B1 Send the first event for a customer: 1 request', async () => {
  const { posthorn, counted } = served
  const { result, calls } = await counted(() =>
    posthorn.events.publish({ tenant: 'b1', type: 'order.created', data: { total: 1 } }),
  )
  expect(calls).toEqual(['POST /v1/events'])
  expect(result).toMatchObject({ duplicate: false, deliveries: [] })
  expect(await posthorn.tenants.get('b1')).toMatchObject({ id: 'b1' })
  expect(await posthorn.eventTypes.get('order.created')).toMatchObject({ status: 'active' })
})

test('B2 Know who will receive it: no request beside the one that publishes', async () => {
  const { posthorn, counted } = served
  const wanting = await subscribe('b2', '/b2', ['invoice.*'])
  const other = await subscribe('b2', '/b2-other', ['order.*'])
  const { result, calls } = await counted(() =>
    posthorn.events.publish({ tenant: 'b2', type: 'invoice.paid', data: { total: 1 } }),
  )
  expect(calls).toHaveLength(1)
  expect(result.deliveries.map(({ subscription_id }) => subscription_id)).toEqual([wanting.id])
  // Before anything is sent, the same request as a dry run says why not to the others.
  const dry = await counted(() => posthorn.events.dryRun({ tenant: 'b2', type: 'invoice.paid', data: { total: 1 } }))
  expect(dry.calls).toHaveLength(1)
  expect(dry.result.data).toContainEqual(
    expect.objectContaining({ subscription_id: other.id, matched: false, reason: 'event_type' }),
  )
})

test('B3 Retry a publish safely: the same request again, which answers the first result', async () => {
  const { posthorn, counted } = served
  await subscribe('b3', '/b3')
  const publish = () => posthorn.events.publish({ tenant: 'b3', type: 'order.paid', data: {}, id: 'ord_42-paid' })
  const { result, calls } = await counted(async () => [await publish(), await publish()])
  expect(calls).toHaveLength(2)
  const [first, second] = result
  expect(second).toEqual({ ...first, duplicate: true })
  const again = await counted(async () => {
    const one = { tenant: 'b3', type: 'order.paid', data: {} }
    const options = { idempotencyKey: 'job-7' }
    return [await posthorn.events.publish(one, options), await posthorn.events.publish(one, options)]
  })
  expect(again.calls).toHaveLength(2)
  expect(again.result[1]?.id).toBe(again.result[0]?.id)
  await served.until(() => arrived('/b3').length === 2)
})

test('B4 Publish from a transaction: one function, and no request', async () => {
  await using db = openDatabase({ url: served.url, poolSize: 2 })
  await subscribe('b4', '/b4')
  const { calls } = await served.counted(() =>
    db.prisma.$transaction(async (tx) => {
      await tx.tenant.update({ where: { id: 'b4' }, data: { name: 'changed with it' } })
      await publishInTransaction(tx, { tenant: 'b4', type: 'order.paid', data: { order: 'ord_1' } })
    }),
  )
  expect(calls).toEqual([])
  await served.until(() => arrived('/b4').length === 1)
  expect(arrived('/b4')).toMatchObject([{ signature: 'valid' }])
})

test('B5 Give customers a portal: 1 request', async () => {
  const { posthorn, counted } = served
  const { id } = await subscribe('b5', '/b5')
  await subscribe('b5-other', '/b5-other')
  const { result, calls } = await counted(() =>
    posthorn.portalSessions.create('b5', {
      capabilities: ['subscriptions:read', 'deliveries:read'],
      ttl_seconds: 600,
      theme: { accent: '#0f62fe' },
    }),
  )
  expect(calls).toHaveLength(1)
  expect(result.url).toContain(result.token)
  // What the customer's browser may see with it: their own, and nothing of another's.
  const portal = served.as(result.token)
  expect(await portal.credential()).toMatchObject({ tenant: 'b5' })
  expect((await portal.subscriptions.list().all()).map((subscription) => subscription.id)).toEqual([id])
  await expect(portal.subscriptions.pause(id)).rejects.toMatchObject({ code: 'forbidden' })
})

test('B6 Describe event types with schema and sample: 1 request, with the document in the repository', async () => {
  const { posthorn, counted } = served
  const example = { order: 'ord_1', total: 1200 }
  const properties = { order: { type: 'string' }, total: { type: 'integer' } }
  const schema = { type: 'object', properties, required: ['order'] }
  const content = { 'application/json': { schema, example } }
  const document = {
    openapi: '3.1.0',
    info: { title: 'Shop', version: '1' },
    webhooks: { 'shipment.sent': { post: { description: 'It left the house', requestBody: { content } } } },
  }
  const { calls } = await counted(() => posthorn.eventTypes.import(document))
  expect(calls).toHaveLength(1)
  expect(await posthorn.eventTypes.get('shipment.sent')).toMatchObject({ latest_version: 1 })
  const [version] = await posthorn.eventTypes.listVersions('shipment.sent').all()
  expect(version).toMatchObject({ schema: { properties }, examples: [example] })
})

test('B7 From an app log line to the delivery: 1 request, by trace id, order id or any other id', async () => {
  const { posthorn, counted } = served
  await subscribe('b7', '/b7')
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const event = await posthorn.events.publish(
    { tenant: 'b7', type: 'order.paid', data: {}, id: 'b7-own', keys: { order: 'ord_b7' } },
    { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` }, idempotencyKey: 'job-b7' },
  )
  for (const text of [trace, 'ord_b7', 'b7-own', event.id]) {
    const { result, calls } = await counted(() => posthorn.search(text))
    expect(calls).toHaveLength(1)
    expect(result.data).toMatchObject([{ kind: 'event', id: event.id, tenant: 'b7' }])
    expect(Object.values(result.data[0]?.links ?? {}).join()).toContain(event.id)
  }
  // The key under which the request was made says that first.
  const { result, calls } = await counted(() => posthorn.search('job-b7'))
  expect(calls).toHaveLength(1)
  expect(result.data).toMatchObject([{ kind: 'idempotency_key' }, { kind: 'event', id: event.id }])
})

test('B8 Hear about failing customers: 1 request, which subscribes the operator', async () => {
  const { posthorn, counted } = served
  const { result, calls } = await counted(() =>
    posthorn.subscriptions.create('posthorn', {
      url: `${served.receiver.origin}/operator`,
      event_types: ['posthorn.delivery.exhausted', 'posthorn.subscription.*'],
    }),
  )
  expect(calls).toHaveLength(1)
  served.receiver.trust('/operator', result.secret)
  await posthorn.tenants.put('b8')
  const failing = await posthorn.subscriptions.create('b8', {
    url: `${served.receiver.origin}/failing/b8`,
    event_types: ['*'],
    final_statuses: [500],
  })
  await posthorn.events.publish({ tenant: 'b8', type: 'order.paid', data: {} })
  const told = await served.until(() => arrived('/operator')[0])
  expect(told.signature).toBe('valid')
  expect(JSON.parse(told.body)).toMatchObject({
    type: 'posthorn.delivery.exhausted',
    data: { tenant: 'b8', subscription_id: failing.id, last_http_status: 500 },
  })
})

test('B9 Keep old headers and the old secret while migrating: 1 request, and the receiver changes nothing', async () => {
  const { posthorn, counted, receiver } = served
  await posthorn.tenants.put('b9')
  const secret = `whsec_${Buffer.alloc(32, 'known to the receiver').toString('base64')}`
  const { calls } = await counted(() =>
    posthorn.subscriptions.create('b9', {
      url: `${receiver.origin}/b9`,
      event_types: ['*'],
      payload_format: 'raw',
      headers: { 'x-legacy-source': 'shop' },
      secret,
    }),
  )
  expect(calls).toHaveLength(1)
  receiver.trust('/b9', secret)
  await posthorn.events.publish({ tenant: 'b9', type: 'order.paid', data: { legacy: 'form' } })
  const [request] = await served.until(() => arrived('/b9').length === 1 && arrived('/b9'))
  expect(request).toMatchObject({
    signature: 'valid',
    body: '{"legacy":"form"}',
    headers: { 'x-legacy-source': 'shop' },
  })
})

test('B11 Rotate a leaked secret with overlap: 1 request', async () => {
  const { posthorn, counted, receiver } = served
  const { id } = await subscribe('b11', '/b11')
  const { result, calls } = await counted(() => posthorn.subscriptions.rotateSecret(id, { overlap_seconds: 3_600 }))
  expect(calls).toHaveLength(1)
  const publish = () => posthorn.events.publish({ tenant: 'b11', type: 'order.paid', data: {} })
  await publish()
  await served.until(() => arrived('/b11').length === 1)
  receiver.trust('/b11', result.secret)
  await publish()
  await served.until(() => arrived('/b11').length === 2)
  // The first was verified with the old secret, the second with the new one.
  expect(arrived('/b11').map(({ signature }) => signature)).toEqual(['valid', 'valid'])
})

test('B12 Erase one person’s payloads: 1 request', async () => {
  const { posthorn, counted } = served
  await subscribe('b12', '/b12')
  const publish = (customer: string) =>
    posthorn.events.publish({ tenant: 'b12', type: 'order.paid', data: { name: 'Ada' }, keys: { customer } })
  const [theirs, other] = [await publish('c_1'), await publish('c_2')]
  await served.until(() => arrived('/b12').length === 2)
  const { result, calls } = await counted(() =>
    posthorn.erasures.create({ tenant: 'b12', key: { customer: 'c_1' }, reason: 'request 2026-118' }),
  )
  expect(calls).toHaveLength(1)
  await served.eventually(async () => (await posthorn.erasures.get(result.id)).finished_at !== null)
  expect(JSON.stringify(await posthorn.events.get(theirs.id))).not.toContain('Ada')
  expect((await posthorn.events.get(other.id)).data).toEqual({ name: 'Ada' })
  expect(await posthorn.deliveries.get(theirs.deliveries[0]?.id ?? '')).toMatchObject({ state: 'delivered' })
})

async function subscribe(tenant: string, path: string, eventTypes = ['*']) {
  await served.posthorn.tenants.put(tenant)
  const url = served.receiver.origin + path
  const made = await served.posthorn.subscriptions.create(tenant, { url, event_types: eventTypes })
  served.receiver.trust(path, made.secret)
  return made
}

function arrived(path: string) {
  return served.receiver.requests.filter((request) => request.path === path)
}
