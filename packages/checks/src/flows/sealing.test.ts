import { randomBytes } from 'node:crypto'
import {
  createSeal,
  findUnreadable,
  openSecret,
  parseMasterKeys,
  resendDelivery,
  rewrapSecrets,
  rotateSecret,
  type Seal,
  sealSecret,
} from '@posthorn/engine'
import { testMasterKeyText, testSeal } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { sealedKey, startTestPosthorn, type TestPosthorn, type TestSubscription, world } from './posthorn.ts'

const otherKeyText = Buffer.alloc(32, 'another master key').toString('base64')
const otherSeal = createSeal(parseMasterKeys(otherKeyText), world)
/** Seals with the other master key, and opens with both. */
const both = createSeal(parseMasterKeys(`${otherKeyText},${testMasterKeyText}`), world)

/** Ways to spoil the secret of a subscription, each with what the fault is then called. */
const spoilt: [what: string, code: string, spoil: (posthorn: TestPosthorn, id: string) => Promise<unknown>][] = [
  [
    'was changed by one bit',
    'seal_broken',
    async ({ db }, subscriptionId) => {
      const { id, sealedKey: before } = await db.prisma.secret.findFirstOrThrow({ where: { subscriptionId } })
      const changed = Uint8Array.from(before, (byte, index) => (index === 20 ? byte ^ 1 : byte))
      return db.prisma.secret.update({ where: { id }, data: { sealedKey: changed } })
    },
  ],
  [
    'was copied from another subscription',
    'seal_broken',
    async (posthorn, subscriptionId) => {
      const other = await posthorn.subscribe({ tenantId: 'globex' })
      const { sealedKey: theirs } = await posthorn.db.prisma.secret.findFirstOrThrow({
        where: { subscriptionId: other.id },
      })
      return posthorn.db.prisma.secret.updateMany({ where: { subscriptionId }, data: { sealedKey: theirs } })
    },
  ],
  [
    'is sealed with a master key that is not given',
    'unknown_master_key',
    (posthorn, subscriptionId) => resealed(posthorn, { subscriptionId }, otherSeal),
  ],
  [
    'is not sealed',
    'seal_broken',
    ({ db }, subscriptionId) =>
      db.prisma.secret.updateMany({
        where: { subscriptionId },
        data: { masterKeyId: null, sealedKey: Uint8Array.from(randomBytes(36)) },
      }),
  ],
]

test.each(spoilt)(
  'while its secret %s, a subscription is sent nothing and loses nothing: the attempt is our own failure and costs no place in the schedule',
  async (_what, code, spoil) => {
    await using posthorn = await startTestPosthorn()
    await posthorn.dispatch()
    const subscription = await posthorn.subscribe({ retryScheduleSeconds: [60] })
    const { secrets } = await posthorn.db.prisma.subscription.findUniqueOrThrow({
      where: { id: subscription.id },
      include: { secrets: true },
    })
    await spoil(posthorn, subscription.id)
    await posthorn.publish()
    for (let made = 1; made <= 3; made += 1) {
      const attempts = await posthorn.recorded(made)
      expect(attempts.at(-1)?.record).toMatchObject({
        number: made,
        status: null,
        failureCode: 'internal_error',
        requestHeaders: {},
        next: { kind: 'retry', delayMs: 300_000, scheduleStep: 0 },
      })
      expect(await pausedMs(posthorn, subscription)).toBeGreaterThan(290_000)
      if (made < 3) await posthorn.timePasses()
    }
    expect(posthorn.told).toContainEqual(
      expect.objectContaining({ what: 'delivery_fault', error: expect.objectContaining({ code }) }),
    )
    expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'retrying', attemptCount: 3 })
    expect(posthorn.receiver.requests).toEqual([])

    for (const { id, sealedKey: good, masterKeyId } of secrets) {
      await posthorn.db.prisma.secret.update({ where: { id }, data: { sealedKey: good, masterKeyId } })
    }
    await posthorn.timePasses()
    await posthorn.recorded(4)
    expect(posthorn.receiver.requests).toMatchObject([{ path: subscription.path, signature: 'valid' }])
    expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered' })
  },
)

test('one secret of two that cannot be opened stops both, and a new one without an overlap mends it', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const parts = { db: posthorn.db, world, seal: testSeal }
  await rotateSecret(parts, subscription.id, undefined, { overlapSeconds: 3_600 })
  await resealed(posthorn, { expiresAt: { not: null } }, otherSeal)
  await posthorn.publish()
  await posthorn.recorded(1)
  expect(posthorn.receiver.requests).toEqual([])
  const { text } = await rotateSecret(parts, subscription.id, undefined, { overlapSeconds: 0 })
  posthorn.receiver.trust(subscription.path, text)
  await posthorn.timePasses()
  await posthorn.recorded(2)
  expect(posthorn.receiver.requests).toMatchObject([{ signature: 'valid' }])
})

test('a resend that could not be signed is made again as a resend', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const published = await posthorn.publish()
  await posthorn.recorded(1)
  await resealed(posthorn, {}, otherSeal)
  const deliveryId = published.deliveries[0]?.id ?? ''
  await resendDelivery(posthorn.db, { deliveryId, tenantId: undefined, actor: 'key_1', reason: 'asked' })
  await posthorn.recorded(2)
  await resealed(posthorn, {}, testSeal)
  await posthorn.timePasses()
  const attempts = await posthorn.recorded(3)
  expect(attempts.map(({ record }) => [record.trigger, record.actor, record.reason])).toEqual([
    ['automatic', null, null],
    ['resend', 'key_1', 'asked'],
    ['resend', 'key_1', 'asked'],
  ])
  expect(posthorn.receiver.requests).toMatchObject([{ path: subscription.path }, { signature: 'valid', earlier: 1 }])
})

test('a subscription whose secret is broken delays nobody else', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const broken = await posthorn.subscribe()
  const healthy = await posthorn.subscribe()
  await resealed(posthorn, { subscriptionId: broken.id }, otherSeal)
  for (let number = 0; number < 5; number += 1) await posthorn.publish()
  await posthorn.received(5)
  expect(posthorn.receiver.requests.map(({ path }) => path)).toEqual(Array(5).fill(healthy.path))
})

test('secrets are sealed anew with the first master key while deliveries go on; afterwards the old one is not needed', async () => {
  await using posthorn = await startTestPosthorn()
  const subscriptions = [await posthorn.subscribe(), await posthorn.subscribe({ tenantId: 'globex' })]
  const { db } = posthorn
  expect(await findUnreadable({ db, seal: otherSeal })).toEqual({
    unreadable: [{ masterKeyId: testSeal.sealsWith, secrets: 2 }],
    anyReadable: false,
  })
  expect(await rewrapSecrets({ db, seal: both }, 'all')).toEqual({ sealed: 2, faults: [] })
  expect(await rewrapSecrets({ db, seal: both }, 'all')).toEqual({ sealed: 0, faults: [] })
  expect(await findUnreadable({ db, seal: otherSeal })).toEqual({ unreadable: [], anyReadable: true })
  await posthorn.dispatch({ seal: otherSeal })
  await posthorn.publish()
  await posthorn.publish({ tenantId: 'globex' })
  await posthorn.recorded(2)
  expect(posthorn.receiver.requests.map(({ signature }) => signature)).toEqual(['valid', 'valid'])
  expect(new Set(posthorn.receiver.requests.map(({ path }) => path))).toEqual(new Set(subscriptions.map((s) => s.path)))
})

test('sealing anew is done in portions, by several at once, and begins again where it was broken off', async () => {
  await using posthorn = await startTestPosthorn()
  const { id: subscriptionId } = await posthorn.subscribe()
  const { db } = posthorn
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const expiresAt = new Date(Date.now() + 3_600_000)
  await db.prisma.secret.createMany({
    data: Array.from({ length: 1_200 }, () => ({
      ...sealedKey({ tenantId: 'acme', subscriptionId }, secret),
      subscriptionId,
      expiresAt,
    })),
  })
  let left = 300
  const dying: Seal = {
    ...both,
    seal: (...given) => {
      left -= 1
      if (left < 0) throw new Error('killed')
      return both.seal(...given)
    },
  }
  await expect(rewrapSecrets({ db, seal: dying }, 'all')).rejects.toThrow('killed')
  expect(await db.prisma.secret.count({ where: { masterKeyId: both.sealsWith } })).toBe(300)
  const runs = await Promise.all([1, 2].map(() => rewrapSecrets({ db, seal: both }, 'all')))
  expect(runs.reduce((sum, { sealed }) => sum + sealed, 0)).toBe(901)
  const rows = await db.prisma.secret.findMany()
  expect(rows).toHaveLength(1_201)
  for (const { id, tenantId, sealedKey: sealed } of rows) {
    const key = openSecret(otherSeal, sealed, { id, tenantId, subscriptionId, scheme: 'v1' })
    expect([32, 36]).toContain(key.length)
  }
})

test('a secret that cannot be opened is left as it is, told, and does not keep the others from being sealed anew', async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  const broken = await posthorn.subscribe()
  await posthorn.subscribe()
  await db.prisma.secret.updateMany({
    where: { subscriptionId: broken.id },
    data: { sealedKey: Uint8Array.from(randomBytes(64)) },
  })
  const before = await db.prisma.secret.findFirstOrThrow({ where: { subscriptionId: broken.id } })
  const { sealed, faults } = await rewrapSecrets({ db, seal: both }, 'all')
  expect(sealed).toBe(1)
  expect(faults).toMatchObject([{ code: 'seal_broken', message: expect.stringContaining(before.id) }])
  expect(await db.prisma.secret.findUnique({ where: { id: before.id } })).toEqual(before)
})

test('what was stored before there was sealing is sealed as it is, and signs as before', async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  const subscription = await posthorn.subscribe()
  const key = Uint8Array.from(Buffer.from(subscription.secret.slice('whsec_'.length), 'base64'))
  await db.prisma.secret.updateMany({ data: { masterKeyId: null, sealedKey: key } })
  expect(await rewrapSecrets({ db, seal: testSeal }, 'plain')).toEqual({ sealed: 1, faults: [] })
  const row = await db.prisma.secret.findFirstOrThrow()
  expect(Buffer.from(row.sealedKey).includes(Buffer.from(key))).toBe(false)
  await posthorn.dispatch()
  await posthorn.publish()
  await posthorn.recorded(1)
  expect(posthorn.receiver.requests).toMatchObject([{ signature: 'valid' }])
})

/** For how long nothing is sent to a subscription, in milliseconds. */
async function pausedMs({ db }: TestPosthorn, { id }: TestSubscription): Promise<number> {
  const { notBefore } = await db.prisma.subscription.findUniqueOrThrow({ where: { id } })
  return (notBefore?.getTime() ?? 0) - Date.now()
}

/** Seals these secrets as a process with another master key would have done. */
async function resealed({ db }: TestPosthorn, where: object, seal: Seal): Promise<void> {
  for (const row of await db.prisma.secret.findMany({ where })) {
    const place = { id: row.id, tenantId: row.tenantId, subscriptionId: row.subscriptionId, scheme: 'v1' as const }
    const data = sealSecret(seal, openSecret(both, row.sealedKey, place), place)
    await db.prisma.secret.update({ where: { id: row.id }, data })
  }
}
