import { expect, test } from 'vitest'
import { startTestPosthorn } from './posthorn.ts'

test('an answer that the subscription declares final ends its delivery at once, and the subscription goes on', async () => {
  let status = 422
  await using posthorn = await startTestPosthorn({ answer: () => ({ status }) })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { finalStatuses: [400, 422] })
  const refused = await posthorn.publish()
  const [attempt] = await posthorn.recorded(1)
  expect(attempt?.record).toMatchObject({ failureCode: 'http_4xx', next: { kind: 'failed' }, gone: false })
  expect(
    await posthorn.db.prisma.delivery.findUnique({ where: { id: refused.deliveries[0]?.id ?? '' } }),
  ).toMatchObject({
    state: 'failed',
    attemptCount: 1,
    lastHttpStatus: 422,
    finishedAt: expect.any(Date),
  })
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
  expect(await posthorn.db.prisma.subscription.findFirst()).toMatchObject({ state: 'active', notBefore: null })
  status = 204
  await posthorn.publish()
  expect((await posthorn.recorded(2))[1]?.record.next).toEqual({ kind: 'delivered' })
})

test('what is final for one subscription is retried for another', async () => {
  await using posthorn = await startTestPosthorn({ answer: () => ({ status: 404 }) })
  await posthorn.dispatch()
  const strict = await posthorn.subscribe()
  const patient = await posthorn.subscribe()
  await posthorn.change(strict, { finalStatuses: [404] })
  await posthorn.publish()
  await posthorn.recorded(2)
  const deliveries = await posthorn.db.prisma.delivery.findMany()
  const states = new Map(deliveries.map(({ subscriptionId, state }) => [subscriptionId, state]))
  expect(states).toEqual(
    new Map([
      [strict.id, 'failed'],
      [patient.id, 'retrying'],
    ]),
  )
})

test('a 410 disables the subscription, whatever statuses it declares final', async () => {
  await using posthorn = await startTestPosthorn({ answer: () => ({ status: 410 }) })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { finalStatuses: [400] })
  await posthorn.publish()
  const [attempt] = await posthorn.recorded(1)
  expect(attempt?.record).toMatchObject({ next: { kind: 'failed' }, gone: true })
  expect(await posthorn.db.prisma.subscription.findFirst()).toMatchObject({ state: 'disabled', disabledReason: 'gone' })
})
