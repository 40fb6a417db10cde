import { type PayloadFormat, payloadFormats } from '@posthorn/contract'
import { resendDelivery, sentBody, transformHash } from '@posthorn/engine'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { eventSource, origin, sentId, startTestPosthorn, type TestPosthorn } from './posthorn.ts'

const time = '2026-11-23T10:00:00.123Z'
const data = '{"id":"in_1","lines":[{"price":10.5},{"price":2}],"note":"Zoë 漢 😀"}'
const transform =
  '{"invoice": data.id, "total": $sum(data.lines.price), "note": data.note, "region": keys.region, "at": $now()}'
const made = `{"invoice":"in_1","total":12.5,"note":"Zoë 漢 😀","region":"eu","at":"${time}"}`
/** Never ends. */
const hanging = '($again := function($n) { $again($n + 1) }; $again(0))'
const draft = { data, keys: { region: 'eu' }, timestamp: new Date(time) }

test('in every format the transformed data is sent in place of the published one, and the signature is valid over the body that is sent', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const bodies: Record<PayloadFormat, (id: string) => string> = {
    standard: () => `{"type":"invoice.paid","timestamp":"${time}","data":${made}}`,
    'cloudevents-structured': (id) =>
      `{"specversion":"1.0","id":"${id}","source":"${eventSource}","type":"invoice.paid","time":"${time}","datacontenttype":"application/json","data":${made}}`,
    'cloudevents-binary': () => made,
    raw: () => made,
  }
  const subscriptions = await posthorn.subscribeMany(payloadFormats.length)
  for (const [index, payloadFormat] of payloadFormats.entries()) {
    const subscription = subscriptions[index]
    if (subscription !== undefined) await posthorn.change(subscription, { payloadFormat, transform })
  }
  const { eventId } = await posthorn.publish(draft)
  await posthorn.recorded(payloadFormats.length)
  for (const [index, format] of payloadFormats.entries()) {
    const { path, secret } = subscriptions[index] ?? { path: '', secret: '' }
    const request = posthorn.receiver.requests.find((one) => one.path === path)
    expect(request).toMatchObject({
      signature: 'valid',
      body: bodies[format](sentId(eventId)),
      headers: { 'webhook-id': sentId(eventId), 'posthorn-transform': transformHash(transform) },
    })
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request?.headers ?? {}
    const signed = { 'webhook-id': String(id), 'webhook-timestamp': String(at), 'webhook-signature': String(signature) }
    expect(() => new Webhook(secret).verify(request?.body ?? '', signed)).not.toThrow()
  }
})

test('data that a transform made is not said to fit the schema of its event type', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { payloadFormat: 'cloudevents-structured', transform: '{"a": 1}' })
  const versions = { create: { version: 2, schema: { type: 'object' } } }
  await posthorn.db.prisma.eventType.create({
    data: { name: 'invoice.paid', validation: 'warn', latestVersion: 2, versions },
  })
  await posthorn.publish()
  await posthorn.recorded(1)
  expect(await posthorn.db.prisma.event.findFirstOrThrow()).toMatchObject({ schemaVersion: 2 })
  expect(JSON.parse(posthorn.receiver.requests[0]?.body ?? '')).not.toHaveProperty('dataschema')
})

test('every attempt of a delivery sends the same bytes, however much later it is made', async () => {
  await using posthorn = await startTestPosthorn({ answer: ({ earlier }) => ({ status: earlier < 2 ? 500 : 204 }) })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ retryScheduleSeconds: [60, 60] })
  await posthorn.change(subscription, {
    transform: '{"now": $now(), "ms": $millis(), "type": type, "all": data.**, "id": id}',
  })
  await posthorn.publish(draft)
  for (let attempts = 1; attempts < 3; attempts += 1) {
    await posthorn.recorded(attempts)
    await posthorn.timePasses()
  }
  await posthorn.recorded(3)
  const bodies = posthorn.receiver.requests.map(({ body, signature }) => [body, signature])
  expect(bodies).toEqual(Array(3).fill([expect.stringContaining(`"now":"${time}"`), 'valid']))
  expect(new Set(bodies.map(([body]) => body)).size).toBe(1)
})

test('a transform that fails is a failed attempt, nothing is sent, and the schedule goes on; when it is mended, deliveries that wait are made with the new one', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const broken = await posthorn.subscribe({ retryScheduleSeconds: [60, 60] })
  const plain = await posthorn.subscribe()
  await posthorn.change(broken, { transform: '$number(data.note)' })
  await posthorn.publish(draft)
  await posthorn.recorded(2)
  const failed = posthorn.attempts.find(({ record }) => record.subscriptionId === broken.id)?.record
  expect(failed).toMatchObject({
    number: 1,
    status: null,
    failureCode: 'transform_failed',
    requestHeaders: {},
    next: { kind: 'retry', scheduleStep: 1 },
    slowDownMs: 0,
  })
  expect(failed?.failureDetail).toBe('Unable to cast value to a number: "a text", near character 8 (JSONata D3030).')
  expect(posthorn.receiver.requests.map(({ path }) => path)).toEqual([plain.path])
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow({ where: { subscriptionId: broken.id } })).toMatchObject({
    state: 'retrying',
    lastFailureCode: 'transform_failed',
    lastHttpStatus: null,
  })

  await posthorn.change(broken, { transform: '{"note": data.note}' })
  await posthorn.timePasses()
  await posthorn.recorded(3)
  expect(posthorn.receiver.requests.at(-1)).toMatchObject({
    path: broken.path,
    signature: 'valid',
    body: `{"type":"invoice.paid","timestamp":"${time}","data":{"note":"Zoë 漢 😀"}}`,
  })
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow({ where: { subscriptionId: broken.id } })).toMatchObject({
    state: 'delivered',
    attemptCount: 2,
  })
})

test('a transform that fails to the end of the schedule fails the delivery', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe({ retryScheduleSeconds: [60] })
  await posthorn.change(subscription, { transform: 'data.no_such_field' })
  await posthorn.publish()
  await posthorn.recorded(1)
  await posthorn.timePasses()
  await posthorn.recorded(2)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({
    state: 'failed',
    lastFailureCode: 'transform_failed',
  })
  expect(posthorn.receiver.requests).toEqual([])
})

test('while the transform of one subscription hangs, the deliveries of all others go on, transformed or not', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch({ drainMs: 1 })
  const timeoutMs = 30_000
  const hangs = await posthorn.subscribe({ retryScheduleSeconds: [3_600], timeoutMs })
  const sibling = await posthorn.subscribe({ timeoutMs })
  const stranger = await posthorn.subscribe({ tenantId: 'globex', timeoutMs })
  const plain = await posthorn.subscribe()
  await posthorn.change(hangs, { transform: hanging })
  await posthorn.change(sibling, { transform: '{"sibling": data.id}' })
  await posthorn.change(stranger, { transform: '{"stranger": data.id}' })
  const count = 10
  for (let number = 0; number < count; number += 1) {
    await posthorn.publish(draft)
    await posthorn.publish({ ...draft, tenantId: 'globex' })
  }
  await posthorn.received(3 * count)
  // All the others are there, and most of those that hang still do.
  const failures = posthorn.attempts.filter(({ record }) => record.failureCode !== null)
  expect(failures.length).toBeLessThan(count)
  const paths = new Set(posthorn.receiver.requests.map(({ path }) => path))
  expect(paths).toEqual(new Set([sibling.path, stranger.path, plain.path]))
  await posthorn.until(() => posthorn.attempts.some(({ record }) => record.subscriptionId === hangs.id))
  for (const { record } of posthorn.attempts.filter(({ record }) => record.subscriptionId === hangs.id)) {
    expect(record).toMatchObject({
      failureCode: 'transform_failed',
      failureDetail: 'The transform took longer than 1000 ms.',
    })
  }
  await posthorn.change(hangs, { transform: null })
})

test('a transform that exhausts its memory takes neither the dispatcher nor the deliveries of others along', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const greedy = await posthorn.subscribe({ retryScheduleSeconds: [3_600], timeoutMs: 30_000 })
  const other = await posthorn.subscribe({ timeoutMs: 30_000 })
  await posthorn.change(greedy, { transform: '[1..100000].[1..1000]' })
  await posthorn.change(other, { transform: '{"id": data.id}' })
  for (let number = 0; number < 3; number += 1) await posthorn.publish(draft)
  await posthorn.recorded(6)
  const outcomes = posthorn.attempts.map(({ record }) => [record.subscriptionId, record.failureCode].join(' '))
  expect(outcomes.toSorted()).toEqual(
    [...Array(3).fill(`${greedy.id} transform_failed`), ...Array(3).fill(`${other.id} `)].toSorted(),
  )
  expect(posthorn.receiver.requests.map(({ path }) => path)).toEqual(Array(3).fill(other.path))
})

test('when transforms cannot be evaluated for a reason of ours, the attempt is our own failure and takes no place in the schedule', async () => {
  await using posthorn = await startTestPosthorn()
  const subscription = await posthorn.subscribe({ retryScheduleSeconds: [60] })
  await posthorn.change(subscription, { transform: '{"id": data.id}' })
  posthorn.transforms.close()
  const dispatcher = await posthorn.dispatch()
  await posthorn.publish(draft)
  const [first] = await posthorn.recorded(1)
  expect(first?.record).toMatchObject({
    status: null,
    failureCode: 'internal_error',
    next: { kind: 'retry', scheduleStep: 0 },
    slowDownMs: 10_000,
  })
  expect(dispatcher.told).toContainEqual(
    expect.objectContaining({
      what: 'delivery_fault',
      error: expect.objectContaining({ code: 'evaluators_unavailable' }),
    }),
  )
  expect(posthorn.receiver.requests).toEqual([])
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'retrying' })
})

test('a dispatcher that must end while a transform is waited for breaks the attempt off, to be made again', async () => {
  await using posthorn = await startTestPosthorn()
  const dispatcher = await posthorn.dispatch({ drainMs: 1 })
  const subscription = await posthorn.subscribe({ timeoutMs: 30_000 })
  await posthorn.change(subscription, { transform: hanging })
  for (let number = 0; number < 8; number += 1) await posthorn.publish(draft)
  await posthorn.until(() => posthorn.told.some(({ what }) => what === 'deliveries_claimed'))
  await dispatcher.stop()
  const codes = new Set(posthorn.attempts.map(({ record }) => record.failureCode))
  expect(codes).toContain('aborted')
  expect(posthorn.attempts.find(({ record }) => record.failureCode === 'aborted')?.record.next).toMatchObject({
    kind: 'retry',
    delayMs: 0,
    scheduleStep: 0,
  })
  expect(posthorn.receiver.requests).toEqual([])
})

test('what was sent can be told after the transform was changed, and is not told when it cannot be proven', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { transform, payloadFormat: 'raw' })
  const { eventId, deliveries } = await posthorn.publish(draft)
  await posthorn.recorded(1)
  await posthorn.change(subscription, { transform: '{"other": data.id}' })
  const deliveryId = deliveries[0]?.id ?? ''
  await resendDelivery(posthorn.db, { deliveryId, tenantId: undefined, actor: 'key_1', reason: undefined })
  await posthorn.recorded(2)
  await posthorn.change(subscription, { transform: null })
  const [first, second] = posthorn.attempts.map(({ record }) => record.requestHeaders)
  expect(await told(posthorn, eventId, subscription.id, first)).toBe(made)
  expect(await told(posthorn, eventId, subscription.id, second)).toBe('{"other":"in_1"}')
  expect([made, '{"other":"in_1"}']).toEqual(posthorn.receiver.requests.map(({ body }) => body))

  const changed = { ...first, 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` }
  expect(await told(posthorn, eventId, subscription.id, changed)).toBeNull()
  await posthorn.db.prisma.transform.deleteMany()
  expect(await told(posthorn, eventId, subscription.id, first)).toBeNull()
})

test('a dry run shows what the transform makes, and why it makes nothing', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const works = await posthorn.subscribe()
  const fails = await posthorn.subscribe()
  await posthorn.change(works, { transform, payloadFormat: 'raw' })
  await posthorn.change(fails, { transform: '$error("no " & data.id)' })
  const dry = await posthorn.dryRun({ tenantId: 'acme', type: 'invoice.paid', ...draft })
  const shown = new Map(dry.matches.map((match) => [match.subscriptionId, match]))
  expect(shown.get(works.id)).toMatchObject({ request: { body: made }, transformFailure: null })
  expect(shown.get(fails.id)).toMatchObject({
    request: null,
    transformFailure: { detail: 'no in_1, near character 7 (JSONata D3137).', position: 7 },
  })
  await posthorn.publish(draft)
  await posthorn.recorded(2)
  const { body, headers } = posthorn.receiver.requests[0] ?? { body: '', headers: {} }
  expect(body).toBe(made)
  expect(headers).toMatchObject({
    'content-digest': shown.get(works.id)?.request?.headers['content-digest'],
    'posthorn-transform': transformHash(transform),
  })
})

function told(
  { db, transforms }: TestPosthorn,
  eventId: string,
  subscriptionId: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  return db.prisma.event.findUniqueOrThrow({ where: { id: eventId } }).then((event) => {
    // Stored by the publisher as a record of texts; nothing of it was held to a schema.
    const read = { ...event, keys: event.keys as Record<string, string>, headers: null, validationErrors: null }
    return sentBody({ db, transforms, origin }, read, subscriptionId, headers)
  })
}
