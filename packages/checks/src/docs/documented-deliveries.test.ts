/** What the event documentation says of deliveries is what the code that delivers does. */
import { parseId } from '@posthorn/contract'
import {
  type AttemptOutcome,
  type Claim,
  defaultRetryScheduleSeconds,
  judgeAttempt,
  prepareAttempt,
  retryAfterMsMax,
  version,
} from '@posthorn/engine'
import {
  documentedSendMs,
  goneStatus,
  headerFacts,
  jitterPartMax,
  patienceStatuses,
  protectionOf,
  publishedSecret,
  retryAfterSecondsMax,
  signedDelivery,
} from '@posthorn/event-docs'
import { documentationOf } from '@posthorn/event-docs/testing'
import { parseSecret, sign } from '@posthorn/signing'
import { expect, test } from 'vitest'

const uuid = '01900000-0000-7000-8000-000000000001'
const claim: Claim = {
  deliveryId: uuid,
  tenantId: 'acme',
  eventId: uuid,
  subscriptionId: uuid,
  attemptId: uuid,
  number: 1,
  trigger: 'automatic',
  actor: null,
  reason: null,
  scheduleStep: 0,
  scheduleWaits: false,
  waitedMs: 0,
  url: 'https://receiver.example/',
  headers: {},
  timeoutMs: 15_000,
  retryScheduleSeconds: defaultRetryScheduleSeconds,
  keys: [{ id: uuid, scheme: 'v1', sealed: '', tenantId: 'acme', subscriptionId: uuid }],
  payloadFormat: 'standard',
  finalStatuses: [],
  authSealed: null,
  tlsSealed: null,
  ailing: null,
  failedProbes: null,
  transform: null,
  event: { type: 'invoice.paid', timestamp: new Date('2026-01-01T12:00:00.000Z'), data: '', schemaVersion: null },
}
const keyOf = () => parseSecret(publishedSecret)

test('a documented delivery is, header by header and byte by byte, what would be sent', () => {
  const documentation = documentationOf({}, { meta: { version } })
  const value = { id: 'inv_1', text: 'Zoë "漢" 😀\u2028', nested: [null, 1.5, {}] }
  const { headers, body } = signedDelivery(documentation, 'invoice.paid', { name: 'One', value, generated: false })
  const id = headers.find(({ name }) => name === 'webhook-id')?.value ?? ''
  const eventId = parseId('event', id) ?? expect.fail(`${id} is no id of an event`)
  const sent = prepareAttempt(
    { ...claim, eventId, event: { ...claim.event, data: JSON.stringify(value) } },
    keyOf,
    documentedSendMs,
  )
  expect(body).toBe(sent.body)
  expect(headers.map(({ name, value: text }) => [name, text])).toEqual(Object.entries(sent.headers))
})

test('every header that is ever sent is described, and only those that are always there are said to be', () => {
  const everything = {
    replayId: uuid,
    transform: '{}',
    event: { ...claim.event, data: '{}', traceparent: '00-1-1-01' },
  }
  const namesOf = (given: Partial<Claim>) => Object.keys(prepareAttempt({ ...claim, ...given }, keyOf, 0).headers)
  const described = headerFacts.map(({ name }) => name)
  expect(described.toSorted()).toEqual(namesOf(everything).toSorted())
  const always = headerFacts.filter((fact) => fact.always).map(({ name }) => name)
  expect(always.toSorted()).toEqual(namesOf({ event: { ...claim.event, data: '{}' } }).toSorted())
})

test('a header that is said to be signed changes the signature, and another one does not go into it', () => {
  const content = { id: 'evt_1', timestamp: 1, body: '{}' }
  const signature = sign(content, [keyOf()])
  expect(sign({ ...content, id: 'evt_2' }, [keyOf()])).not.toBe(signature)
  expect(sign({ ...content, timestamp: 2 }, [keyOf()])).not.toBe(signature)
  const signed = headerFacts.filter(({ name }) => protectionOf(name) === 'signed').map(({ name }) => name)
  expect(signed).toEqual(['webhook-id', 'webhook-timestamp'])
})

const answered = (status: number): AttemptOutcome => ({
  status,
  failureCode: status < 300 ? null : 'http_5xx',
  failureDetail: null,
  remoteAddress: null,
  responseHeaders: {},
  responseBody: new Uint8Array(),
  responseTruncated: false,
  retryAfterMs: null,
  timings: { dns: null, connect: null, tls: null, firstByte: null, total: 1 },
})

function judged(status: number, random = 0) {
  const request = prepareAttempt({ ...claim, event: { ...claim.event, data: '{}' } }, keyOf, 0)
  return judgeAttempt(claim, request, answered(status), { startedAt: new Date(0), random })
}

test('the statuses with a meaning of their own are those that are documented', () => {
  const statuses = Array.from({ length: 500 }, (_, index) => 100 + index)
  const slowing = statuses.filter((status) => judged(status).slowDownMs > 0)
  expect(slowing).toEqual([...patienceStatuses])
  expect(statuses.filter((status) => judged(status).gone)).toEqual([goneStatus])
  const final = statuses.filter((status) => judged(status).next.kind === 'failed')
  expect(final).toEqual([goneStatus])
})

test('waits grow by chance as much as is documented, and Retry-After counts as long', () => {
  const [first = 0] = defaultRetryScheduleSeconds
  const waits = [0, 1].map((random) => judged(500, random).next)
  expect(waits).toMatchObject([{ delayMs: first * 1000 }, { delayMs: first * 1000 * (1 + jitterPartMax) }])
  expect(retryAfterMsMax).toBe(retryAfterSecondsMax * 1000)
})
