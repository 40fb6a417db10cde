import { parseId } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

async function subscribe(more: object = {}): Promise<string> {
  const draft = { url: callbackUrl, event_types: ['*'], ...more }
  const { body } = await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)
  return body.id
}

/** Publishes to one subscription. Answers with the delivery's id. */
async function publish(subscription: string): Promise<string> {
  const event = { tenant: 'acme', type: 'invoice.paid', data: {}, subscriptions: [subscription] }
  const { body } = await api.ask('POST', '/v1/events', event)
  return body.deliveries[0].id
}

test('200 with nothing to do for a subscription that nothing was published to', async () => {
  const id = await subscribe()
  const { status, body } = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect([status, body]).toEqual([
    200,
    {
      subscription_id: id,
      state: 'active',
      ordered: false,
      backlog: { count: 0, has_more: false },
      oldest_due_at: null,
      blocked_by: null,
    },
  ])
})

test('the backlog is what is due, waits and is in flight; the oldest due is what has been due longest', async () => {
  const id = await subscribe()
  const deliveries = [await publish(id), await publish(id), await publish(id)]
  const [waiting, due] = deliveries.map((delivery) => parseId('delivery', delivery) ?? '')
  const { backlog } = api.db.prisma
  await backlog.update({ where: { deliveryId: waiting ?? '' }, data: { ready: false, nextAttemptAt: new Date(1_000) } })
  await backlog.update({ where: { deliveryId: due ?? '' }, data: { nextAttemptAt: new Date(2_000) } })
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(body).toMatchObject({ backlog: { count: 3 }, oldest_due_at: '1970-01-01T00:00:02.000Z', blocked_by: null })
})

async function blockedByMetrics(): Promise<string | undefined> {
  const { text } = await api.ask('GET', '/metrics', undefined, { as: null })
  return /^posthorn_ordered_subscriptions_blocked (\d+)$/m.exec(text)?.[1]
}

test('a failed delivery is named as what blocks when the subscription is ordered, and only then', async () => {
  const id = await subscribe({ ordered: true })
  const [head] = [await publish(id), await publish(id)]
  const deliveryId = parseId('delivery', head) ?? ''
  const before = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(before.body).toMatchObject({ ordered: true, backlog: { count: 2 }, blocked_by: null })
  expect(await blockedByMetrics()).toBe('0')

  const delivery = await api.db.prisma.delivery.findFirstOrThrow({ where: { id: deliveryId } })
  await api.db.prisma.attempt.create({
    data: {
      id: deliveryId,
      deliveryId,
      tenantId: 'acme',
      eventId: delivery.eventId,
      subscriptionId: delivery.subscriptionId,
      number: 1,
      trigger: 'automatic',
      startedAt: new Date('2026-11-23T12:00:00Z'),
      url: callbackUrl,
      requestHeaders: {},
      failureCode: 'response_timeout',
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 15_000,
    },
  })
  const data = { state: 'retrying', attemptCount: 1, lastFailureCode: 'response_timeout' }
  await api.db.prisma.delivery.updateMany({ where: { id: deliveryId }, data })
  const nextAttemptAt = new Date('2026-11-23T12:05:00Z')
  await api.db.prisma.backlog.update({ where: { deliveryId }, data: { ready: false, nextAttemptAt, attemptNumber: 1 } })
  const blocked = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(blocked.body).toMatchObject({
    backlog: { count: 2, has_more: false },
    blocked_by: {
      delivery_id: head,
      event_type: 'invoice.paid',
      since: '2026-11-23T12:00:00.000Z',
      next_attempt_at: '2026-11-23T12:05:00.000Z',
      attempt_count: 1,
      last_failure_code: 'response_timeout',
      last_http_status: null,
    },
  })
  expect(await blockedByMetrics()).toBe('1')

  await api.ask('PATCH', `/v1/subscriptions/${id}`, { ordered: false })
  const unordered = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(unordered.body).toMatchObject({ ordered: false, backlog: { count: 2 }, blocked_by: null })

  await api.ask('PATCH', `/v1/subscriptions/${id}`, { ordered: true })
  expect((await api.ask('POST', `/v1/deliveries/${head}/cancel`, {})).status).toBeLessThan(300)
  const skipped = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(skipped.body).toMatchObject({ backlog: { count: 1 }, blocked_by: null })
  expect(await blockedByMetrics()).toBe('0')
})

test('a backlog that is too long to be counted is counted as far as the limit', async () => {
  const id = await subscribe()
  const delivery = await publish(id)
  await api.db.pool.query(
    `insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, next_attempt_at)
     select gen_random_uuid(), tenant_id, event_id, subscription_id, shard, now() from backlog, generate_series(1, 10000)
     where delivery_id = $1`,
    [parseId('delivery', delivery)],
  )
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(body.backlog).toEqual({ count: 10_000, has_more: true })
})

test('404 for a subscription that is deleted, unknown, or another tenant’s', async () => {
  const deleted = await subscribe()
  await api.ask('DELETE', `/v1/subscriptions/${deleted}`)
  const draft = { url: callbackUrl, event_types: ['*'] }
  const foreign = await api.ask('POST', '/v1/tenants/globex/subscriptions', draft)
  for (const [id, as] of [
    [deleted, 'admin'],
    ['sub_00000000000000000000000000', 'admin'],
    ['nonsense', 'admin'],
    [foreign.body.id, 'tenant'],
  ]) {
    const { status, body } = await api.ask('GET', `/v1/subscriptions/${id}/health`, undefined, { as: as ?? null })
    expect([status, body.code]).toEqual([404, 'subscription_not_found'])
  }
})
