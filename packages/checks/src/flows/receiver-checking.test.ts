/** Checks of receivers, by receivers of all kinds on this machine. */
import {
  checkReceiver,
  type JudgedCheck,
  judgeReceiver,
  type ReceiverCheckOutcome,
  testSubscription,
} from '@posthorn/engine'
import { parsePublicKey, parseSecret, verify, WebhookVerificationError } from '@posthorn/signing'
import { type Answer, type ReceivedRequest, startReceiver } from 'posthorn/receiver'
import { describe, expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { startTestPosthorn, type TestPosthorn, world } from './posthorn.ts'

/** A receiver that is written well: it verifies with the published verifier, and takes everything that is authentic. */
function correct({ signature }: ReceivedRequest): Answer {
  return { status: signature === 'valid' ? 204 : 401 }
}

async function checked(posthorn: TestPosthorn, { id }: { id: string }, eventType?: string) {
  return checkReceiver({ db: posthorn.db, world }, id, undefined, {
    actor: 'key_1',
    ...(eventType !== undefined && { eventType }),
  })
}

/** Those that did not pass, by their verdict. */
function notPassed(outcome: ReceiverCheckOutcome): Record<string, string> {
  const { checks } = judgeReceiver(outcome)
  return Object.fromEntries(checks.flatMap(({ check, verdict }) => (verdict === 'passed' ? [] : [[check, verdict]])))
}

function checkOf(outcome: ReceiverCheckOutcome, name: string): JudgedCheck {
  const check = judgeReceiver(outcome).checks.find((one) => one.check === name)
  if (check === undefined) throw new Error(`there is no check ${name}`)
  return check
}

/** A Posthorn that delivers, to a receiver that answers so. */
async function delivering(answer: (request: ReceivedRequest) => Answer | Promise<Answer>, timeoutMs = 5_000) {
  const stack = new AsyncDisposableStack()
  const posthorn = stack.use(await startTestPosthorn({ answer }))
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ timeoutMs })
  return { posthorn, subscription, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

function typeOf({ body }: ReceivedRequest): unknown {
  return JSON.parse(body).type
}

/** How far a request verifies when the receiver looks at one of its signatures only. */
function verifiesBy(request: ReceivedRequest, which: 'first' | 'last', secret: string): boolean {
  const tokens = String(request.headers['webhook-signature']).split(' ')
  const signature = which === 'first' ? tokens[0] : tokens.at(-1)
  try {
    const headers = { ...request.headers, 'webhook-signature': signature }
    verify({ headers, body: request.body, keys: [parseSecret(secret)], now: new Date() })
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}

test.concurrent('a receiver that is written well passes every check, of nine requests that all say they are tests', async () => {
  await using made = await delivering(correct)
  const { posthorn, subscription } = made
  const outcome = await checked(posthorn, subscription)
  expect(notPassed(outcome)).toEqual({})
  expect(judgeReceiver(outcome)).toMatchObject({ verdict: 'passed', total: { passed: 10, failed: 0, not_run: 0 } })
  const { requests } = posthorn.receiver
  expect(requests.map(({ headers }) => headers['posthorn-test'])).toEqual(Array(9).fill('1'))
  expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(8)
  expect(requests.map(({ signature }) => signature)).toEqual([
    'valid', 'no_matching_signature', 'timestamp_too_old', 'valid', 'valid', 'valid', 'valid', 'valid', 'valid',
  ]) // biome-ignore format: in the order of the checks
  expect(requests[3]?.earlier).toBe(1)
  expect(requests.map(typeOf)).toContain('posthorn.test.unknown')
  const large = JSON.parse(requests[6]?.body ?? '')
  expect(large.data).toEqual(JSON.parse(requests[0]?.body ?? '').data)
  expect(Buffer.byteLength(requests[6]?.body ?? '')).toBeGreaterThan(256 * 1024)
  expect(requests[7]?.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/)
})

test.concurrent('a check leaves no trace in deliveries, attempts and the health of its subscription', async () => {
  await using made = await delivering(() => ({ status: 410 }))
  const { posthorn, subscription } = made
  const before = await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })
  await checked(posthorn, subscription)
  expect(await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })).toEqual(before)
  const { prisma } = posthorn.db
  const counts = await Promise.all([prisma.delivery.count(), prisma.attempt.count(), prisma.backlog.count()])
  expect(counts).toEqual([0, 0, 0])
})

describe('a receiver that is not written well', () => {
  const stale = { signature: 'timestamp_too_old' }
  test.concurrent.each<[string, (request: ReceivedRequest) => Answer, Record<string, string>]>([
    [
      'and never verifies fails by the wrong signature and the stale time, and by nothing else',
      () => ({ status: 200 }),
      { wrong_signature: 'failed', stale_timestamp: 'failed' },
    ],
    [
      'and does not look at the time fails by that alone',
      ({ signature }) => ({ status: signature === 'valid' || signature === stale.signature ? 204 : 401 }),
      { stale_timestamp: 'failed' },
    ],
    [
      'and refuses types that it does not know is warned',
      (request) => (typeOf(request) === 'posthorn.test' ? correct(request) : { status: 422 }),
      { unknown_event_type: 'warning' },
    ],
    [
      'and refuses members that it does not know is warned',
      (request) => (request.body.includes('posthorn_unknown') ? { status: 400 } : correct(request)),
      { unknown_member: 'warning' },
    ],
    [
      'and fails on what it has seen before fails by the duplicate',
      (request) => (request.earlier > 0 ? { status: 500 } : correct(request)),
      { duplicate: 'failed' },
    ],
    [
      'and limits bodies below 256 KiB is warned when it says so',
      (request) => (request.body.length > 100_000 ? { status: 413 } : correct(request)),
      { large_event: 'warning' },
    ],
    [
      'and breaks on a large body fails',
      (request) => (request.body.length > 100_000 ? { status: 500 } : correct(request)),
      { large_event: 'failed' },
    ],
    [
      'and breaks on a bad signature is warned: it did refuse',
      (request) => (request.signature === 'valid' ? { status: 204 } : { status: 500 }),
      { wrong_signature: 'warning', stale_timestamp: 'warning' },
    ],
  ])('%s', async (_title, answer, expected) => {
    await using made = await delivering(answer)
    const outcome = await checked(made.posthorn, made.subscription)
    expect(notPassed(outcome)).toEqual(expected)
    for (const name of Object.keys(expected)) expect(checkOf(outcome, name).fix).toMatch(/\w\.$/)
  })

  test.concurrent.each([
    ['first', 'old_secret_in_rotation'],
    ['last', 'new_secret_in_rotation'],
  ] as const)('and looks at the %s signature only fails by %s', async (which, check) => {
    let secret = ''
    await using made = await delivering((request) => {
      if (request.signature === 'timestamp_too_old') return { status: 401 }
      return { status: verifiesBy(request, which, secret) ? 204 : 401 }
    })
    secret = made.subscription.secret
    expect(notPassed(await checked(made.posthorn, made.subscription))).toEqual({ [check]: 'failed' })
  })

  test.concurrent('and refuses everything shows nothing by the other checks, so they are not made', async () => {
    await using made = await delivering(() => ({ status: 401 }))
    const outcome = await checked(made.posthorn, made.subscription)
    expect(made.posthorn.receiver.requests).toHaveLength(1)
    expect(judgeReceiver(outcome)).toMatchObject({ verdict: 'failed', total: { failed: 1, not_run: 8, passed: 1 } })
    expect(checkOf(outcome, 'good_event').fix).toContain('event_type')
    expect(checkOf(outcome, 'wrong_signature').detail).toContain('good event')
  })
})

test.concurrent('nobody there: the first check fails with the cause, and the others are not made', async () => {
  const port = await (async () => {
    await using receiver = await startReceiver()
    return receiver.port
  })()
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch({ otherPort: port })
  const subscription = await posthorn.subscribe({ url: `http://127.0.0.1:${port}/` })
  const outcome = await checked(posthorn, subscription)
  const { good_event: first, ...others } = notPassed(outcome)
  expect(first).toBe('failed')
  expect(new Set(Object.values(others))).toEqual(new Set(['not_run']))
  expect(Object.keys(others)).toHaveLength(9)
  expect(checkOf(outcome, 'good_event').outcome).toMatchObject({ failureCode: 'connect_refused', status: null })
})

test.concurrent('an address that the guard does not allow is not called', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ url: 'http://127.0.0.1:9/' })
  const outcome = await checked(posthorn, subscription)
  expect(checkOf(outcome, 'good_event').outcome).toMatchObject({ failureCode: 'blocked_address' })
  expect(judgeReceiver(outcome).total).toMatchObject({ failed: 1, not_run: 9 })
})

test.concurrent('a receiver that is late is warned, and one that hangs on large bodies fails within its time', async () => {
  const gate = createGate(({ body }) => body.length > 100_000)
  await using posthorn = await startTestPosthorn({
    answer: (request) => (request.signature === 'valid' ? gate.answer(request) : { status: 401 }),
  })
  await posthorn.dispatch({ lateAfterMs: 0.001 })
  const subscription = await posthorn.subscribe({ timeoutMs: 1_000 })
  const outcome = await checked(posthorn, subscription)
  expect(notPassed(outcome)).toEqual({ large_event: 'failed', answer_time: 'failed' })
  expect(checkOf(outcome, 'large_event').outcome).toMatchObject({ failureCode: 'response_timeout' })
  gate.open()
  expect(notPassed(await checked(posthorn, subscription))).toEqual({ answer_time: 'warning' })
})

test.concurrent.each(['cloudevents-structured', 'cloudevents-binary', 'raw'] as const)(
  'a receiver of the form %s is checked by all that make sense for it',
  async (payloadFormat) => {
    await using made = await delivering(correct)
    const { posthorn, subscription } = made
    await posthorn.change(subscription, { payloadFormat })
    const outcome = await checked(posthorn, subscription)
    const isRaw = payloadFormat === 'raw'
    expect(notPassed(outcome)).toEqual(isRaw ? { unknown_event_type: 'not_applicable' } : {})
    expect(judgeReceiver(outcome).verdict).toBe('passed')
    const sent = posthorn.receiver.requests.map(({ body, headers }) => JSON.stringify([JSON.parse(body), headers]))
    expect(sent.filter((text) => /posthorn_?unknown/.test(text))).toHaveLength(1)
    expect(sent.filter((text) => text.includes('posthorn.test.unknown'))).toHaveLength(isRaw ? 0 : 1)
  },
)

test.concurrent('a receiver that verifies by its public key is checked by key pairs too', async () => {
  let publicKey = ''
  await using made = await delivering(({ headers, body }) => {
    try {
      verify({ headers, body, keys: [parsePublicKey(publicKey)], now: new Date() })
      return { status: 204 }
    } catch (error) {
      if (error instanceof WebhookVerificationError) return { status: 401 }
      throw error
    }
  })
  const { posthorn, subscription } = made
  await posthorn.change(subscription, { signatureSchemes: ['v1a', 'v1'] })
  const row = await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })
  publicKey = row.publicKey ?? ''
  expect(notPassed(await checked(posthorn, subscription))).toEqual({})
  const signatures = posthorn.receiver.requests.map(({ headers }) => String(headers['webhook-signature']))
  expect(signatures[0]).toMatch(/^v1a,\S+ v1,\S+$/)
  expect(signatures[7]).toMatch(/^v1a,\S+ v1a,\S+ v1,\S+ v1,\S+$/)
})

test.concurrent('credentials go along, a transform does not, and every request has what the receiver asks for', async () => {
  await using made = await delivering((request) => {
    return request.headers.authorization === 'Bearer let-me-in' ? correct(request) : { status: 403 }
  })
  const { posthorn, subscription } = made
  await posthorn.change(subscription, { auth: { type: 'bearer', token: 'let-me-in' }, transform: '{"made": message}' })
  const outcome = await checked(posthorn, subscription)
  expect(notPassed(outcome)).toEqual({})
  expect(posthorn.receiver.requests.every(({ body }) => !body.includes('"made"'))).toBe(true)
  expect(JSON.stringify(outcome)).not.toContain('let-me-in')
})

test.concurrent('a receiver that takes known types only is checked with the example of one', async () => {
  await using made = await delivering((request) => {
    return typeOf(request) === 'plan.changed' ? correct(request) : { status: 204 }
  })
  const { posthorn, subscription } = made
  await posthorn.db.prisma.eventType.create({ data: { name: 'plan.changed', latestVersion: 1 } })
  const version = { eventType: 'plan.changed', version: 1, schema: {}, examples: [{ plan: 'a' }] }
  await posthorn.db.prisma.eventTypeVersion.create({ data: version })
  const outcome = await checked(posthorn, subscription, 'plan.changed')
  expect(notPassed(outcome)).toEqual({})
  expect(posthorn.receiver.requests.map(typeOf)).toEqual([
    ...Array(4).fill('plan.changed'), 'posthorn.test.unknown', ...Array(4).fill('plan.changed'),
  ]) // biome-ignore format: in the order of the checks
})

test.concurrent('a paused subscription is checked too, at its rate', async () => {
  await using made = await delivering(correct)
  const { posthorn, subscription } = made
  await posthorn.db.prisma.subscription.update({
    where: { id: subscription.id },
    data: { state: 'paused', rateLimitPerSecond: 20 },
  })
  const outcome = await checked(posthorn, subscription)
  expect(notPassed(outcome)).toEqual({})
  expect(outcome.tookMs).toBeGreaterThanOrEqual(8 * 50)
})

test.concurrent('one check of a subscription at a time, and no test beside it', async () => {
  const gate = createGate()
  await using made = await delivering((request) =>
    request.signature === 'valid' ? gate.answer(request) : { status: 401 },
  )
  const { posthorn, subscription } = made
  const first = checked(posthorn, subscription)
  await gate.holds(1)
  const running = { code: 'subscription_test_running' }
  await expect(checked(posthorn, subscription)).rejects.toMatchObject(running)
  const asked = testSubscription({ db: posthorn.db, world }, subscription.id, undefined, { actor: 'key_1' })
  await expect(asked).rejects.toMatchObject(running)
  gate.open()
  expect(notPassed(await first)).toEqual({})
  expect(posthorn.receiver.requests).toHaveLength(9)
})

test.concurrent('a dispatcher that is stopped ends the request that it makes, and begins no further one', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const dispatcher = await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const check = checked(posthorn, subscription)
  await gate.holds(1)
  const left = dispatcher.leave()
  gate.let(1)
  const outcome = await check
  await left
  expect(notPassed(outcome)['wrong_signature']).toBe('not_run')
  expect(checkOf(outcome, 'good_event').verdict).toBe('passed')
  expect(checkOf(outcome, 'large_event').detail).toContain('stopped')
})

test.concurrent('without a dispatcher nothing is sent, and the asker is told so', async () => {
  await using posthorn = await startTestPosthorn()
  const subscription = await posthorn.subscribe()
  await expect(checked(posthorn, subscription)).rejects.toMatchObject({ code: 'no_dispatcher', status: 503 })
  expect(await posthorn.db.prisma.subscriptionTest.count()).toBe(0)
  await posthorn.dispatch()
  expect(posthorn.receiver.requests).toHaveLength(0)
})

test.concurrent('a check whose dispatcher was killed is not made again, and keeps the next one away no longer than it may take', async () => {
  await using made = await delivering(correct)
  const { posthorn, subscription } = made
  const { id, ...rest } = {
    id: subscription.id,
    tenantId: 'acme',
    eventType: 'posthorn.test',
    data: '{}',
    actor: 'key_1',
  }
  const ago = (ms: number) => new Date(Date.now() - ms)
  const row = { id, subscriptionId: id, eventId: id, isReceiverCheck: true, ...rest }
  await posthorn.db.prisma.subscriptionTest.create({ data: { ...row, requestedAt: ago(50_000), takenAt: ago(50_000) } })
  await expect(checked(posthorn, subscription)).rejects.toMatchObject({ code: 'subscription_test_running' })
  await posthorn.db.prisma.subscriptionTest.update({ where: { id }, data: { requestedAt: ago(60_000) } })
  expect(notPassed(await checked(posthorn, subscription))).toEqual({})
  expect(posthorn.receiver.requests).toHaveLength(9)
})
