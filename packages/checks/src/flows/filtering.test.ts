import { payloadFormats } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { sentId, startTestPosthorn } from './posthorn.ts'

test('a subscription gets the events that its filter lets through, and owes nothing for the others', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const filtered = await posthorn.subscribe({ filter: '{"data.total":{"$gte":100},"keys.region":"eu"}' })
  const plain = await posthorn.subscribe()
  const wanted = await posthorn.publish({ data: '{"total":100.0}', keys: { region: 'eu' } })
  const small = await posthorn.publish({ data: '{"total":99}', keys: { region: 'eu' } })
  const elsewhere = await posthorn.publish({ data: '{"total":100}', keys: { region: 'us' } })
  await posthorn.received(4)
  await posthorn.recorded(4)
  const ids = (path: string) =>
    posthorn.receiver.requests
      .filter((request) => request.path === path)
      .map((request) => request.headers['webhook-id'])
  expect(ids(filtered.path)).toEqual([sentId(wanted.eventId)])
  expect(ids(plain.path).sort()).toEqual([wanted, small, elsewhere].map((event) => sentId(event.eventId)).sort())
  expect(await posthorn.db.prisma.delivery.count({ where: { subscriptionId: filtered.id } })).toBe(1)
  expect(await posthorn.db.prisma.backlog.count()).toBe(0)
})

test('a dry run shows the very requests that are sent, but for what belongs to the moment of sending', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const subscriptions = await posthorn.subscribeMany(payloadFormats.length, { filter: '{"data":{"$exists":true}}' })
  for (const [index, payloadFormat] of payloadFormats.entries()) {
    const subscription = subscriptions[index]
    if (subscription === undefined) throw new Error('a subscription was made for each format')
    await posthorn.change(subscription, { payloadFormat, auth: { type: 'bearer', token: 'CANARY' } })
  }
  const draft = {
    tenantId: 'acme',
    type: 'invoice.paid',
    data: '{ "exact": 12345678901234567890, "rate": 1.0 }',
    timestamp: new Date('2026-11-23T10:00:00.000Z'),
  }
  const dry = await posthorn.dryRun(draft)
  expect([await posthorn.db.prisma.event.count(), await posthorn.db.prisma.backlog.count()]).toEqual([0, 0])
  expect(JSON.stringify(dry)).not.toContain('CANARY')
  await posthorn.publisher.publish(draft)
  await posthorn.recorded(payloadFormats.length)
  const made = new Set(['host', 'connection', 'content-length', 'webhook-id', 'webhook-timestamp', 'webhook-signature'])
  for (const { id, path } of subscriptions) {
    const request = posthorn.receiver.requests.find((one) => one.path === path)
    const shown = dry.matches.find((match) => match.subscriptionId === id)?.request
    const headers = Object.entries(request?.headers ?? {}).filter(([name]) => !made.has(name))
    const sent = { ...Object.fromEntries(headers), authorization: '[redacted]' }
    // CloudEvents carry the event's id, which a dry run makes up.
    expect(nameless([shown?.headers, shown?.body])).toEqual(nameless([sent, request?.body]))
    expect(request?.headers['authorization']).toBe('Bearer CANARY')
  }
})

test('an event that cannot be judged within its steps is delivered', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  const clauses = Array.from({ length: 20 }, (_, n) => `{"data.rows.id":${n + 2}}`)
  await posthorn.subscribe({ filter: `{"$or":[${clauses}]}` })
  const rows = (count: number) => `{"rows":[${Array.from({ length: count }, () => '{"id":1}')}]}`
  const judged = await posthorn.publish({ data: rows(100) })
  const unjudged = await posthorn.publish({ data: rows(20_000) })
  expect([judged.deliveries.length, unjudged.deliveries.length]).toEqual([0, 1])
  await posthorn.recorded(1)
})

function nameless(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/evt_[0-9a-z]{26}/g, 'evt'))
}
