import { createTransforms } from '@posthorn/engine'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from './testing/api.ts'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi()
})

afterAll(() => api[Symbol.asyncDispose]())

const event = { tenant: 'acme', type: 'invoice.paid', data: { total: 1 } }

test('the same request under the same key is answered as the first time, marked as a repetition, and stores nothing again', async () => {
  const first = await publish('key-1', event)
  expect(first.status).toBe(202)
  expect(first.headers['idempotent-replayed']).toBeUndefined()
  const again = await publish('key-1', event)
  expect([again.status, again.text]).toEqual([202, first.text])
  expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true', 'content-type': first.headers['content-type'] })
  expect(await api.db.prisma.event.count({ where: { tenantId: 'acme' } })).toBe(1)
})

test('a key in quotes is the same key: the draft standard writes it as a string of RFC 8941', async () => {
  const first = await publish('"key-2"', event)
  const again = await publish('key-2', event)
  expect(again.body.id).toBe(first.body.id)
})

test('another request under a used key is refused, whether its body or its path differs', async () => {
  await publish('key-3', event)
  const { status, body } = await publish('key-3', { ...event, data: { total: 2 } })
  expect([status, body.code]).toEqual([422, 'idempotency_key_reused'])
  const elsewhere = await api.ask('POST', '/v1/events/batch', { events: [event] }, withKey('key-3'))
  expect([elsewhere.status, elsewhere.body.code]).toEqual([422, 'idempotency_key_reused'])
})

test('keys of two credentials never meet', async () => {
  const mine = await publish('key-4', event)
  const theirs = await api.ask('POST', '/v1/events', event, { as: 'tenant', headers: { 'idempotency-key': 'key-4' } })
  expect(theirs.status).toBe(202)
  expect(theirs.body.id).not.toBe(mine.body.id)
})

test('of many equal requests at once one is carried out; the others have its answer, or are told to come back', async () => {
  const before = await api.db.prisma.event.count()
  const answers = await Promise.all(Array.from({ length: 8 }, () => publish('key-5', event)))
  expect(await api.db.prisma.event.count()).toBe(before + 1)
  for (const { status, body, headers } of answers) {
    if (status === 202) continue
    expect([status, body.code, headers['retry-after']]).toEqual([409, 'idempotency_key_in_use', '1'])
  }
  expect(answers.filter(({ status }) => status === 202)).not.toHaveLength(0)
})

test('a refused request leaves its key free for a better one', async () => {
  const refused = await publish('key-6', { ...event, type: 'not.known' })
  expect(refused.status).toBe(422)
  expect((await publish('key-6', event)).status).toBe(202)
})

test('a request that was turned away because we are overloaded leaves its key free, and may be made again under it', async () => {
  const transforms = createTransforms()
  transforms.close()
  await using busy = await startTestApi({ transforms })
  const draft = { url: callbackUrl, event_types: ['*'] }
  const subscribe = (body: object) =>
    busy.ask('POST', '/v1/tenants/acme/subscriptions', body, { headers: { 'idempotency-key': 'key-busy' } })
  for (const _again of [1, 2]) {
    const { status, body } = await subscribe({ ...draft, transform: 'data' })
    expect([status, body.code]).toEqual([503, 'overloaded'])
  }
  expect((await subscribe(draft)).status).toBe(201)
})

test('a publish whose process died before it could keep the answer is taken over, and is the same event', async () => {
  const first = await publish('key-7', event)
  await loseAnswer('key-7')
  const again = await publish('key-7', event)
  expect([again.status, again.body.id, again.body.duplicate]).toEqual([200, first.body.id, true])
  // The id that made it so is nobody's business.
  expect((await api.ask('GET', `/v1/events/${first.body.id}`)).body.publish_id).toBeNull()
})

test('a batch whose process died in the middle is taken over: what was stored is not stored again, and the rest is', async () => {
  const batch = { events: [event, { ...event, data: { total: 3 } }] }
  const first = await api.ask('POST', '/v1/events/batch', batch, withKey('key-8'))
  await loseAnswer('key-8')
  const again = await api.ask('POST', '/v1/events/batch', batch, withKey('key-8'))
  const ids = (answer: typeof first) => answer.body.results.map((one: { event: { id: string } }) => one.event.id)
  expect(ids(again)).toEqual(ids(first))
  expect(new Set(ids(first)).size).toBe(2)
})

test('an own id of the publisher counts more than the key', async () => {
  const body = { ...event, id: 'order-1' }
  const first = await publish('key-9', body)
  const again = await publish('key-10', body)
  expect([again.status, again.body.id, again.body.duplicate]).toEqual([200, first.body.id, true])
})

test('where making it again could do it twice, a lost answer is told as such', async () => {
  const create = () =>
    api.ask('POST', '/v1/tenants/acme/subscriptions', { url: callbackUrl, event_types: ['*'] }, withKey('key-11'))
  expect((await create()).status).toBe(201)
  await loseAnswer('key-11')
  const { status, body } = await create()
  expect([status, body.code]).toEqual([409, 'idempotency_outcome_unknown'])
})

test('a kept answer holds no secret in the clear', async () => {
  const body = { url: callbackUrl, event_types: ['*'] }
  const { body: made } = await api.ask('POST', '/v1/tenants/acme/subscriptions', body, withKey('key-12'))
  const again = await api.ask('POST', '/v1/tenants/acme/subscriptions', body, withKey('key-12'))
  expect(again.body.secret).toBe(made.secret)
  const row = await api.db.prisma.idempotencyKey.findFirstOrThrow({ where: { key: 'key-12' } })
  expect(row.sealedAnswer).not.toBeNull()
  expect(Buffer.from(row.sealedAnswer ?? []).includes(made.id)).toBe(false)
})

test('a key is free again after a day', async () => {
  const first = await publish('key-13', event)
  const yesterday = new Date(Date.now() - 24 * 3_600_000 - 1_000)
  await api.db.prisma.idempotencyKey.updateMany({ where: { key: 'key-13' }, data: { begunAt: yesterday } })
  const later = await publish('key-13', { ...event, data: { total: 9 } })
  expect(later.status).toBe(202)
  expect(later.body.id).not.toBe(first.body.id)
})

test.each(['', 'a b c', 'ü', `${'x'.repeat(256)}`, '"open'])('what is no key is refused: %j', async (key) => {
  const { status, body } = await publish(key, event)
  expect([status, body.code]).toEqual([422, 'invalid_request'])
  expect(body.detail).toMatch(/idempotency-key/)
})

function publish(key: string, body: unknown) {
  return api.ask('POST', '/v1/events', body, withKey(key))
}

function withKey(key: string) {
  return { headers: { 'idempotency-key': key } }
}

/** As a process leaves it that was killed between its commit and its answer, a while ago. */
async function loseAnswer(key: string): Promise<void> {
  const data = { sealedAnswer: null, heldUntil: new Date(0) }
  expect((await api.db.prisma.idempotencyKey.updateMany({ where: { key }, data })).count).toBe(1)
}
