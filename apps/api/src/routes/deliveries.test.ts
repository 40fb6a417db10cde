import { parseId } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

async function subscribe(to: TestApi, tenant = 'acme', eventTypes = ['*']): Promise<string> {
  const draft = { url: callbackUrl, event_types: eventTypes }
  return (await to.ask('POST', `/v1/tenants/${tenant}/subscriptions`, draft)).body.id
}

async function publish(to: TestApi, tenant = 'acme', type = 'invoice.paid') {
  const { body } = await to.ask('POST', '/v1/events', { tenant, type, data: { n: 1 } })
  return { event: String(body.id), delivery: String(body.deliveries[0]?.id) }
}

/** Writes down an attempt as the dispatcher would. */
async function attempted(to: TestApi, delivery: string, number: number, more: object = {}) {
  const row = await to.db.prisma.delivery.findFirstOrThrow({ where: { id: parseId('delivery', delivery) ?? '' } })
  const { id: deliveryId, tenantId, eventId, subscriptionId } = row
  await to.db.prisma.attempt.create({
    data: {
      id: crypto.randomUUID().replace(/^.{14}/, deliveryId.slice(0, 14)),
      deliveryId,
      tenantId,
      eventId,
      subscriptionId,
      number,
      trigger: 'automatic',
      startedAt: new Date(),
      url: callbackUrl,
      requestHeaders: { 'content-type': 'application/json', 'webhook-id': 'evt_1' },
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 2.5,
      failureCode: 'connect_refused',
      ...more,
    },
  })
}

async function finish(to: TestApi, delivery: string, state: 'delivered' | 'failed') {
  const id = parseId('delivery', delivery) ?? ''
  const now = new Date()
  await to.db.prisma.backlog.delete({ where: { deliveryId: id } })
  const times = { finishedAt: now, deliveredAt: state === 'delivered' ? now : null }
  await to.db.prisma.delivery.update({ where: { id }, data: { state, attemptCount: 1, ...times } })
}

test('200 with a delivery, and with what expand asks for', async () => {
  const subscription = await subscribe(api)
  const { event, delivery } = await publish(api)
  await attempted(api, delivery, 1)
  const { status, body } = await api.ask('GET', `/v1/deliveries/${delivery}`)
  expect(status).toBe(200)
  expect(body).toEqual({
    id: delivery,
    tenant: 'acme',
    event_id: event,
    event_type: 'invoice.paid',
    subscription_id: subscription,
    state: 'pending',
    in_flight: false,
    attempt_count: 0,
    next_attempt_at: expect.any(String),
    last_failure_code: null,
    last_http_status: null,
    created_at: expect.any(String),
    delivered_at: null,
    finished_at: null,
    canceled_reason: null,
    erased_at: null,
  })
  const expanded = await api.ask('GET', `/v1/deliveries/${delivery}?expand=attempts,event,subscription`)
  expect(expanded.body).toMatchObject({
    ...body,
    event: { id: event, data: { n: 1 } },
    subscription: { id: subscription },
    attempts: [{ number: 1, delivery_id: delivery }],
  })
  expect(expanded.text).not.toContain('whsec_')
  await api.ask('DELETE', `/v1/subscriptions/${subscription}`)
  const later = await api.ask('GET', `/v1/deliveries/${delivery}?expand=subscription`)
  expect(later.body.subscription).toBeNull()
})

test('a delivery in flight says so, and not when its lease ends', async () => {
  const subscription = await subscribe(api)
  const { delivery } = await publish(api)
  await api.db.prisma.backlog.update({
    where: { deliveryId: parseId('delivery', delivery) ?? '' },
    data: { ready: false, leasedAt: new Date(), attemptId: crypto.randomUUID() },
  })
  const { body } = await api.ask('GET', `/v1/deliveries/${delivery}`)
  expect(body).toMatchObject({ in_flight: true, next_attempt_at: null })
  const canceled = await api.ask('POST', `/v1/deliveries/${delivery}/cancel`)
  expect([canceled.status, canceled.body.code]).toEqual([409, 'delivery_state_conflict'])
  await api.ask('DELETE', `/v1/subscriptions/${subscription}`)
})

test('200 with the attempts as they were sent and answered, newest first, and the exact body once', async () => {
  const subscription = await subscribe(api)
  const { event, delivery } = await publish(api)
  await attempted(api, delivery, 1, { failureDetail: 'nobody listens' })
  await attempted(api, delivery, 2, {
    trigger: 'resend',
    actor: 'key_1',
    reason: 'asked by phone',
    remoteAddress: '93.184.215.14',
    httpStatus: 200,
    failureCode: null,
    responseHeaders: { server: 'x' },
    responseBody: Uint8Array.from([0x6f, 0x6b, 0xff, 0x00]),
    responseTruncated: true,
    dnsMs: 1.5,
    firstByteMs: 2,
  })
  const { status, body } = await api.ask('GET', `/v1/deliveries/${delivery}/attempts?order=asc`)
  expect(status).toBe(200)
  const read = await api.ask('GET', `/v1/events/${event}`)
  expect(body.request_body).toBe(`{"type":"invoice.paid","timestamp":"${read.body.timestamp}","data":{"n":1}}`)
  const byNumber = body.data.toSorted((a: { number: number }, b: { number: number }) => a.number - b.number)
  expect(byNumber).toEqual([
    expect.objectContaining({
      number: 1,
      response: null,
      failure_code: 'connect_refused',
      failure_detail: 'nobody listens',
    }),
    {
      id: expect.stringMatching(/^att_/),
      tenant: 'acme',
      delivery_id: delivery,
      event_id: event,
      subscription_id: subscription,
      number: 2,
      trigger: 'resend',
      actor: 'key_1',
      reason: 'asked by phone',
      erased_at: null,
      started_at: expect.any(String),
      request: {
        method: 'POST',
        url: callbackUrl,
        headers: { 'content-type': 'application/json', 'webhook-id': 'evt_1' },
      },
      remote_address: '93.184.215.14',
      response: { status: 200, headers: { server: 'x' }, body: 'ok\ufffd\u0000', truncated: true },
      failure_code: null,
      failure_detail: null,
      timings: { wait_ms: 1, dns_ms: 1.5, connect_ms: null, tls_ms: null, first_byte_ms: 2, total_ms: 2.5 },
    },
  ])
  const page = await api.ask('GET', `/v1/deliveries/${delivery}/attempts?limit=1`)
  const next = await api.ask('GET', `/v1/deliveries/${delivery}/attempts?limit=1&cursor=${page.body.next_cursor}`)
  expect(new Set([page.body.data[0].number, next.body.data[0].number])).toEqual(new Set([1, 2]))
  await api.ask('DELETE', `/v1/subscriptions/${subscription}`)
})

test('200 with the deliveries asked for: every filter, and several together', async () => {
  await using own = await startTestApi()
  await own.ask('PUT', '/v1/event-types/order.placed', {})
  const a = await subscribe(own, 'acme')
  const g = await subscribe(own, 'globex')
  const one = await publish(own, 'acme')
  const two = await publish(own, 'acme', 'order.placed')
  const three = await publish(own, 'globex')
  await finish(own, one.delivery, 'failed')
  await finish(own, two.delivery, 'delivered')
  const found = async (query: string) => {
    const { status, body } = await own.ask('GET', `/v1/deliveries?${query}`)
    expect(status).toBe(200)
    return body.data.map(({ id }: { id: string }) => id)
  }
  expect(await found('')).toEqual([three.delivery, two.delivery, one.delivery])
  expect(await found('tenant=acme')).toEqual([two.delivery, one.delivery])
  expect(await found('tenant=acme&tenant=globex&order=asc')).toEqual([one.delivery, two.delivery, three.delivery])
  expect(await found(`subscription=${g}`)).toEqual([three.delivery])
  expect(await found(`subscription=${g}&subscription=${a}&limit=2`)).toEqual([three.delivery, two.delivery])
  expect(await found(`event=${one.event}&event=${three.event}`)).toEqual([three.delivery, one.delivery])
  expect(await found('event_type=invoice.*')).toEqual([three.delivery, one.delivery])
  expect(await found('event_type=*')).toHaveLength(3)
  expect(await found('state=failed')).toEqual([one.delivery])
  expect(await found('state=failed&state=delivered')).toEqual([two.delivery, one.delivery])
  expect(await found('state=failed&tenant=globex')).toEqual([])
  expect(await found('since=1h&until=2999-01-01T00:00:00Z')).toHaveLength(3)
  expect(await found('until=1d')).toEqual([])
  const page = await own.ask('GET', '/v1/deliveries?tenant=acme&limit=1')
  const next = await own.ask('GET', `/v1/deliveries?tenant=acme&limit=1&cursor=${page.body.next_cursor}`)
  expect(next.body).toMatchObject({ data: [{ id: one.delivery }], next_cursor: null })
  const back = await own.ask('GET', `/v1/deliveries?tenant=acme&limit=1&cursor=${next.body.prev_cursor}`)
  expect(back.body.data).toEqual(page.body.data)
})

test('202 when a delivery is resent, with who asked and why; the dispatchers are told', async () => {
  const subscription = await subscribe(api)
  const { delivery } = await publish(api)
  await finish(api, delivery, 'failed')
  api.worked.length = 0
  const { status, body } = await api.ask(
    'POST',
    `/v1/deliveries/${delivery}/resend`,
    { reason: 'asked by phone' },
    { as: 'support' },
  )
  expect([status, body.state, body.id]).toEqual([202, 'pending', delivery])
  expect(api.worked).toHaveLength(1)
  const row = await api.db.prisma.backlog.findFirstOrThrow({
    where: { deliveryId: parseId('delivery', delivery) ?? '' },
  })
  expect(row).toMatchObject({ trigger: 'resend', reason: 'asked by phone', actor: expect.stringMatching(/^key_/) })
  const keys = await api.ask('GET', '/v1/api-keys')
  expect(keys.body.data.find((key: { id: string }) => key.id === row.actor)).toMatchObject({ role: 'support' })
  await api.ask('DELETE', `/v1/subscriptions/${subscription}`)
})

test('a customer sees what its own people did and why, and of the operator only that something was done', async () => {
  const subscription = await subscribe(api)
  const { delivery } = await publish(api)
  const { id: staff } = (await api.ask('GET', '/v1/credential', undefined, { as: 'support' })).body
  const { id: own } = (await api.ask('GET', '/v1/credential', undefined, { as: 'tenant' })).body
  await attempted(api, delivery, 1, { trigger: 'resend', actor: staff, reason: 'ticket 4711: they call again' })
  await attempted(api, delivery, 2, { trigger: 'resend', actor: own, reason: 'we were down' })
  await attempted(api, delivery, 3, {})
  const seen = async (as: string) => {
    const { body } = await api.ask('GET', `/v1/deliveries/${delivery}/attempts?order=asc`, undefined, { as })
    const expanded = await api.ask('GET', `/v1/deliveries/${delivery}?expand=attempts`, undefined, { as })
    type Seen = { number: number; trigger: string; actor: string | null; reason: string | null }
    const told = (attempts: Seen[]) =>
      attempts.toSorted((a, b) => a.number - b.number).map(({ trigger, actor, reason }) => [trigger, actor, reason])
    expect(told(expanded.body.attempts)).toEqual(told(body.data))
    return told(body.data)
  }
  const others = [
    ['resend', own, 'we were down'],
    ['automatic', null, null],
  ]
  expect(await seen('support')).toEqual([['resend', staff, 'ticket 4711: they call again'], ...others])
  expect(await seen('tenant')).toEqual([['resend', null, null], ...others])
  await api.ask('DELETE', `/v1/subscriptions/${subscription}`)
})

test('a delivery of a tenant that was deleted cannot be resent, because there is nowhere to send it', async () => {
  await using other = await startTestApi()
  await subscribe(other, 'globex')
  const { delivery } = await publish(other, 'globex')
  await finish(other, delivery, 'failed')
  await other.ask('DELETE', '/v1/tenants/globex')
  const { status, body } = await other.ask('POST', `/v1/deliveries/${delivery}/resend`)
  expect([status, body.code]).toEqual([422, 'subscription_not_active'])
})

test('409 when a delivery cannot be resent or canceled in its state', async () => {
  const subscription = await subscribe(api)
  const { delivery } = await publish(api)
  const early = await api.ask('POST', `/v1/deliveries/${delivery}/resend`)
  expect([early.status, early.body.code]).toEqual([409, 'delivery_state_conflict'])
  const canceled = await api.ask('POST', `/v1/deliveries/${delivery}/cancel`)
  expect([canceled.status, canceled.body.state, canceled.body.canceled_reason]).toEqual([
    200,
    'canceled',
    'canceled_by_person',
  ])
  const again = await api.ask('POST', `/v1/deliveries/${delivery}/cancel`, {})
  expect([again.status, again.body.code]).toEqual([409, 'delivery_state_conflict'])
  await api.ask('POST', `/v1/subscriptions/${subscription}/pause`)
  const paused = await api.ask('POST', `/v1/deliveries/${delivery}/resend`)
  expect([paused.status, paused.body.code]).toEqual([409, 'subscription_not_active'])
  await api.ask('DELETE', `/v1/subscriptions/${subscription}`)
})

test('422 when a resend is asked with what it does not know, or its subscription is gone', async () => {
  const subscription = await subscribe(api)
  const { delivery } = await publish(api)
  await finish(api, delivery, 'failed')
  for (const body of [{ why: 'x' }, { reason: 5 }, { reason: 'a\u0000' }, { reason: 'x'.repeat(2001) }]) {
    const answer = await api.ask('POST', `/v1/deliveries/${delivery}/resend`, body)
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request'])
  }
  expect((await api.ask('POST', `/v1/deliveries/${delivery}/cancel`, { reason: 'x' })).status).toBe(422)
  await api.ask('DELETE', `/v1/subscriptions/${subscription}`)
  const { status, body } = await api.ask('POST', `/v1/deliveries/${delivery}/resend`)
  expect([status, body.code]).toEqual([422, 'subscription_not_active'])
})

test.each(['dlv_00000000000000000000000000', 'evt_00000000000000000000000000', 'x'])(
  '404 when there is no delivery %s',
  async (id) => {
    for (const [method, more] of [
      ['GET', ''],
      ['GET', '/attempts'],
      ['POST', '/resend'],
      ['POST', '/cancel'],
    ] as const) {
      // biome-ignore format: one list
      const { status, body } = await api.ask(method, `/v1/deliveries/${id}${more}`)
      expect([status, body.code]).toEqual([404, 'delivery_not_found'])
    }
  },
)
