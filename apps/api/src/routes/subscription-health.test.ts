import { randomBytes } from 'node:crypto'
import { parseId, uuidV7 } from '@posthorn/contract'
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
      disabled_reason: null,
      attempts: { minutes: 60, accepted: 0, failed: 0, success_rate: null },
      consecutive_failures: { count: 0, has_more: false },
      failing_since: null,
      disable_at: null,
      breaker: { state: 'closed', opened_at: null, next_probe_at: null, failed_probes: 0 },
      ordered: false,
      backlog: { count: 0, has_more: false },
      held: { count: 0, has_more: false },
      not_before: null,
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

test('what is held is counted apart, and the pause that a receiver asked for is told until it is over', async () => {
  const id = await subscribe()
  await api.ask('POST', `/v1/subscriptions/${id}/pause`)
  for (let count = 0; count < 3; count += 1) await publish(id)
  const notBefore = new Date(Date.now() + 60_000)
  const where = { id: parseId('subscription', id) ?? '' }
  await api.db.prisma.subscription.update({ where, data: { notBefore } })
  const path = `/v1/subscriptions/${id}/health`
  expect((await api.ask('GET', path)).body).toMatchObject({
    backlog: { count: 0 },
    held: { count: 3, has_more: false },
    not_before: notBefore.toISOString(),
  })
  await api.db.prisma.subscription.update({ where, data: { notBefore: new Date(Date.now() - 1) } })
  expect((await api.ask('GET', path)).body.not_before).toBeNull()
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

test('the success rate counts what was accepted and what failed in the last hour, by the schedule and by the receiver', async () => {
  const id = await subscribe()
  const ids: string[] = []
  for (let event = 0; event < 6; event += 1) ids.push(parseId('delivery', await publish(id)) ?? '')
  const accepted = { state: 'delivered', finishedAt: new Date(), deliveredAt: new Date() }
  await api.db.prisma.delivery.updateMany({ where: { id: { in: ids.slice(0, 3) } }, data: accepted })
  const earlier = { ...accepted, deliveredAt: new Date(Date.now() - 2 * 3_600_000) }
  await api.db.prisma.delivery.updateMany({ where: { id: ids[3] ?? '' }, data: earlier })
  await fail(ids[4], {})
  await fail(ids[4], { trigger: 'resend' })
  await fail(ids[5], { failureCode: 'aborted' })
  await fail(ids[5], { failureCode: 'internal_error' })
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(body.attempts).toEqual({ minutes: 60, accepted: 3, failed: 1, success_rate: 0.75 })
})

test('failures in a row are those since the last success, and the time until it is disabled is told', async () => {
  const id = await subscribe()
  const deliveryId = parseId('delivery', await publish(id)) ?? ''
  await fail(deliveryId, { startedAt: new Date(Date.now() - 40_000) })
  const failingSince = new Date(Date.now() - 30_000)
  for (let count = 0; count < 3; count += 1) await fail(deliveryId, { startedAt: new Date(Date.now() - count * 5_000) })
  await fail(deliveryId, { trigger: 'resend' })
  await api.db.prisma.subscription.update({ where: { id: parseId('subscription', id) ?? '' }, data: { failingSince } })
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(body).toMatchObject({
    consecutive_failures: { count: 3, has_more: false },
    failing_since: failingSince.toISOString(),
    disable_at: new Date(failingSince.getTime() + 120 * 3_600_000).toISOString(),
  })
})

test('a disabled subscription says why and will not be disabled once more', async () => {
  const id = await subscribe()
  const where = { id: parseId('subscription', id) ?? '' }
  const disabled = { state: 'disabled', disabledReason: 'failing_too_long', failingSince: new Date() }
  await api.db.prisma.subscription.update({ where, data: disabled })
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(body).toMatchObject({ state: 'disabled', disabled_reason: 'failing_too_long', disable_at: null })
  const resumed = await api.ask('POST', `/v1/subscriptions/${id}/resume`)
  expect(resumed.body).toMatchObject({ state: 'active', disabled_reason: null, failing_since: null })
})

test.each([
  { state: 'open', probeInMs: 60_000 },
  { state: 'half_open', probeInMs: -1 },
])('a breaker that is $state is told with its next probe', async ({ state, probeInMs }) => {
  const id = await subscribe()
  const where = { id: parseId('subscription', id) ?? '' }
  const [opened, probe] = [new Date(Date.now() - 90_000), new Date(Date.now() + probeInMs)]
  const breaker = { breakerOpenedAt: opened, breakerProbeAt: probe, breakerFailedProbes: 1 }
  await api.db.prisma.subscription.update({ where, data: breaker })
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}/health`)
  expect(body.breaker).toEqual({
    state,
    opened_at: opened.toISOString(),
    next_probe_at: probe.toISOString(),
    failed_probes: 1,
  })
  const read = await api.ask('GET', `/v1/subscriptions/${id}`)
  expect(read.body).toMatchObject({ breaker_opened_at: opened.toISOString() })
})

/** A failed attempt of a delivery. */
async function fail(
  deliveryId = '',
  { trigger = 'automatic', failureCode = 'http_5xx', startedAt = new Date() }: Partial<Failed>,
): Promise<void> {
  const delivery = await api.db.prisma.delivery.findFirstOrThrow({ where: { id: deliveryId } })
  await api.db.prisma.attempt.create({
    data: {
      id: uuidV7(startedAt.getTime(), randomBytes(10)),
      deliveryId,
      tenantId: 'acme',
      eventId: delivery.eventId,
      subscriptionId: delivery.subscriptionId,
      number: 1,
      trigger,
      startedAt,
      url: callbackUrl,
      requestHeaders: {},
      failureCode,
      responseHeaders: {},
      responseBody: new Uint8Array(),
      responseTruncated: false,
      waitMs: 1,
      totalMs: 1,
    },
  })
}

type Failed = { trigger: string; failureCode: string; startedAt: Date }
