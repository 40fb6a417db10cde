import { parseId } from '@posthorn/contract'
import { checkedRequest, finishCheck, judgeAttempt, newUuid, type TakenTest, takeTest } from '@posthorn/engine'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi, world } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

async function subscribed(tenant = 'acme'): Promise<string> {
  const draft = { url: callbackUrl, event_types: ['*'], headers: { 'x-api-key': 'canary-of-a-key' } }
  return (await api.ask('POST', `/v1/tenants/${tenant}/subscriptions`, draft)).body.id
}

/** The next check that somebody waits for, taken as a dispatcher takes it. */
async function taken(): Promise<TakenTest> {
  for (;;) {
    const test = await takeTest(api.db, world, { isReceiverCheck: true })
    if (test !== undefined) return test
  }
}

/** Writes down a check as a dispatcher does: one request was made, and accepted. */
async function finish(check: TakenTest): Promise<void> {
  const { claim } = check
  const request = {
    url: claim.url,
    headers: { ...claim.headers, 'webhook-signature': 'v1,canary-of-a-signature' },
    body: '{"type":"posthorn.test","data":"canary-of-a-payload"}',
    timeoutMs: 1_000,
    secretHeaders: [],
    grant: null,
  }
  const outcome = {
    status: 200,
    failureCode: null,
    failureDetail: null,
    remoteAddress: '93.184.215.14',
    responseHeaders: { 'content-type': 'text/plain', 'x-customer': 'canary-of-a-payload' },
    responseBody: Buffer.from('canary-of-a-payload'),
    responseTruncated: false,
    retryAfterMs: null,
    timings: { dns: null, connect: 1, tls: 2, firstByte: 3, total: 6 },
  }
  const startedAt = new Date('2026-11-26T00:00:00.000Z')
  const record = judgeAttempt(claim, request, outcome, { startedAt, random: 0 })
  await finishCheck(api.db, check, {
    eventType: claim.event.type,
    startedAt: startedAt.toISOString(),
    tookMs: 6,
    lateAfterMs: 2_000,
    requests: [checkedRequest('good_event', claim, record, request), { check: 'duplicate', notRun: 'No time.' }],
  })
}

test('the scorecard says what was sent, what was answered and how that is judged, with a total', async () => {
  const id = await subscribed()
  const asked = api.ask('POST', `/v1/subscriptions/${id}/conformance`)
  await finish(await taken())
  const { status, body } = await asked
  expect(status).toBe(200)
  expect(body).toMatchObject({
    subscription_id: id,
    event_type: 'posthorn.test',
    verdict: 'not_run',
    total: { passed: 2, warning: 0, failed: 0, not_run: 1, not_applicable: 0 },
  })
  const [good, duplicate, time] = body.checks
  expect(good).toMatchObject({
    check: 'good_event',
    verdict: 'passed',
    detail: 'It was answered with 200.',
    fix: null,
    request: { event_type: 'posthorn.test', body_bytes: 53, headers: { 'posthorn-test': '1' } },
    response: { status: 200, body: 'canary-of-a-payload', truncated: false },
    total_ms: 6,
  })
  expect(good.request.event_id).toMatch(/^evt_/)
  expect(duplicate).toMatchObject({ check: 'duplicate', verdict: 'not_run', detail: 'No time.', request: null })
  expect(time).toMatchObject({ check: 'answer_time', verdict: 'passed' })
  const { body: log } = await api.ask('GET', `/v1/audit?target=${id}&action=subscription_tested`)
  expect(log.data).toHaveLength(1)
})

test('who may not see payloads and secrets sees neither in a scorecard', async () => {
  const id = await subscribed()
  const asked = api.ask('POST', `/v1/subscriptions/${id}/conformance`, undefined, { as: 'support' })
  await finish(await taken())
  const { status, text, body } = await asked
  expect(status).toBe(200)
  expect(text).not.toContain('canary')
  expect(body.checks[0]).toMatchObject({
    request: { body: null, body_bytes: 53 },
    response: { status: 200, body: null },
  })
})

test('a dispatcher of an older version that made a plain test of it: nobody knows how the receiver does', async () => {
  const id = await subscribed()
  const asked = api.ask('POST', `/v1/subscriptions/${id}/conformance`)
  const { id: testId } = await taken()
  await api.db.prisma.subscriptionTest.update({
    where: { id: testId },
    data: { outcome: { status: 204 }, finishedAt: new Date() },
  })
  const { status, body } = await asked
  expect([status, body.code]).toEqual([504, 'outcome_unknown'])
})

test('a repetition under the same idempotency key is answered as the first time, and nothing is sent again', async () => {
  const id = await subscribed()
  const headers = { 'idempotency-key': `check-${id}` }
  const first = api.ask('POST', `/v1/subscriptions/${id}/conformance`, undefined, { headers })
  await finish(await taken())
  const { body } = await first
  const again = await api.ask('POST', `/v1/subscriptions/${id}/conformance`, undefined, { headers })
  expect(again.headers['idempotent-replayed']).toBe('true')
  expect(again.body).toEqual(body)
  expect(await takeTest(api.db, world, { isReceiverCheck: true })).toBeUndefined()
})

test('a check waits for a dispatcher that makes checks: what takes tests does not take it', async () => {
  const id = await subscribed()
  const asked = api.ask('POST', `/v1/subscriptions/${id}/conformance`)
  const check = await taken()
  expect(await takeTest(api.db, world, { isReceiverCheck: false })).toBeUndefined()
  await finish(check)
  expect((await asked).status).toBe(200)
})

test('503 when no dispatcher comes for the check, and nothing is left of it', async () => {
  const { status, body, headers } = await api.ask('POST', `/v1/subscriptions/${await subscribed()}/conformance`)
  expect([status, body.code, headers['retry-after']]).toEqual([503, 'no_dispatcher', '5'])
  expect(await api.db.prisma.subscriptionTest.count({ where: { finishedAt: null } })).toBe(0)
})

test('404 for another tenant and for no subscription, 403 for roles that may not test', async () => {
  const id = await subscribed('globex')
  const ask = async (path: string, as: string) => {
    const { status, body } = await api.ask('POST', path, undefined, { as })
    return [status, body.code]
  }
  expect(await ask(`/v1/subscriptions/${id}/conformance`, 'tenant')).toEqual([404, 'subscription_not_found'])
  expect(await ask('/v1/subscriptions/sub_x/conformance', 'admin')).toEqual([404, 'subscription_not_found'])
  expect(await ask(`/v1/subscriptions/${id}/conformance`, 'viewer')).toEqual([403, 'forbidden'])
})

test.each([
  ['?event_type=nothing', 404, 'event_type_not_found'],
  ['?event_type=invoice.paid', 422, 'invalid_request'],
  ['?event_type=a..b', 422, 'invalid_request'],
  ['?url=x', 422, 'invalid_request'],
])('a check with %s is refused before anything is sent', async (query, status, code) => {
  const answer = await api.ask('POST', `/v1/subscriptions/${await subscribed()}/conformance${query}`)
  expect([answer.status, answer.body.code]).toEqual([status, code])
})

test('one tenant does not take all the places there are: its next check waits, and that of another tenant does not', async () => {
  for (const tenant of ['busy', 'idle']) await api.ask('PUT', `/v1/tenants/${tenant}`, {})
  const [first, second, other] = [await subscribed('busy'), await subscribed('busy'), await subscribed('idle')]
  const ask = (id: string) => api.ask('POST', `/v1/subscriptions/${id}/conformance`)
  const one = ask(first)
  const running = await taken()
  const refused = await ask(second)
  expect([refused.status, refused.body.code]).toEqual([409, 'subscription_test_running'])
  expect(refused.body.detail).toContain('of this tenant is under way')
  // As if it had been asked for at the same moment.
  const id = parseId('subscription', second)
  const waiting = await api.db.prisma.subscriptionTest.findFirstOrThrow({ where: { tenantId: 'busy' } })
  const { outcome: _outcome, ...same } = waiting
  await api.db.prisma.subscriptionTest.create({
    data: { ...same, id: newUuid(world), subscriptionId: id ?? expect.fail(), takenAt: null },
  })
  expect(await takeTest(api.db, world, { isReceiverCheck: true })).toBeUndefined()
  const two = ask(other)
  const taking = await taken()
  expect(taking.claim.tenantId).toBe('idle')
  await finish(taking)
  await finish(running)
  expect([(await one).status, (await two).status]).toEqual([200, 200])
  expect((await takeTest(api.db, world, { isReceiverCheck: true }))?.claim.subscriptionId).toBe(id)
})
