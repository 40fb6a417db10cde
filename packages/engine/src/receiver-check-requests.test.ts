import { limits, payloadFormats } from '@posthorn/contract'
import { generateSecret, parseSecret, verify, WebhookVerificationError } from '@posthorn/signing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AttemptRequest, type Claim, prepareAttempt } from './attempt.ts'
import { type PlannedRequest, receiverRequests, staleSeconds } from './receiver-check-requests.ts'
import type { World } from './world.ts'

const nowMs = 1_764_115_200_000
let counter = 0
const world: World = {
  now: () => nowMs,
  randomBytes(count) {
    counter += 1
    return Buffer.alloc(count, `random ${counter}`)
  },
}
const own = parseSecret(generateSecret((size) => Buffer.alloc(size, 'own')))
const uuid = '01900000-0000-7000-8000-000000000001'

function claimOf(more: Partial<Claim> & { data?: string } = {}): Claim {
  const { data = '{"message":"hello"}', ...rest } = more
  return {
    deliveryId: uuid, attemptId: uuid, tenantId: 'acme', subscriptionId: uuid, eventId: uuid, number: 1, trigger: 'test',
    actor: 'key_1', reason: null, scheduleStep: 0, scheduleWaits: false, waitedMs: 0, url: 'https://receiver.test/',
    headers: { 'posthorn-test': '1' }, timeoutMs: 5_000, retryScheduleSeconds: [],
    keys: [{ id: uuid, tenantId: 'acme', subscriptionId: uuid, scheme: 'v1', sealed: '' }], payloadFormat: 'standard',
    finalStatuses: [], authSealed: null, tlsSealed: null, ailing: null, failedProbes: null, transform: null,
    event: { type: 'posthorn.test', timestamp: new Date(nowMs), data, schemaVersion: null },
    ...rest,
  } // biome-ignore format: as long as it must be
}

function prepared(planned: PlannedRequest): AttemptRequest {
  if ('notApplicable' in planned) throw new Error(planned.notApplicable)
  return prepareAttempt(planned.claim, () => own, nowMs, undefined, planned.deviation)
}

function requestOf(claim: Claim, check: PlannedRequest['check']): AttemptRequest {
  const planned = receiverRequests(claim, world).find((one) => one.check === check)
  if (planned === undefined) throw new Error(`there is no ${check}`)
  return prepared(planned)
}

function verified({ headers, body }: AttemptRequest, now = new Date(nowMs)): string {
  try {
    verify({ headers, body, keys: [own], now })
    return 'valid'
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.code
    throw error
  }
}

const json = fc.json({ maxDepth: 3 })

test('whatever the data and the form: only the forged and the stale one do not verify, and all are JSON', () => {
  fc.assert(
    fc.property(json, fc.constantFrom(...payloadFormats), (data, payloadFormat) => {
      for (const planned of receiverRequests(claimOf({ data, payloadFormat }), world)) {
        if ('notApplicable' in planned) continue
        const request = prepared(planned)
        const { check } = planned
        const forged = { wrong_signature: 'no_matching_signature', stale_timestamp: 'timestamp_too_old' } as const
        expect([check, verified(request)]).toEqual([check, Object(forged)[check] ?? 'valid'])
        expect(() => JSON.parse(request.body)).not.toThrow()
        expect(request.headers['posthorn-test']).toBe('1')
      }
    }),
  )
})

test('the stale one was good when it says that it was signed', () => {
  const request = requestOf(claimOf(), 'stale_timestamp')
  expect(verified(request, new Date(nowMs - staleSeconds * 1000))).toBe('valid')
})

test('the forged one is signed by another key each time', () => {
  const signatures = [1, 2, 3].map(() => requestOf(claimOf(), 'wrong_signature').headers['webhook-signature'])
  expect(new Set(signatures).size).toBe(3)
})

test('the large one holds the same data, in as many bytes as data may have', () => {
  fc.assert(
    fc.property(json, (data) => {
      const { body } = requestOf(claimOf({ data, payloadFormat: 'raw' }), 'large_event')
      expect(Buffer.byteLength(body)).toBe(limits.eventDataBytesMax)
      expect(JSON.parse(body)).toEqual(JSON.parse(data))
    }),
    { numRuns: 20 },
  )
})

test('an unknown member stands beside the known ones, in the data and around it', () => {
  const standard = JSON.parse(requestOf(claimOf(), 'unknown_member').body)
  expect(standard).toMatchObject({
    type: 'posthorn.test',
    data: { message: 'hello', posthorn_unknown: expect.any(String) },
  })
  expect(Object.keys(standard)).toEqual(['type', 'timestamp', 'data', 'posthorn_unknown'])
  const structured = JSON.parse(requestOf(claimOf({ payloadFormat: 'cloudevents-structured' }), 'unknown_member').body)
  expect(structured).toMatchObject({ specversion: '1.0', posthornunknown: expect.any(String) })
  const binary = requestOf(claimOf({ payloadFormat: 'cloudevents-binary' }), 'unknown_member')
  expect(binary.headers['ce-posthornunknown']).toBe('1')
  expect(JSON.parse(requestOf(claimOf({ data: '{}', payloadFormat: 'raw' }), 'unknown_member').body)).toHaveProperty(
    'posthorn_unknown',
  )
})

test('what makes no sense says why', () => {
  const requests = receiverRequests(claimOf({ data: '[1]', payloadFormat: 'raw' }), world)
  const reasons = requests.flatMap((one) => ('notApplicable' in one ? [[one.check, one.notApplicable]] : []))
  expect(reasons).toEqual([
    ['unknown_event_type', 'A body in the form raw does not say its type.'],
    ['unknown_member', 'The data of this event is no object.'],
  ])
})

test('with as many keys as may sign at once, there is room for those that are made up', () => {
  const place = { id: uuid, tenantId: 'acme', subscriptionId: uuid, sealed: '' }
  const keys = [...Array(5).fill({ ...place, scheme: 'v1' }), ...Array(5).fill({ ...place, scheme: 'v1a' })]
  for (const check of ['old_secret_in_rotation', 'new_secret_in_rotation'] as const) {
    expect(verified(requestOf(claimOf({ keys }), check))).toBe('valid')
  }
})
