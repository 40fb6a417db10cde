import { formatId, parseId } from '@posthorn/contract'
import { sentBody } from '@posthorn/engine'
import { parseSecret, signedHeaders } from '@posthorn/signing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

async function subscribed(tenant = 'acme'): Promise<{ id: string; secret: string }> {
  const { body } = await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, {
    url: callbackUrl,
    event_types: ['*'],
  })
  return { id: body.id, secret: body.secret }
}

const body = '{"type":"invoice.paid","timestamp":"2026-11-26T00:00:00.000Z","data":{"total":1.0}}'

function signed(secret: string, id = 'evt_1', text = body) {
  return signedHeaders({ id, timestamp: Math.floor(Date.now() / 1000), body: text }, [parseSecret(secret)])
}

function check(given: object, as: Parameters<TestApi['ask']>[3] = {}) {
  return api.ask('POST', '/v1/signature-checks', given, as)
}

test('a request that verifies is valid, also for the tenant and for support, who see no secret', async () => {
  const { id, secret } = await subscribed()
  for (const as of ['admin', 'support', 'tenant']) {
    const answer = await check({ subscription: id, headers: signed(secret), body }, { as })
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        valid: true,
        authentic: true,
        cause: null,
        detail: expect.stringContaining('in order'),
        subscription_id: null,
        compared_with_sent_body: false,
      },
    ])
  }
})

test('a secret of the same tenant is recognised, and one of another tenant is just another secret', async () => {
  const [mine, sibling, foreign] = [await subscribed(), await subscribed(), await subscribed('globex')]
  const own = await check({ subscription: mine.id, headers: signed(sibling.secret), body })
  expect(own.body).toMatchObject({ valid: false, cause: 'secret_of_other_subscription', subscription_id: sibling.id })
  const other = await check({ subscription: mine.id, headers: signed(foreign.secret), body })
  expect(other.body).toMatchObject({ cause: 'event_unknown', subscription_id: null })
  for (const { text } of [own, other]) {
    for (const { secret } of [mine, sibling, foreign]) expect(text).not.toContain(secret.slice('whsec_'.length))
  }
})

test('a secret whose time was over when the request was received is recognised', async () => {
  const { id, secret } = await subscribed()
  await api.ask('POST', `/v1/subscriptions/${id}/secrets`, { overlap_seconds: 3600 })
  const given = { subscription: id, headers: signed(secret), body }
  expect((await check(given)).body.valid).toBe(true)
  const received_at = new Date(Date.now() + 7_200_000).toISOString()
  expect((await check({ ...given, received_at })).body.cause).toBe('secret_expired')
})

test('a secret that a rotation ended at once is recognised, signs no more and is shown no more, until the next rotation', async () => {
  const { id, secret } = await subscribed()
  const given = { subscription: id, headers: signed(secret), body }
  const before = new Date(Date.now() - 1_000).toISOString()
  const rotate = async () =>
    (await api.ask('POST', `/v1/subscriptions/${id}/secrets`, { overlap_seconds: 0 })).body.secret
  const current = await rotate()
  const answer = await check(given)
  expect(answer.body).toMatchObject({ valid: false, authentic: false, cause: 'secret_expired' })
  expect(answer.text).not.toContain(secret.slice('whsec_'.length))
  // What was received while it still signed was in order then.
  expect((await check({ ...given, received_at: before })).body).toMatchObject({ authentic: true })
  const shown = (await api.ask('GET', `/v1/subscriptions/${id}/secrets`)).body.data
  expect(shown.map((one: { secret: string }) => one.secret)).toEqual([current])
  await rotate()
  expect((await check(given)).body.cause).toBe('event_unknown')
  expect((await check({ ...given, headers: signed(current) })).body.cause).toBe('secret_expired')
})

test('a secret that has ended counts as ended although the clock here is behind, and one that cannot be opened hides no other', async () => {
  const { id, secret } = await subscribed()
  await api.ask('POST', `/v1/subscriptions/${id}/secrets`, { overlap_seconds: 0 })
  const subscriptionId = parseId('subscription', id) ?? ''
  const inAMinute = new Date(Date.now() + 60_000)
  await api.db.prisma.secret.updateMany({ where: { subscriptionId, ended: true }, data: { expiresAt: inAMinute } })
  const sibling = await subscribed()
  const spoilt = { sealedKey: Uint8Array.from(Buffer.alloc(64, 1)) }
  await api.db.prisma.secret.updateMany({
    where: { subscriptionId: parseId('subscription', sibling.id) ?? '' },
    data: spoilt,
  })
  const given = { subscription: id, headers: signed(secret), body }
  expect((await check(given)).body).toMatchObject({ valid: false, cause: 'secret_expired' })
  expect((await api.ask('GET', `/v1/subscriptions/${id}/secrets`)).body.data).toHaveLength(1)
})

test('the body is compared with the one that was sent', async () => {
  const { id, secret } = await subscribed()
  const published = await api.ask('POST', '/v1/events', undefined, {
    text: '{"tenant":"acme","type":"invoice.paid","data":{"total":1.0,"big":12345678901234567890}}',
  })
  const delivery = published.body.deliveries.find((one: { subscription_id: string }) => one.subscription_id === id)
  const eventId = parseId('event', published.body.id) ?? ''
  const subscriptionId = parseId('subscription', id) ?? ''
  const event = await api.db.prisma.event.findFirstOrThrow({ where: { id: eventId } })
  const parts = { db: api.db, origin: { source: '/posthorn', publicUrl: undefined }, transforms: null as never }
  const headers = { 'content-type': 'application/json' }
  const stored = { ...event, keys: {}, headers: null, validationErrors: null }
  const sent = await sentBody(parts, stored, subscriptionId, headers)
  if (sent === null) throw new Error('the body is known')
  const made = signed(secret, published.body.id, sent)
  await api.db.prisma.attempt.create({
    data: {
      id: eventId,
      tenantId: 'acme',
      deliveryId: parseId('delivery', delivery.id) ?? '',
      eventId,
      subscriptionId,
      number: 1,
      trigger: 'automatic',
      startedAt: new Date(),
      url: callbackUrl,
      requestHeaders: { ...headers, ...made },
      httpStatus: 200,
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 1,
    },
  })
  const rounded = JSON.stringify(JSON.parse(sent))
  const answer = await check({ subscription: id, headers: made, body: rounded })
  expect(answer.body).toMatchObject({ valid: false, cause: 'body_reserialized', compared_with_sent_body: true })
  expect(answer.text).not.toContain('12345678901234567890')
  expect((await check({ subscription: id, headers: made, body: sent })).body.valid).toBe(true)
})

test('what the code of the receiver computes is explained when the request is in order', async () => {
  const { id, secret } = await subscribed()
  const headers = signed(secret)
  const token = headers['webhook-signature'].slice('v1,'.length)
  const hex = Buffer.from(token, 'base64').toString('hex')
  const wrong = await check({ subscription: id, headers, body, computed_signature: hex })
  expect(wrong.body).toMatchObject({ valid: true, cause: 'signature_encoding' })
  const right = await check({ subscription: id, headers, body, computed_signature: token })
  expect(right.body).toMatchObject({ valid: true, cause: null, detail: expect.stringContaining('right signature') })
  const old = new Date(Date.now() + 3_600_000).toISOString()
  const late = await check({ subscription: id, headers, body, computed_signature: token, received_at: old })
  expect(late.body).toMatchObject({ valid: false, cause: 'timestamp_too_old' })
})

test('what the code of the receiver computes is right only when it is: a secret of another, or any, is told as such', async () => {
  const [mine, sibling] = [await subscribed(), await subscribed()]
  const headers = signed(mine.secret)
  const given = { subscription: mine.id, headers, body }
  const timestamp = Number(headers['webhook-timestamp'])
  const made = signedHeaders({ id: 'evt_1', timestamp, body }, [parseSecret(sibling.secret)])
  const of = (computed: string) => check({ ...given, computed_signature: computed })
  expect((await of(made['webhook-signature'])).body).toMatchObject({
    valid: true,
    cause: 'secret_of_other_subscription',
    subscription_id: sibling.id,
  })
  for (const bytes of [Buffer.alloc(32), Buffer.alloc(32, 171)]) {
    const any = await of(bytes.toString('base64'))
    expect(any.body).toMatchObject({ valid: true, cause: 'no_match', subscription_id: null })
    expect(any.body.detail).not.toContain('right signature')
  }
})

test('404 for a subscription of another tenant, 403 for roles that may not ask', async () => {
  const { id, secret } = await subscribed('globex')
  const given = { subscription: id, headers: signed(secret), body }
  const foreign = await check(given, { as: 'tenant' })
  expect([foreign.status, foreign.body.code]).toEqual([404, 'subscription_not_found'])
  for (const as of ['viewer', 'publisher']) expect((await check(given, { as })).status).toBe(403)
  const unknown = formatId('subscription', '019ab0fa-5c3e-7b1d-9a44-0c6f2e8d5b17')
  expect((await check({ ...given, subscription: unknown })).status).toBe(404)
})

test.each<[object, string]>([
  [{ subscription: 'x' }, '/subscription'],
  [{ headers: { a: 1 } }, '/headers/a'],
  [{ body: {} }, '/body'],
  [{ received_at: 'now' }, '/received_at'],
  [{ received_at: '2026-02-30T00:00:00.000Z' }, '/received_at'],
  [{ secret: 'whsec_x' }, '/secret'],
])('422 when a request is described by %j', async (wrong, pointer) => {
  const { id, secret } = await subscribed()
  const answer = await check({ subscription: id, headers: signed(secret), body, ...wrong })
  expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, pointer])
})
