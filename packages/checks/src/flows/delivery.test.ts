import { formatId } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { startTestPosthorn } from './posthorn.ts'

test('a published event arrives signed, with its bytes as they were published', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  const data =
    ' {"big": 12345678901234567890, "one": 1.0, "o": {"b":1,"a":2}, "nul": "\\u0000", "emoji": "Zoë 漢 😀", "o": 2 }'.trim()
  const accepted = await posthorn.publish({ data, timestamp: new Date('2026-11-23T10:00:00.123Z') })
  expect(accepted).toMatchObject({ duplicate: false, deliveries: [{ subscriptionId: subscription.id }] })
  const [attempt] = await posthorn.recorded(1)
  expect(attempt).toMatchObject({
    moved: true,
    record: { status: 204, failureCode: null, number: 1, next: { kind: 'delivered' } },
  })
  expect(posthorn.receiver.requests).toHaveLength(1)
  expect(posthorn.receiver.requests[0]).toMatchObject({
    path: subscription.path,
    signature: 'valid',
    body: `{"type":"invoice.paid","timestamp":"2026-11-23T10:00:00.123Z","data":${data}}`,
    headers: {
      'content-type': 'application/json',
      'webhook-id': formatId('event', accepted.eventId),
      'posthorn-event-type': 'invoice.paid',
      'posthorn-attempt': '1',
      'user-agent': expect.stringMatching(/^Posthorn\//),
    },
  })
  const delivery = await posthorn.db.prisma.delivery.findFirstOrThrow()
  expect(delivery).toMatchObject({ state: 'delivered', attemptCount: 1, lastHttpStatus: 204, lastFailureCode: null })
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
})

test('a receiver is sent the trace of the publisher only where its subscription asks for that', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const asks = await posthorn.subscribe({ forwardTraceparent: true })
  const asksNot = await posthorn.subscribe()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await posthorn.publish({ traceparent })
  await posthorn.publish({})
  await posthorn.recorded(4)
  const sent = (path: string) =>
    posthorn.receiver.requests.filter((request) => request.path === path).map(({ headers }) => headers['traceparent'])
  expect(sent(asks.path).toSorted()).toEqual([traceparent, undefined])
  expect(sent(asksNot.path)).toEqual([undefined, undefined])
})
