/** The SDK against a server that was started as `posthorn serve` starts it. */
import { isPosthornError, PosthornError } from '@posthorn/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, startServed } from './serving.ts'

let served: Served

beforeAll(async () => {
  served = await startServed()
  await served.posthorn.tenants.put('acme', { name: 'Acme' })
})

afterAll(() => served[Symbol.asyncDispose]())

test('an event that is published with the SDK arrives signed', async () => {
  const { posthorn, receiver } = served
  const subscription = await posthorn.subscriptions.create('acme', {
    url: `${receiver.origin}/first`,
    event_types: ['first.*'],
  })
  receiver.trust('/first', subscription.secret)
  const published = await posthorn.events.publish({ tenant: 'acme', type: 'first.paid', data: { total: 1 } })
  expect(published).toMatchObject({ duplicate: false, deliveries: [{ subscription_id: subscription.id }] })
  const arrived = await served.until(() => receiver.requests.find(({ path }) => path === '/first'))
  expect(arrived).toMatchObject({ signature: 'valid', headers: { 'webhook-id': published.id } })
})

test('a receiver is checked in one call, however short requests are otherwise, and its scorecard says what to mend', async () => {
  const { posthorn, receiver, adminKey } = served
  const draft = { url: `${receiver.origin}/checked`, event_types: ['checked.*'] }
  const { id } = await posthorn.subscriptions.create('acme', draft)
  const hasty = served.as(adminKey, { requestTimeoutMs: 100 })
  const { result, calls } = await served.counted(() => hasty.subscriptions.checkReceiver(id))
  expect(calls).toHaveLength(1)
  // This one takes everything.
  expect(result).toMatchObject({ subscription_id: id, verdict: 'failed', total: { passed: 8, failed: 2 } })
  const failed = result.checks.filter(({ verdict }) => verdict === 'failed')
  expect(failed.map(({ check }) => check)).toEqual(['wrong_signature', 'stale_timestamp'])
  expect(failed.map(({ fix }) => fix)).toEqual([
    expect.stringContaining('401'),
    expect.stringContaining('five minutes'),
  ])
})

test('what was published stands beside what its schema declares', async () => {
  const { posthorn } = served
  await posthorn.eventTypes.put('seen.paid')
  await posthorn.eventTypes.createVersion('seen.paid', {
    schema: { type: 'object', properties: { total: { type: 'integer' } } },
  })
  await posthorn.events.publish({ tenant: 'acme', type: 'seen.paid', data: { total: 1, currency: 'EUR' } })
  const observations = await posthorn.eventTypes.observations('seen.paid')
  expect(observations.counts).toMatchObject({ undeclared: 1, never_seen: 0 })
  expect(observations.data.at(-1)).toMatchObject({ path: 'data.currency', findings: ['undeclared'], percent: 100 })
})

test('a list goes on over its pages, and asks for no more of them than are read', async () => {
  const { posthorn } = served
  const made = ['a', 'b', 'c', 'd', 'e'].map((name) => `page.${name}`)
  for (const name of made) await posthorn.eventTypes.put(name)
  const names: string[] = []
  const whole = await served.counted(async () => {
    for await (const { name } of posthorn.eventTypes.list({ limit: 2, order: 'asc' })) names.push(name)
  })
  expect(names).toEqual(expect.arrayContaining(made))
  expect(whole.calls).toHaveLength(Math.max(Math.ceil(names.length / 2), 1))

  const some = await served.counted(() => posthorn.eventTypes.list({ limit: 2, order: 'asc' }).all(3))
  expect(some.result.map(({ name }) => name)).toEqual(names.slice(0, 3))
  expect(some.calls).toHaveLength(2)

  const page = await posthorn.eventTypes.list({ limit: 2, order: 'asc' }).page()
  const second = await posthorn.eventTypes.list({ limit: 2, order: 'asc', cursor: page.next_cursor ?? '' }).page()
  expect([...page.data, ...second.data].map(({ name }) => name)).toEqual(names.slice(0, 4))
})

test('a refusal is an error with the code, the status, the places and the request’s id', async () => {
  const { posthorn } = served
  const error = await posthorn.subscriptions
    .create('acme', { url: 'not a url', event_types: [] })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PosthornError)
  expect(error).toMatchObject({
    code: 'invalid_request',
    status: 422,
    requests: 1,
    requestId: expect.stringMatching(/./),
    errors: expect.arrayContaining([{ pointer: '/event_types', detail: expect.any(String) }]),
  })
  await expect(posthorn.tenants.get('nobody')).rejects.toSatisfy((thrown: unknown) =>
    isPosthornError(thrown, 'tenant_not_found', 'event_not_found'),
  )
  await expect(served.as('phk_wrong').tenants.get('acme')).rejects.toMatchObject({
    code: 'unauthenticated',
    status: 401,
  })
})

test('ids that no path can hold are refused before anything is sent, and strange ones arrive as they are', async () => {
  const { posthorn } = served
  for (const id of ['', '.', '..', '\ud800']) {
    const { calls, result } = await served.counted(() => posthorn.tenants.delete(id).catch((thrown: unknown) => thrown))
    expect(result).toMatchObject({ code: 'invalid_argument' })
    expect(calls).toEqual([])
  }
  const strange = 'a|b@c:d.e'
  expect(await posthorn.tenants.put(strange)).toMatchObject({ id: strange })
  expect(await posthorn.tenants.get(strange)).toMatchObject({ id: strange })
  // A slash, a question mark or an escape stays inside the id.
  for (const id of ['acme/subscriptions', 'acme?x=1', 'acme%2f..', '../api-keys'])
    await expect(posthorn.tenants.get(id)).rejects.toMatchObject({
      code: 'tenant_not_found',
      detail: expect.stringContaining(`"${id}"`),
    })
})

test('a batch tells what became of each event', async () => {
  const { posthorn } = served
  const { results } = await posthorn.events.publishMany([
    { tenant: 'acme', type: 'batch.one', data: 1 },
    { tenant: 'nobody', type: 'batch.one', data: 2 },
  ])
  expect(results).toMatchObject([{ status: 202 }, { status: 404, problem: { code: 'tenant_not_found' } }])
})

test('any operation can be called by its id, and shows its status and headers', async () => {
  const { status, requestId, isReplayed, data } = await served.posthorn.request('putTenant', {
    path: { id: 'by-id' },
    body: { name: 'By its id' },
  })
  expect({ status, isReplayed, data }).toMatchObject({ status: 201, isReplayed: false, data: { name: 'By its id' } })
  expect(requestId).toMatch(/./)
})

test('two who change the same thing: the second one is told, by the tag of what it had read', async () => {
  const { posthorn, receiver } = served
  const { id } = await posthorn.subscriptions.create('acme', { url: `${receiver.origin}/tagged`, event_types: ['x.*'] })
  const { etag = '' } = await posthorn.request('getSubscription', { path: { id } })
  await posthorn.subscriptions.patch(id, { description: 'first' }, { ifMatch: etag })
  const second = posthorn.subscriptions.patch(id, { description: 'second' }, { ifMatch: etag })
  await expect(second).rejects.toMatchObject({ code: 'precondition_failed', status: 412 })
  expect(await posthorn.subscriptions.get(id)).toMatchObject({ description: 'first' })
})

test('a call that is made again with its key is answered as the first one was, and does nothing', async () => {
  const { posthorn, receiver } = served
  const body = { url: `${receiver.origin}/once`, event_types: ['x.*'] }
  const make = () =>
    posthorn.request('createSubscription', { path: { id: 'acme' }, body }, { idempotencyKey: 'order-7' })
  const first = await make()
  const second = await make()
  expect([first.isReplayed, second.isReplayed]).toEqual([false, true])
  expect(second.data).toEqual(first.data)
  const changed = posthorn.request(
    'createSubscription',
    { path: { id: 'acme' }, body: { ...body, description: 'other' } },
    { idempotencyKey: 'order-7' },
  )
  await expect(changed).rejects.toMatchObject({ code: 'idempotency_key_reused', status: 422 })
})
