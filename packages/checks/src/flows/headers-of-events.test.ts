/** Headers that the publisher gives an event, from the request that publishes it to the receiver. */

import { openDatabase } from '@posthorn/engine'
import { publishInTransaction } from '@posthorn/sdk/transaction'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, startServed } from '../sdk/serving.ts'

let served: Served

beforeAll(async () => {
  served = await startServed({
    settings: { POSTHORN_CREATE_TENANTS: 'true' },
    answer: ({ path, earlier }) => ({ status: path === '/way' && earlier < 2 ? 500 : 204 }),
  })
})

afterAll(() => served[Symbol.asyncDispose]())

test('they arrive with every request of the event: the first one, its retry, a resend and a replay', async () => {
  const { posthorn } = served
  const { id } = await subscribe('way', '/way', { retry_schedule_seconds: [0] })
  const { deliveries } = await posthorn.events.publish({
    tenant: 'way',
    type: 'order.paid',
    data: { total: 1 },
    headers: { 'X-Region': 'eu', 'x-empty': '' },
  })
  const delivery = deliveries[0]?.id ?? ''
  await stateOf(delivery, 'failed')
  await posthorn.deliveries.resend(delivery)
  await stateOf(delivery, 'delivered')
  const draft = await posthorn.replays.create({ filter: { subscription: [id] }, only: 'all' })
  await posthorn.replays.run(draft.id)
  await served.until(() => arrived('/way').length === 4)
  for (const { headers, signature } of arrived('/way')) {
    expect([headers['x-region'], headers['x-empty'], signature]).toEqual(['eu', '', 'valid'])
  }
  expect(arrived('/way').map(({ headers }) => headers['posthorn-attempt'])).toEqual(['1', '2', '3', '4'])
  expect(arrived('/way').at(-1)?.headers['posthorn-replay']).toBe(draft.id)
  const attempts = await served.eventually(async () => {
    const found = await posthorn.deliveries.attempts(delivery).all()
    return found.length === 4 && found
  })
  for (const { request } of attempts) expect(request.headers).toMatchObject({ 'x-region': 'eu', 'x-empty': '' })
  expect((await posthorn.deliveries.curl(delivery)).command).toContain("--header 'x-region: eu'")
})

test('what the subscription sets goes before, its credentials before all, and nothing of Posthorn can be set', async () => {
  const { posthorn } = served
  await subscribe('first', '/first', {
    headers: { 'X-Team': 'theirs' },
    auth: { type: 'api_key', header: 'X-Key', value: 'the credential' },
    forward_traceparent: true,
  })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const headers = { 'x-team': 'ours', 'X-KEY': 'forged', traceparent: 'forged', 'x-own': 'ours' }
  const event = { tenant: 'first', type: 'order.paid', data: {}, headers }
  const dry = await posthorn.events.dryRun(event)
  expect(dry.data[0]?.request?.headers).toMatchObject({ 'x-team': 'theirs', 'x-key': '[redacted]', 'x-own': 'ours' })
  await posthorn.events.publish(event, { headers: { traceparent } })
  const request = await served.until(() => arrived('/first')[0])
  expect(request.headers).toMatchObject({
    'x-team': 'theirs',
    'x-key': 'the credential',
    'x-own': 'ours',
    traceparent,
  })
  for (const name of ['authorization', 'webhook-id', 'posthorn-attempt', 'host']) {
    const wrong = posthorn.events.publish({ ...event, headers: { [name]: 'x' } })
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_header', errors: [{ pointer: `/headers/${name}` }] })
  }
})

test('events of one batch arrive each with its own', async () => {
  const { posthorn } = served
  await subscribe('batch', '/batch')
  const event = { tenant: 'batch', type: 'order.paid', data: {} }
  const { results } = await posthorn.events.publishMany([
    { ...event, headers: { 'x-n': '1' } },
    event,
    { ...event, headers: { cookie: 'a=b' } },
    { ...event, headers: { 'x-n': '4' } },
  ])
  expect(results.map(({ status }) => status)).toEqual([202, 202, 422, 202])
  await served.until(() => arrived('/batch').length === 3)
  const sent = new Map(arrived('/batch').map(({ headers }) => [headers['webhook-id'], headers['x-n']]))
  expect(results.map(({ event: made }) => made && sent.get(made.id))).toEqual(['1', undefined, undefined, '4'])
})

test('what is written into the outbox with headers arrives with them, and what cannot be sent stays with the reason', async () => {
  const { posthorn } = served
  await subscribe('outbox', '/outbox')
  await using db = openDatabase({ url: served.url, poolSize: 2 })
  const event = { tenant: 'outbox', type: 'order.paid', data: {} }
  await db.prisma.$transaction((tx) => publishInTransaction(tx, { ...event, headers: { 'X-Region': 'eu' } }))
  // By SQL: the SDK refuses it before it is written.
  await db.prisma.$executeRaw`
    insert into outbox_event (tenant_id, type, data, publish_id, headers)
    values ('outbox', 'order.paid', '{}', 'wrong', '{"authorization":"Bearer x"}')`
  const request = await served.until(() => arrived('/outbox')[0])
  expect(request.headers['x-region']).toBe('eu')
  const refused = await served.eventually(async () => {
    const [row] = await posthorn.outbox.list({ tenant: 'outbox' }).all()
    return row
  })
  expect(refused).toMatchObject({
    publish_id: 'wrong',
    problem: { code: 'invalid_header', errors: [{ pointer: '/headers/authorization' }] },
  })
})

test('a replay to another URL carries them too, but none that sounds like a credential and none of the subscription', async () => {
  const { posthorn } = served
  const { id } = await subscribe('elsewhere', '/elsewhere', { headers: { 'x-team': 'theirs' } })
  const headers = { 'x-region': 'eu', 'x-api-key': 'for the receiver alone' }
  await posthorn.events.publish({ tenant: 'elsewhere', type: 'order.paid', data: {}, headers })
  const first = await served.until(() => arrived('/elsewhere')[0])
  expect(first.headers).toMatchObject({ ...headers, 'x-team': 'theirs' })
  const draft = await served.eventually(async () => {
    const target_url = `${served.receiver.origin}/staging`
    const made = await posthorn.replays.create({ filter: { subscription: [id] }, only: 'all', target_url })
    return made.preview.count === 1 && made
  })
  await posthorn.replays.run(draft.id)
  const request = await served.until(() => arrived('/staging')[0])
  expect(request.headers['x-region']).toBe('eu')
  expect([request.headers['x-api-key'], request.headers['x-team']]).toEqual([undefined, undefined])
})

const arrived = (path: string) => served.receiver.requests.filter((request) => request.path === path)

async function subscribe(tenant: string, path: string, more: object = {}) {
  const { posthorn, receiver } = served
  await posthorn.tenants.put(tenant)
  const url = `${receiver.origin}${path}`
  const made = await posthorn.subscriptions.create(tenant, { url, event_types: ['*'], ...more })
  receiver.trust(path, made.secret)
  return made
}

async function stateOf(delivery: string, state: string): Promise<void> {
  await served.eventually(async () => (await served.posthorn.deliveries.get(delivery)).state === state)
}
