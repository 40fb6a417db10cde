import { formatId } from '@posthorn/contract'

import { createPublisher, publishOutbox } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi, world } from '../testing/api.ts'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi()
})

afterAll(() => api[Symbol.asyncDispose]())

test('what was refused is listed with the problem, tried again once it is mended, and then gone', async () => {
  await write('nobody', 'late.type')
  await write('acme', 'late.type')
  await empty()
  const { body } = await api.ask('GET', '/v1/outbox-events?order=asc')
  expect(body.data).toMatchObject([
    { state: 'refused', tenant: 'nobody', problem: { code: 'tenant_not_found' } },
    {
      id: expect.stringMatching(/^out_[0-7][0-9a-z]{25}$/),
      state: 'refused',
      tenant: 'acme',
      type: 'late.type',
      publish_id: expect.stringMatching(/^outbox:/),
      keys: { order: 'ord_1' },
      refused_at: expect.any(String),
      problem: { code: 'event_type_not_found', errors: [{ pointer: '/type', detail: 'is not known' }] },
    },
  ])
  const { id } = body.data[1]
  await api.ask('PUT', '/v1/event-types/late.type', {})
  const retried = await api.ask('POST', `/v1/outbox-events/${id}/retry`)
  expect(retried).toMatchObject({ status: 202, body: { id, state: 'waiting', refused_at: null, problem: null } })
  expect((await api.ask('GET', '/v1/outbox-events?state=waiting')).body.data).toMatchObject([{ id }])
  const waiting = await api.ask('DELETE', `/v1/outbox-events/${id}`)
  expect(waiting).toMatchObject({ status: 409, body: { code: 'outbox_event_waiting' } })
  await empty()
  expect(await api.ask('POST', `/v1/outbox-events/${id}/retry`)).toMatchObject({
    status: 404,
    body: { code: 'outbox_event_not_found' },
  })
  expect((await api.ask('GET', '/v1/events?tenant=acme')).body.data).toMatchObject([{ type: 'late.type' }])
})

test('what one holds is shown to the byte, and hidden from those who may not read payloads', async () => {
  const data = '{"n":1.0,"n":2,"big":12345678901234567890}'
  const headers = { 'x-region': 'eu', 'x-api-key': 'k', 'X-Number': 1 }
  await write('nobody', 'invoice.paid', 'ord_whole', data, headers)
  await empty()
  const { body } = await api.ask('GET', '/v1/outbox-events')
  const [{ id }] = body.data
  const whole = await api.ask('GET', `/v1/outbox-events/${id}`)
  expect(whole).toMatchObject({
    status: 200,
    body: { ...body.data[0], headers: { 'x-region': 'eu', 'x-api-key': 'k', 'X-Number': '1' } },
  })
  expect(whole.text.endsWith(`"data":${data}}`)).toBe(true)
  const hidden = await api.ask('GET', `/v1/outbox-events/${id}`, undefined, { as: 'support' })
  expect(hidden.body).toEqual({
    ...body.data[0],
    headers: { 'x-region': '[redacted]', 'x-api-key': '[redacted]', 'X-Number': '[redacted]' },
    data_redacted: true,
  })
  expect((await api.ask('GET', `/v1/outbox-events/${id}`, undefined, { as: 'tenant' })).status).toBe(403)
  expect((await api.ask('DELETE', `/v1/outbox-events/${id}`)).status).toBe(204)
  expect(await api.ask('GET', `/v1/outbox-events/${id}`)).toMatchObject({
    status: 404,
    body: { code: 'outbox_event_not_found' },
  })
})

test('what was refused can be given up, and is never published', async () => {
  const [refused] = (await api.ask('GET', '/v1/outbox-events?tenant=nobody')).body.data
  expect((await api.ask('DELETE', `/v1/outbox-events/${refused.id}`)).status).toBe(204)
  expect((await api.ask('GET', '/v1/outbox-events')).body.data).toEqual([])
  await empty()
  expect((await api.ask('GET', '/v1/events?tenant=nobody')).body.data).toEqual([])
})

test('the list has pages, by the order of writing, and refuses the cursors of the other state', async () => {
  for (const order of ['1', '2', '3']) await write('nobody', 'invoice.paid', order)
  await empty()
  const first = (await api.ask('GET', '/v1/outbox-events?limit=2')).body
  const second = (await api.ask('GET', `/v1/outbox-events?limit=2&cursor=${first.next_cursor}`)).body
  const orders = [...first.data, ...second.data].map(({ keys }: { keys: { order: string } }) => keys.order)
  expect(orders).toEqual(['3', '2', '1'])
  expect((await api.ask('GET', `/v1/outbox-events?cursor=${second.prev_cursor}`)).body.data).toMatchObject(first.data)
  const other = await api.ask('GET', `/v1/outbox-events?state=waiting&cursor=${first.next_cursor}`)
  expect(other).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ pointer: '?cursor' }] } })
})

test.each([
  ['GET', '/v1/outbox-events?state=lost', 422, 'invalid_request'],
  ['GET', '/v1/outbox-events?unknown=1', 422, 'invalid_request'],
  ['GET', '/v1/outbox-events?cursor=abc', 422, 'invalid_request'],
  ['GET', '/v1/outbox-events/evt_1', 404, 'outbox_event_not_found'],
  ['DELETE', '/v1/outbox-events/evt_1', 404, 'outbox_event_not_found'],
  [
    'DELETE',
    `/v1/outbox-events/${formatId('outbox_event', '01900000-0000-7000-8000-000000000000')}`,
    404,
    'outbox_event_not_found',
  ],
  ['POST', '/v1/outbox-events/out_1/retry', 404, 'outbox_event_not_found'],
])('%s %s is refused with %i %s', async (method, path, status, code) => {
  expect(await api.ask(method, path)).toMatchObject({ status, body: { code } })
})

function write(
  tenant: string,
  type: string,
  order = 'ord_1',
  data = '{"secret":"hidden"}',
  headers: object | null = null,
): Promise<unknown> {
  const text = 'insert into outbox_event (tenant_id, type, data, keys, headers) values ($1, $2, $3, $4, $5)'
  return withClient(api.url, (client) => client.query(text, [tenant, type, data, { order }, headers]))
}

/** Publishes what is in the outbox, as a dispatcher does. */
async function empty(): Promise<void> {
  const { db } = api
  const means = { checkSchema: async () => [], createEventTypes: false, onWork: () => undefined }
  await publishOutbox({ db, publisher: createPublisher({ db, world, ...means }), telemetry: () => undefined })
}
