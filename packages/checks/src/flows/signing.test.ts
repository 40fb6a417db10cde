import { randomBytes } from 'node:crypto'
import { type Jobs, openSecret, patchSubscription, rotateKeyPair, rotateSecret } from '@posthorn/engine'
import { testSeal } from '@posthorn/engine/testing'
import { generateSecret, parsePublicKey, verify } from '@posthorn/signing'
import type { ReceivedRequest } from 'posthorn/receiver'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { sentId, startTestPosthorn, type TestPosthorn, type TestSubscription, world } from './posthorn.ts'

test('through a rotation the reference library accepts each request with every secret of its time, and with no other', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const old = subscription.secret
  const stranger = generateSecret((size) => randomBytes(size))

  const before = await delivered(posthorn)
  const fresh = await rotate(posthorn, subscription, 3_600)
  const during = await delivered(posthorn)
  await oldKeysExpire(posthorn)
  const after = await delivered(posthorn)

  expect([tokensOf(before), tokensOf(during), tokensOf(after)].map((tokens) => tokens.length)).toEqual([1, 2, 1])
  for (const [request, right, wrong] of [
    [before, [old], [fresh, stranger]],
    [during, [fresh, old], [stranger]],
    [after, [fresh], [old, stranger]],
  ] as const) {
    for (const secret of right) expect(verified(request, secret)).toMatchObject({ data: { paid: true } })
    for (const secret of wrong) expect(() => verified(request, secret)).toThrow('No matching signature found')
  }
})

test('during a rotation the signature by the new secret stands first, and bytes that are no ASCII are signed alike', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const fresh = await rotate(posthorn, subscription, 3_600)
  const { eventId } = await posthorn.publish({ data: '{"zoë":"漢 😀"}' })
  await posthorn.recorded(1)
  const [request] = posthorn.receiver.requests
  const [first = '', second = ''] = tokensOf(request)
  expect(request?.headers['webhook-id']).toBe(sentId(eventId))
  for (const [token, secret] of [
    [first, fresh],
    [second, subscription.secret],
  ] as const) {
    expect(verified(request, secret, token)).toMatchObject({ data: { zoë: '漢 😀' } })
  }
})

test('after three rotations at once four secrets sign, the last one first', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const made = await Promise.all([60, 60, 60].map((seconds) => rotate(posthorn, subscription, seconds)))
  const request = await delivered(posthorn)
  expect(tokensOf(request)).toHaveLength(4)
  for (const secret of [subscription.secret, ...made]) expect(verified(request, secret)).toBeDefined()
  const current = await posthorn.db.prisma.secret.findFirstOrThrow({ where: { expiresAt: null } })
  const key = openSecret(testSeal, current.sealedKey, {
    id: current.id,
    tenantId: current.tenantId,
    subscriptionId: current.subscriptionId,
    scheme: 'v1',
  })
  expect(verified(request, Buffer.from(key).toString('base64'), tokensOf(request)[0])).toBeDefined()
})

test('a rotation without an overlap leaves one signature, by the new secret', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const next = await rotate(posthorn, subscription, 0)
  // Whatever clocks say: one that was set back, or a claim that was asked for before the rotation and sees it.
  const inAnHour = new Date(Date.now() + 3_600_000)
  const { count } = await posthorn.db.prisma.secret.updateMany({
    where: { ended: true },
    data: { expiresAt: inAnHour },
  })
  expect(count).toBe(1)
  const request = await delivered(posthorn)
  expect(tokensOf(request)).toHaveLength(1)
  expect(verified(request, next)).toMatchObject({ data: { paid: true } })
  expect(() => verified(request, subscription.secret)).toThrow()
})

test('every attempt is signed anew, with its own time, under the same id', async () => {
  let status = 500
  await using posthorn = await startTestPosthorn({ answer: () => ({ status }) })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.publish()
  await posthorn.recorded(1)
  const next = await rotate(posthorn, subscription, 0)
  status = 200
  await posthorn.timePasses()
  await posthorn.recorded(2)
  const [first, second] = posthorn.receiver.requests
  expect(verified(first, subscription.secret)).toMatchObject({ type: 'invoice.paid' })
  expect(verified(second, next)).toMatchObject({ type: 'invoice.paid' })
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  const sentAt = Number(second?.headers['webhook-timestamp'])
  expect(Math.abs(sentAt - Date.now() / 1000)).toBeLessThan(10)
})

test('once it is asked for, v1a signs beside v1: first in the header, and until it is given up', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const publicKey = await signBy(posthorn, subscription, ['v1a', 'v1'])

  const both = await delivered(posthorn)
  expect(tokensOf(both).map((token) => token.split(',')[0])).toEqual(['v1a', 'v1'])
  expect(verified(both, subscription.secret)).toMatchObject({ data: { paid: true } })
  expect(verifiedByPair(both, publicKey)).toBe(both.headers['webhook-id'])

  const { publicKey: nextKey } = await rotateKeyPair(partsOf(posthorn), subscription.id, undefined, 3_600)
  const during = await delivered(posthorn)
  expect(tokensOf(during).map((token) => token.split(',')[0])).toEqual(['v1a', 'v1a', 'v1'])
  for (const key of [publicKey, nextKey]) expect(verifiedByPair(during, key)).toBe(during.headers['webhook-id'])
  expect(verified(during, subscription.secret)).toBeDefined()

  await oldKeysExpire(posthorn)
  const after = await delivered(posthorn)
  expect(verifiedByPair(after, nextKey)).toBe(after.headers['webhook-id'])
  expect(() => verifiedByPair(after, publicKey)).toThrow('no signature fits')

  await signBy(posthorn, subscription, ['v1'])
  const without = await delivered(posthorn)
  expect(tokensOf(without).map((token) => token.split(',')[0])).toEqual(['v1'])
})

/** Changing the schemes asks for no job. */
const neverAsked = {} as Jobs

const partsOf = ({ db }: TestPosthorn) => ({ db, world, seal: testSeal })

async function rotate(posthorn: TestPosthorn, { id }: TestSubscription, overlapSeconds: number): Promise<string> {
  return (await rotateSecret(partsOf(posthorn), id, undefined, { overlapSeconds })).text
}

/** Changes the schemes, as the API does. Answers with the public key. */
async function signBy(
  posthorn: TestPosthorn,
  { id }: TestSubscription,
  signatureSchemes: readonly ('v1a' | 'v1')[],
): Promise<string> {
  const { transforms } = posthorn
  const parts = { ...partsOf(posthorn), transforms, jobs: neverAsked, checkUrl: async (url: string) => url }
  return (await patchSubscription(parts, id, undefined, { signatureSchemes })).publicKey ?? ''
}

/** Makes the time pass for every key that is to end. */
async function oldKeysExpire({ db }: TestPosthorn): Promise<void> {
  await db.prisma.secret.updateMany({ where: { expiresAt: { not: null } }, data: { expiresAt: new Date(0) } })
}

/** The request of one event more. */
async function delivered(posthorn: TestPosthorn): Promise<ReceivedRequest> {
  const count = posthorn.attempts.length + 1
  const { eventId } = await posthorn.publish()
  await posthorn.recorded(count)
  const request = posthorn.receiver.requests.find(({ headers }) => headers['webhook-id'] === sentId(eventId))
  if (request === undefined) throw new Error('the event was not received')
  return request
}

function tokensOf(request: ReceivedRequest | undefined): string[] {
  return String(request?.headers['webhook-signature']).split(' ')
}

/** What the reference library reads from a request, or from one that carries only this signature. */
function verified(request: ReceivedRequest | undefined, secret: string, signature?: string): unknown {
  const header = (name: string) => String(request?.headers[name])
  return new Webhook(secret).verify(request?.body ?? '', {
    'webhook-id': header('webhook-id'),
    'webhook-timestamp': header('webhook-timestamp'),
    'webhook-signature': signature ?? header('webhook-signature'),
  })
}

function verifiedByPair({ headers, body }: ReceivedRequest, publicKey: string): string {
  return verify({ headers, body, keys: [parsePublicKey(publicKey)], now: new Date() }).id
}
