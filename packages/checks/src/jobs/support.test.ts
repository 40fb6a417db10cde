/**
 * What support staff, who find and send again, come to do (S1 to S11), each with the SDK in no more requests than would be
 * ideal. They work with a key of the role support.
 */
import type { Posthorn } from '@posthorn/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, startServed } from '../sdk/serving.ts'

let served: Served
let support: Posthorn
/** What each path answers; 204 where nothing is said. */
const answers = new Map<string, number>()
/** Whether a path answers 500 this time. */
const rejecting = new Map<string, () => boolean>()

beforeAll(async () => {
  served = await startServed({
    answer: ({ path }) => ({
      status: rejecting.get(path)?.() === true ? 500 : (answers.get(path) ?? 204),
      body: 'said so',
    }),
  })
  const { key } = await served.posthorn.apiKeys.create({ name: 'helpdesk', role: 'support' })
  support = served.as(key)
})

afterAll(() => served[Symbol.asyncDispose]())

test('S1 Why did customer X’s order events fail yesterday, and send only those again: 5 requests of 6', async () => {
  answers.set('/s1', 500)
  await subscribe('s1', { final_statuses: [500] })
  await publish('s1')
  await publish('s1')
  await served.posthorn.events.publish({ tenant: 's1', type: 'invoice.paid', data: {} })
  await oneFailed('s1-other')
  await served.eventually(
    async () => (await support.deliveries.list({ tenant: 's1', state: 'failed' }).all()).length === 3,
  )
  const { result, calls } = await served.counted(async () => {
    const filter = { tenant: 's1', event_type: 'order.*', since: '24h' }
    const causes = await support.metrics.causes(filter)
    const failed = await support.deliveries.list({ ...filter, state: 'failed' }).page()
    answers.delete('/s1')
    const replay = await support.replays.create({ filter, note: 'ticket 4711' })
    await support.replays.run(replay.id)
    await served.until(() => arrived('/s1').length === 5)
    return { causes, failed, replay, now: await support.replays.get(replay.id) }
  })
  expect(calls).toHaveLength(5)
  expect(result.causes.data).toMatchObject([{ failure_code: 'http_5xx' }])
  expect(result.failed.data.map(({ event_type }) => event_type)).toEqual(['order.paid', 'order.paid'])
  expect(result.replay.preview).toMatchObject({ count: 2, subscription_count: 1 })
  const again = arrived('/s1').slice(3)
  expect(again.map(({ headers }) => headers['posthorn-event-type'])).toEqual(['order.paid', 'order.paid'])
})

test('S2 Find by order number: 1 request', async () => {
  await subscribe('s2')
  const event = await publish('s2')
  const { result, calls } = await served.counted(() => support.search('ord_s2'))
  expect(calls).toHaveLength(1)
  expect(result.data).toMatchObject([{ kind: 'event', id: event.id, matched: 'business_key', key: 'order' }])
})

test('S3 Answer the ticket: 1 request has all that a summary says, and no secret', async () => {
  const failed = await oneFailed('s3')
  const { result, calls } = await served.counted(() =>
    support.deliveries.get(failed.id, { expand: 'event,subscription,attempts' }),
  )
  expect(calls).toHaveLength(1)
  expect(result).toMatchObject({
    tenant: 's3',
    event: { keys: { order: 'ord_s3' } },
    attempts: [{ response: { status: 500 }, failure_code: 'http_5xx' }],
  })
  expect(JSON.stringify(result)).not.toMatch(/whsec_|"total":1200/)
})

test('S4 Us or them?: no request beside the one that shows the attempt', async () => {
  const failed = await oneFailed('s4')
  const { result, calls } = await served.counted(() => support.deliveries.attempts(failed.id).page())
  expect(calls).toHaveLength(1)
  const { wait_ms: ours = -1, total_ms: theirs = -1 } = result.data[0]?.timings ?? {}
  expect(ours).toBeGreaterThanOrEqual(0)
  expect(theirs).toBeGreaterThan(0)
})

test('S6 Watch a replay and stop it: 1 request each', async () => {
  await failedOnes('s6', 10)
  const draft = await support.replays.create({ filter: { tenant: 's6' }, rate_per_second: 1 })
  await support.replays.run(draft.id)
  const step = async <T>(work: () => Promise<T>) => {
    const { result, calls } = await served.counted(work)
    expect(calls).toHaveLength(1)
    return result
  }
  expect(await step(() => support.replays.get(draft.id))).toMatchObject({
    state: 'running',
    progress: { waiting: expect.any(Number), delivered: expect.any(Number) },
  })
  expect(await step(() => support.replays.pause(draft.id))).toMatchObject({ state: 'paused' })
  expect(await step(() => support.replays.patch(draft.id, { rate_per_second: 2 }))).toMatchObject({
    rate_per_second: 2,
  })
  expect(await step(() => support.replays.resume(draft.id))).toMatchObject({ state: 'running' })
  const { progress } = await step(() => support.replays.cancel(draft.id))
  expect(progress.waiting + progress.canceled).toBeGreaterThan(0)
})

test('S7 Know the replay worked: 1 request, and 1 more to send the rest again', async () => {
  await failedOnes('s7', 3)
  const draft = await support.replays.create({ filter: { tenant: 's7' } })
  let isFirst = true
  rejecting.set('/s7', () => {
    const rejects = isFirst
    isFirst = false
    return rejects
  })
  await support.replays.run(draft.id)
  const done = await served.eventually(async () => {
    const replay = await support.replays.get(draft.id)
    return replay.state === 'completed' && replay
  })
  const known = await served.counted(() => support.replays.get(draft.id))
  expect(known.calls).toHaveLength(1)
  expect(known.result.progress).toEqual(done.progress)
  expect(done.progress).toMatchObject({ delivered: 2, failed: 1, by_cause: [{ failure_code: 'http_5xx', count: 1 }] })
  const rest = await served.counted(() => support.replays.create({ filter: { tenant: 's7', replay: draft.id } }))
  expect(rest.calls).toHaveLength(1)
  expect(rest.result.preview.count).toBe(1)
})

test('S5 Who else is affected?: 1 request, across tenants', async () => {
  for (const tenant of ['s5-one', 's5-two']) await oneFailed(tenant)
  const { result, calls } = await served.counted(() => support.metrics.causes({ since: '1h' }))
  expect(calls).toHaveLength(1)
  const cause = result.data.find(({ failure_code }) => failure_code === 'http_5xx')
  expect(cause?.examples.tenants.length).toBeGreaterThan(1)
  expect(cause).toMatchObject({ host: new URL(served.receiver.origin).host, our_fault: false })
})

test('S8 Re-enable a subscription and backfill the gap: 1 request', async () => {
  answers.set('/s8', 410)
  const { id } = await subscribe('s8')
  await publish('s8')
  await served.until(() => arrived('/s8').length === 1)
  await served.eventually(async () => (await support.subscriptions.get(id)).state === 'disabled')
  const missed = [await publish('s8'), await publish('s8')]
  answers.delete('/s8')
  const { result, calls } = await served.counted(() => support.subscriptions.resume(id, { backfill: 'held' }))
  expect(calls).toHaveLength(1)
  expect(result).toMatchObject({ state: 'active' })
  await served.until(() => arrived('/s8').length === 3)
  const late = arrived('/s8').slice(1)
  expect(late.map(({ headers }) => String(headers['webhook-id'])).toSorted()).toEqual(
    missed.map((event) => event.id).toSorted(),
  )
})

test('S9 See what the customer sees: 1 request, read-only and in the audit log', async () => {
  const { id } = await subscribe('s9')
  const { result, calls } = await served.counted(() =>
    support.portalSessions.create(
      's9',
      { capabilities: ['subscriptions:read', 'deliveries:read', 'events:read'], ttl_seconds: 600 },
      { reason: 'Kundin rief an – 4711' },
    ),
  )
  expect(calls).toHaveLength(1)
  const asCustomer = served.as(result.token)
  expect((await asCustomer.subscriptions.list().all()).map((subscription) => subscription.id)).toEqual([id])
  await expect(asCustomer.subscriptions.delete(id)).rejects.toMatchObject({ code: 'forbidden' })
  const entries = await served.posthorn.audit.list({ target: result.id }).all()
  expect(entries).toMatchObject([{ action: 'portal_session_created', tenant: 's9', reason: 'Kundin rief an – 4711' }])
})

test('S10 Who sent this again?: no request beside the one that shows the attempts', async () => {
  const failed = await oneFailed('s10')
  await support.deliveries.resend(failed.id, { reason: 'they have mended it' })
  const { result, calls } = await served.counted(() =>
    served.eventually(async () => {
      const found = await support.deliveries.attempts(failed.id).all()
      return found.length === 2 && found
    }),
  )
  expect(new Set(calls).size).toBe(1)
  const { id: actor } = await support.credential()
  expect(result[0]).toMatchObject({ number: 2, trigger: 'resend', actor, reason: 'they have mended it' })
})

test('S11 Prove delivery: 1 request with when, to whom, what was answered, and what was sent', async () => {
  await subscribe('s11')
  const { deliveries } = await publish('s11')
  const id = deliveries[0]?.id ?? ''
  await served.until(() => arrived('/s11').length === 1)
  await served.eventually(async () => (await support.deliveries.get(id)).state === 'delivered')
  const { result, calls } = await served.counted(() => served.posthorn.deliveries.attempts(id).page())
  expect(calls).toHaveLength(1)
  expect(result).toMatchObject({
    data: [
      {
        started_at: expect.stringMatching(/^\d{4}-.*Z$/),
        remote_address: '127.0.0.1',
        request: {
          method: 'POST',
          url: `${served.receiver.origin}/s11`,
          headers: { 'webhook-id': expect.any(String) },
        },
        response: { status: 204 },
      },
    ],
    request_body: arrived('/s11')[0]?.body,
  })
})

async function subscribe(tenant: string, more: object = {}) {
  await served.posthorn.tenants.put(tenant)
  const body = { url: `${served.receiver.origin}/${tenant}`, event_types: ['*'], ...more }
  const made = await served.posthorn.subscriptions.create(tenant, body)
  served.receiver.trust(`/${tenant}`, made.secret)
  return made
}

function publish(tenant: string) {
  const event = { tenant, type: 'order.paid', data: { total: 1200 }, keys: { order: `ord_${tenant}` } }
  return served.posthorn.events.publish(event)
}

/** So many deliveries of the tenant that have failed for good, at a receiver that is mended now. */
async function failedOnes(tenant: string, count: number): Promise<void> {
  answers.set(`/${tenant}`, 500)
  await subscribe(tenant, { final_statuses: [500], max_in_flight: 100 })
  for (let number = 0; number < count; number += 1) await publish(tenant)
  await served.eventually(
    async () => (await support.deliveries.list({ tenant, state: 'failed', limit: 250 }).all()).length === count,
  )
  answers.delete(`/${tenant}`)
}

/** A delivery of the tenant that has failed for good. */
async function oneFailed(tenant: string) {
  answers.set(`/${tenant}`, 500)
  await subscribe(tenant, { final_statuses: [500] })
  await publish(tenant)
  return served.eventually(async () => (await support.deliveries.list({ tenant, state: 'failed' }).all(1))[0])
}

function arrived(path: string) {
  return served.receiver.requests.filter((request) => request.path === path)
}
