import { randomBytes } from 'node:crypto'
import { newUuid } from '@posthorn/engine'
import { generateSecret } from '@posthorn/signing'
import type { ReceivedRequest } from 'posthorn/receiver'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { keyBytes, sentId, startTestPosthorn, type TestPosthorn, type TestSubscription, world } from './posthorn.ts'

test('while a secret is being rotated the request is signed with both, and the reference library accepts it with each', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const next = await rotate(posthorn, subscription, new Date(Date.now() + 3_600_000))
  const { eventId } = await posthorn.publish({ data: '{"zoë":"漢 😀"}' })
  await posthorn.recorded(1)
  const [request] = posthorn.receiver.requests
  const signatures = String(request?.headers['webhook-signature']).split(' ')
  expect(signatures).toEqual([expect.stringMatching(/^v1,/), expect.stringMatching(/^v1,/)])
  expect(new Set(signatures).size).toBe(2)
  expect(request?.headers['webhook-id']).toBe(sentId(eventId))
  for (const secret of [subscription.secret, next])
    expect(verified(request, secret)).toMatchObject({ data: { zoë: '漢 😀' } })
  const stranger = generateSecret((size) => randomBytes(size))
  expect(() => verified(request, stranger)).toThrow()
})

test('once the old secret has expired the request is signed with the new one alone', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const next = await rotate(posthorn, subscription, new Date(0))
  await posthorn.publish()
  await posthorn.recorded(1)
  const [request] = posthorn.receiver.requests
  expect(String(request?.headers['webhook-signature']).split(' ')).toHaveLength(1)
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
  const next = await rotate(posthorn, subscription, new Date(0))
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

/** Makes a new secret the current one; the old one signs until `expiresAt`. */
async function rotate({ db }: TestPosthorn, { id }: TestSubscription, expiresAt: Date): Promise<string> {
  const secret = generateSecret((size) => randomBytes(size))
  await db.prisma.secret.updateMany({ where: { subscriptionId: id }, data: { expiresAt } })
  await db.prisma.secret.create({
    data: { id: newUuid(world), tenantId: 'acme', subscriptionId: id, key: keyBytes(secret) },
  })
  return secret
}

function verified(request: ReceivedRequest | undefined, secret: string): unknown {
  const header = (name: string) => String(request?.headers[name])
  return new Webhook(secret).verify(request?.body ?? '', {
    'webhook-id': header('webhook-id'),
    'webhook-timestamp': header('webhook-timestamp'),
    'webhook-signature': header('webhook-signature'),
  })
}
