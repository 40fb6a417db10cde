import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../testing/api.ts'

const reserved = ['posthorn.subscription.disabled', 'posthorn.made.up', 'posthorn', 'Posthorn.delivery.exhausted']

let api: TestApi
beforeAll(async () => {
  // Where unknown event types are created, these are not.
  api = await startTestApi({ createEventTypes: true })
  await api.db.prisma.eventType.create({ data: { name: 'posthorn.subscription.disabled' } })
})
afterAll(() => api[Symbol.asyncDispose]())

test.each(reserved)('422 for whoever publishes %s, alone, in a batch or to try', async (type) => {
  for (const tenant of ['acme', 'globex']) {
    const event = { tenant, type, data: {} }
    for (const path of ['/v1/events', '/v1/events?dry_run=1']) {
      const { status, body } = await api.ask('POST', path, event)
      expect([status, body.code, body.errors]).toEqual([
        422,
        'event_type_reserved',
        [{ pointer: '/type', detail: 'begins with posthorn.' }],
      ])
      expect(body.detail).toContain(JSON.stringify(type))
    }
    const good = { tenant, type: 'invoice.paid', data: {} }
    const { body } = await api.ask('POST', '/v1/events/batch', { events: [event, good] })
    expect(body.results.map((one: { status: number }) => one.status)).toEqual([422, 202])
  }
  expect(await api.db.prisma.event.count({ where: { type } })).toBe(0)
})

test.each(reserved)(
  '422 for whoever makes, changes or archives the event type %s, or gives it a schema',
  async (name) => {
    const before = await api.db.prisma.eventType.findMany({ include: { versions: true } })
    const answers = [
      await api.ask('PUT', `/v1/event-types/${name}`, { description: 'mine' }),
      await api.ask('DELETE', `/v1/event-types/${name}`),
      await api.ask('POST', `/v1/event-types/${name}/versions`, { schema: { type: 'object' } }),
    ]
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(3).fill([422, 'event_type_reserved']))
    expect(await api.db.prisma.eventType.findMany({ include: { versions: true } })).toEqual(before)
  },
)

test('names that only look similar are free, and anybody may subscribe to what is reserved', async () => {
  for (const name of ['posthorns.lost', 'my.posthorn.event', 'posthorn-x.y']) {
    expect((await api.ask('PUT', `/v1/event-types/${name}`, {})).status).toBe(201)
    expect((await api.ask('POST', '/v1/events', { tenant: 'acme', type: name, data: {} })).status).toBe(202)
  }
  const draft = { url: 'https://93.184.215.14/hooks', event_types: ['posthorn.*'] }
  expect((await api.ask('POST', '/v1/tenants/acme/subscriptions', draft)).status).toBe(201)
})
