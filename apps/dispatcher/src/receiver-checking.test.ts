import { type Claim, createKeyRing, createTransforms, sealSecret } from '@posthorn/engine'
import { testSeal } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { openSender, receiverThat } from './http/testing/sending.ts'
import { createTlsIdentities } from './http/tls-identities.ts'
import { type CheckingParts, checkReceiver } from './receiver-checking.ts'
import { createTokens } from './tokens.ts'

const uuid = '01900000-0000-7000-8000-000000000001'
const place = { id: uuid, tenantId: 'acme', subscriptionId: uuid, scheme: 'v1' } as const
const sealed = Buffer.from(sealSecret(testSeal, Buffer.alloc(36, 'own'), place).sealedKey).toString('base64')
const never = new AbortController().signal

function claimOf(url: string, timeoutMs: number): Claim {
  return {
    deliveryId: uuid, attemptId: uuid, tenantId: 'acme', subscriptionId: uuid, eventId: uuid, number: 1, trigger: 'test',
    actor: 'key_1', reason: null, scheduleStep: 0, scheduleWaits: false, waitedMs: 0, url, headers: {}, timeoutMs,
    retryScheduleSeconds: [], keys: [{ ...place, sealed }],
    payloadFormat: 'standard', finalStatuses: [], authSealed: null, tlsSealed: null, ailing: null, failedProbes: null,
    transform: null, event: { type: 'posthorn.test', timestamp: new Date(), data: '{}', schemaVersion: null },
  } // biome-ignore format: as long as it must be
}

/** What a check is made with, and a clock that a test moves. */
function partsWith(clock: { nowMs: number }): CheckingParts {
  const sender = openSender()
  const monotonicMs = () => clock.nowMs
  return {
    sender,
    tokens: createTokens(sender, monotonicMs),
    identities: createTlsIdentities(),
    keyOf: createKeyRing(testSeal),
    means: { seal: undefined, origin: { source: '/posthorn', publicUrl: undefined } },
    // None is applied, so no evaluator is started.
    transforms: createTransforms(),
    world: { now: () => Date.now(), randomBytes: (count) => Buffer.alloc(count, 'random') },
    telemetry: () => undefined,
    failpoint: () => undefined,
    monotonicMs,
    lateAfterMs: 2_000,
  }
}

test('all requests of a check together have 40 s, and those for which there is no time are not made', async () => {
  const clock = { nowMs: 0 }
  const receiver = await receiverThat((socket) => {
    clock.nowMs += 15_000
    socket.write('HTTP/1.1 204 No Content\r\n\r\n')
  })
  const taken = { id: uuid, claim: claimOf(receiver.url, 30_000), rateLimitPerSecond: null }
  const { requests } = await checkReceiver(partsWith(clock), taken, { draining: never, breakOff: never })
  expect(requests.map((one) => ('notRun' in one ? one.notRun : 'made'))).toEqual([
    ...Array(3).fill('made'),
    ...Array(6).fill('There was no time left for it: all requests together have 40 s.'),
  ])
})

test('a request that had less than its time and was not answered is not held against the receiver', async () => {
  const clock = { nowMs: 0 }
  let received = 0
  const receiver = await receiverThat((socket) => {
    received += 1
    clock.nowMs += 38_900
    if (received === 1) socket.write('HTTP/1.1 204 No Content\r\n\r\n')
  })
  const taken = { id: uuid, claim: claimOf(receiver.url, 5_000), rateLimitPerSecond: null }
  const { requests } = await checkReceiver(partsWith(clock), taken, { draining: never, breakOff: never })
  expect(received).toBe(2)
  expect(requests.map((one) => ('notRun' in one ? 'not run' : 'made'))).toEqual(['made', ...Array(8).fill('not run')])
})
