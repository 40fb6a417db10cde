/**
 * What the customer's developer, who receives, comes to do (C1 to C12), each with the SDK in no more requests than would
 * be ideal.
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { parseId, uuidV7 } from '@posthorn/contract'
import { ensurePartitions, openDatabase, openJobs } from '@posthorn/engine'
import { parseSecret, verify } from '@posthorn/signing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, startServed } from '../sdk/serving.ts'

let served: Served
/** Paths whose receiver is out of order now. */
const broken = new Set<string>()

beforeAll(async () => {
  served = await startServed({
    settings: { POSTHORN_EGRESS_IPS: '203.0.113.7' },
    answer: ({ path }) => ({ status: broken.has(path) ? 500 : 204, body: 'out of order' }),
  })
})

afterAll(() => served[Symbol.asyncDispose]())

test('C1 Register a URL: 1 request, which answers the secret', async () => {
  const { posthorn, counted, receiver } = served
  await posthorn.tenants.put('c1')
  const { result, calls } = await counted(() =>
    posthorn.subscriptions.create('c1', { url: `${receiver.origin}/c1`, event_types: ['order.*'] }),
  )
  expect(calls).toHaveLength(1)
  expect(result.secret).toMatch(/^whsec_/)
  receiver.trust('/c1', result.secret)
  await publish('c1')
  await served.until(() => arrived('/c1').length === 1)
  expect(arrived('/c1')).toMatchObject([{ signature: 'valid' }])
})

test('C2 Know it works before the first event: 1 request with the whole outcome', async () => {
  const { posthorn, counted } = served
  const { id, secret } = await subscribe('c2')
  const good = await counted(() => posthorn.subscriptions.test(id))
  expect(good.calls).toHaveLength(1)
  expect(good.result).toMatchObject({
    accepted: true,
    response: { status: 204 },
    timings: { total_ms: expect.any(Number) },
  })
  expect(arrived('/c2')).toMatchObject([{ signature: 'valid', headers: { 'webhook-id': good.result.event_id } }])
  broken.add('/c2')
  const bad = await posthorn.subscriptions.test(id)
  expect(bad).toMatchObject({
    accepted: false,
    failure_code: 'http_5xx',
    response: { status: 500, body: 'out of order' },
  })
  expect(JSON.stringify([good.result, bad])).not.toContain(secret)
})

test('C3 Make signature checking pass: 1 request, which names the mistake', async () => {
  const { posthorn, counted } = served
  const { id, secret } = await subscribe('c3')
  await publish('c3')
  const [request] = await served.until(() => arrived('/c3').length === 1 && arrived('/c3'))
  const headers = Object.fromEntries(
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, String(request?.headers[name])]),
  )
  const body = JSON.stringify(JSON.parse(request?.body ?? ''), null, 2)
  const { result, calls } = await counted(() =>
    posthorn.subscriptions.checkSignature({ subscription: id, headers, body }),
  )
  expect(calls).toHaveLength(1)
  expect(result).toMatchObject({ valid: false, cause: expect.stringMatching(/json|serial/) })
  expect(JSON.stringify(result)).not.toContain(secret)
  const right = await posthorn.subscriptions.checkSignature({ subscription: id, headers, body: request?.body ?? '' })
  expect(right).toMatchObject({ valid: true, cause: null })
})

test('C4 Receive on localhost: 1 request, and the same bytes with the same secret', async () => {
  const { posthorn, counted } = served
  const { secret, id } = await subscribe('c4')
  await publish('c4')
  await served.until(() => arrived('/c4').length === 1)
  const delivery = await delivered('c4', 'delivered')
  const { result, calls } = await counted(() => posthorn.deliveries.attempts(delivery.id).page())
  expect(calls).toHaveLength(1)
  const [attempt] = result.data
  const local = await startLocal()
  await local.receive(attempt?.request.headers ?? {}, result.request_body ?? '')
  expect(local.verified(secret)).toEqual([arrived('/c4')[0]?.headers['webhook-id']])
  expect((await posthorn.subscriptions.get(id)).state).toBe('active')
  local.close()
})

test('C5 See why one failed: 1 request with the request, the answer and the timings', async () => {
  const { posthorn, counted } = served
  broken.add('/c5')
  await subscribe('c5', { final_statuses: [500] })
  await publish('c5')
  const failed = await delivered('c5', 'failed')
  const { result, calls } = await counted(() =>
    posthorn.deliveries.get(failed.id, { expand: 'event,subscription,attempts' }),
  )
  expect(calls).toHaveLength(1)
  expect(result).toMatchObject({
    state: 'failed',
    last_failure_code: 'http_5xx',
    event: { type: 'order.paid', data: { order: 'ord_1' } },
    subscription: { url: `${served.receiver.origin}/c5` },
    attempts: [
      {
        request: { method: 'POST', headers: { 'webhook-id': failed.event_id } },
        response: { status: 500, body: 'out of order' },
        timings: { wait_ms: expect.any(Number), total_ms: expect.any(Number) },
      },
    ],
  })
})

test('C6 Resend one: 1 request', async () => {
  const { posthorn, counted } = served
  broken.add('/c6')
  await subscribe('c6', { final_statuses: [500] })
  await publish('c6')
  const failed = await delivered('c6', 'failed')
  broken.delete('/c6')
  const { calls } = await counted(() => posthorn.deliveries.resend(failed.id, { reason: 'mended' }))
  expect(calls).toHaveLength(1)
  expect((await delivered('c6', 'delivered')).id).toBe(failed.id)
  expect(arrived('/c6').map(({ headers }) => headers['webhook-id'])).toEqual([failed.event_id, failed.event_id])
})

test('C7 Catch up after my outage: 3 requests, with the count before anything is sent', async () => {
  const { posthorn, counted } = served
  broken.add('/c7')
  await subscribe('c7', { final_statuses: [500] })
  const missed = [await publish('c7'), await publish('c7'), await publish('c7')]
  await served.eventually(
    async () => (await posthorn.deliveries.list({ tenant: 'c7', state: 'failed' }).all()).length === 3,
  )
  broken.delete('/c7')
  const { result, calls } = await counted(async () => {
    const draft = await posthorn.replays.create({ filter: { tenant: 'c7', since: '1h' } })
    await posthorn.replays.run(draft.id)
    await served.until(() => arrived('/c7').length === 6)
    return { draft, now: await posthorn.replays.get(draft.id) }
  })
  expect(calls).toHaveLength(3)
  expect(result.draft.preview).toMatchObject({ count: 3, by_cause: [{ failure_code: 'http_5xx', count: 3 }] })
  expect(result.now.id).toBe(result.draft.id)
  const again = arrived('/c7').slice(3)
  expect(again.map(({ headers }) => String(headers['webhook-id'])).toSorted()).toEqual(
    missed.map((event) => event.id).toSorted(),
  )
  expect(again.map(({ headers }) => headers['posthorn-replay'])).toEqual(again.map(() => result.draft.id))
})

test('C8 "Was it ever sent?": 1 request, and the answer includes why not', async () => {
  const { posthorn, counted } = served
  const wanting = await subscribe('c8')
  const other = await subscribe('c8', { event_types: ['invoice.*'] }, '/c8-other')
  const event = await publish('c8')
  const { result, calls } = await counted(() => posthorn.events.matches(event.id))
  expect(calls).toHaveLength(1)
  expect(result.data).toContainEqual(expect.objectContaining({ subscription_id: wanting.id, matched: true }))
  expect(result.data).toContainEqual(
    expect.objectContaining({ subscription_id: other.id, matched: false, reason: 'event_type' }),
  )
})

test('C9 Be warned before being disabled: no request, because the operator is told in time to tell the customer', async () => {
  const { posthorn, counted } = served
  const { id } = await posthorn.subscriptions.create('posthorn', {
    url: `${served.receiver.origin}/operator`,
    event_types: ['posthorn.subscription.failing'],
  })
  broken.add('/c9')
  const failing = await subscribe('c9', { retry_schedule_seconds: [3_600] })
  await publish('c9')
  await served.until(() => arrived('/c9').length === 1)
  const { calls } = await counted(async () => {
    await failedFor(failing.id, 61)
    await served.until(() => arrived('/operator').length === 1)
  })
  expect(calls).toEqual([])
  expect(JSON.parse(arrived('/operator')[0]?.body ?? '')).toMatchObject({
    type: 'posthorn.subscription.failing',
    data: { tenant: 'c9', subscription_id: failing.id, percent: 50, disable_at: expect.any(String) },
  })
  await posthorn.subscriptions.delete(id)
})

test('C10 Pause for maintenance, lose nothing: 2 requests', async () => {
  const { posthorn, counted } = served
  const { id } = await subscribe('c10', { rate_limit_per_second: 100 })
  const paused = await counted(() => posthorn.subscriptions.pause(id))
  const events = [await publish('c10'), await publish('c10'), await publish('c10')]
  expect(arrived('/c10')).toEqual([])
  const resumed = await counted(() => posthorn.subscriptions.resume(id))
  expect([...paused.calls, ...resumed.calls]).toHaveLength(2)
  await served.until(() => arrived('/c10').length === 3)
  expect(
    arrived('/c10')
      .map(({ headers }) => String(headers['webhook-id']))
      .toSorted(),
  ).toEqual(events.map((event) => event.id).toSorted())
})

test('C11 Change the URL without loss: 1 request, which says what happens to what waits', async () => {
  const { posthorn, counted } = served
  const { id, secret } = await subscribe('c11')
  await posthorn.subscriptions.pause(id)
  await publish('c11')
  const { result, calls } = await counted(() =>
    posthorn.subscriptions.patch(id, { url: `${served.receiver.origin}/c11-new` }),
  )
  expect(calls).toHaveLength(1)
  expect(result).toMatchObject({ url: `${served.receiver.origin}/c11-new`, waiting: { count: 1 } })
  served.receiver.trust('/c11-new', secret)
  await posthorn.subscriptions.resume(id)
  await served.until(() => arrived('/c11-new').length === 1)
  expect(arrived('/c11-new')).toMatchObject([{ signature: 'valid' }])
  expect(arrived('/c11')).toEqual([])
})

test('C12 Allow-list source addresses: 1 request, without a key', async () => {
  const { result, calls } = await served.counted(() => served.as('phk_none').meta())
  expect(calls).toHaveLength(1)
  expect(result.egress_addresses).toEqual(['203.0.113.7'])
})

async function subscribe(tenant: string, more: object = {}, path = `/${tenant}`) {
  await served.posthorn.tenants.put(tenant)
  const body = { url: served.receiver.origin + path, event_types: ['order.*'], ...more }
  const made = await served.posthorn.subscriptions.create(tenant, body)
  served.receiver.trust(path, made.secret)
  return made
}

function publish(tenant: string) {
  return served.posthorn.events.publish({ tenant, type: 'order.paid', data: { order: 'ord_1' } })
}

/** The tenant's delivery, once it is in this state. */
function delivered(tenant: string, state: 'delivered' | 'failed') {
  return served.eventually(async () => (await served.posthorn.deliveries.list({ tenant, state }).all(1))[0])
}

/** Puts the failures of a subscription into the past, an hour apart, and asks for the job that looks every minute. */
async function failedFor(subscription: string, hours: number): Promise<void> {
  await using db = openDatabase({ url: served.url, poolSize: 2 })
  const id = parseId('subscription', subscription) ?? ''
  const attempt = await served.eventually(
    async () => (await db.prisma.attempt.findFirst({ where: { subscriptionId: id } })) ?? undefined,
  )
  await ensurePartitions(db.pool, { now: new Date(), daysBack: 7 })
  const sinceMs = Date.now() - hours * 3_600_000
  const earlier = Array.from({ length: hours }, (_, hour) => ({
    ...attempt,
    id: uuidV7(sinceMs + hour * 3_600_000, randomBytes(10)),
    requestHeaders: {},
    responseHeaders: {},
  }))
  await db.prisma.attempt.createMany({ data: earlier })
  await db.prisma.subscription.update({ where: { id }, data: { failingSince: new Date(sinceMs) } })
  await using jobs = await openJobs({ url: served.url, mode: 'send', onError: () => undefined })
  await jobs.boss.send('judge-subscriptions', {})
}

function arrived(path: string) {
  return served.receiver.requests.filter((request) => request.path === path)
}

/** A server on this machine that nobody but its developer can reach: it is handed what was sent elsewhere. */
async function startLocal() {
  const seen: { headers: Record<string, string>; body: string }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body,
    })
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    receive: (headers: Record<string, string>, body: string) =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: signedOnly(headers), body }),
    verified: (secret: string) =>
      seen.map(({ headers, body }) => verify({ headers, body, keys: [parseSecret(secret)], now: new Date() }).id),
    close: () => server.close(),
  }
}

function signedOnly(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(webhook-|content-type)/.test(name)))
}
