import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

test('201 when an event type becomes known, 200 when it is replaced', async () => {
  const given = { description: 'An invoice was voided', group: 'Invoices', validation: 'warn' }
  const created = await api.ask('PUT', '/v1/event-types/invoice.voided', given)
  expect(created.status).toBe(201)
  expect(created.body).toEqual({
    name: 'invoice.voided',
    ...given,
    status: 'active',
    key_pointers: {},
    latest_version: 0,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  })
  const replaced = await api.ask('PUT', '/v1/event-types/invoice.voided', {})
  expect(replaced.status).toBe(200)
  expect(replaced.body).toMatchObject({ description: null, group: null, validation: 'off' })
  expect((await api.ask('GET', '/v1/event-types/invoice.voided')).body).toEqual(replaced.body)
})

test('204 when an event type is archived, and put again it is active again', async () => {
  await api.ask('PUT', '/v1/event-types/old.one', {})
  expect((await api.ask('DELETE', '/v1/event-types/old.one')).status).toBe(204)
  expect((await api.ask('GET', '/v1/event-types/old.one')).body.status).toBe('archived')
  const event = { tenant: 'acme', type: 'old.one', data: 1 }
  expect((await api.ask('POST', '/v1/events', event)).body.code).toBe('event_type_not_found')
  await api.ask('PUT', '/v1/event-types/old.one', {})
  expect((await api.ask('POST', '/v1/events', event)).status).toBe(202)
  expect((await api.ask('PUT', '/v1/event-types/old.one', { status: 'archived' })).body.status).toBe('archived')
})

test.each(['nothing', 'in%20voice', 'a%00b', 'a..b', 'invoice.*', 'x'.repeat(129)])(
  '404 when there is no event type %s',
  async (name) => {
    for (const [method, path, body] of [
      ['GET', `/v1/event-types/${name}`, undefined],
      ['DELETE', `/v1/event-types/${name}`, undefined],
      ['GET', `/v1/event-types/${name}/versions`, undefined],
      ['POST', `/v1/event-types/${name}/versions`, { schema: {} }],
    ] as const) {
      const answer = await api.ask(method, path, body)
      expect([method, answer.status, answer.body.code]).toEqual([method, 404, 'event_type_not_found'])
    }
  },
)

test.each([
  ['in%20voice', {}, '{name}'],
  ['invoice.*', {}, '{name}'],
  ['ok', { validation: 'maybe' }, '/validation'],
  ['ok', { status: 'gone' }, '/status'],
  ['ok', { latest_version: 7 }, '/latest_version'],
  ['ok', { description: 'x'.repeat(2001) }, '/description'],
])('422 when event type %s is put with %j', async (name, body, pointer) => {
  const answer = await api.ask('PUT', `/v1/event-types/${name}`, body)
  expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, pointer])
})

test('the list goes by the time of becoming known, archived ones included', async () => {
  await using own = await startTestApi()
  for (const name of ['b.two', 'a.one']) await own.ask('PUT', `/v1/event-types/${name}`, {})
  await own.ask('DELETE', '/v1/event-types/b.two')
  const first = await own.ask('GET', '/v1/event-types?limit=2')
  expect(names(first.body)).toEqual(['a.one', 'b.two'])
  const rest = await own.ask('GET', `/v1/event-types?limit=2&cursor=${first.body.next_cursor}`)
  expect(names(rest.body)).toEqual(['invoice.paid'])
})

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['total'],
  properties: { zebra: {}, total: { type: 'integer' }, apple: { pattern: '^a+$' } },
}

test('201 when a version is added: they count from 1, keep the order of members, and are listed newest first', async () => {
  await api.ask('PUT', '/v1/event-types/order.placed', {})
  const first = await api.ask('POST', '/v1/event-types/order.placed/versions', { schema, examples: [{ total: 1 }] })
  expect(first.status).toBe(201)
  expect(first.body).toMatchObject({ event_type: 'order.placed', version: 1, schema, examples: [{ total: 1 }] })
  expect(Object.keys(first.body.schema.properties)).toEqual(['zebra', 'total', 'apple'])
  const second = await api.ask('POST', '/v1/event-types/order.placed/versions', { schema: {} })
  expect(second.body).toMatchObject({ version: 2, examples: [] })
  const page = await api.ask('GET', '/v1/event-types/order.placed/versions?limit=1')
  expect(page.body.data).toEqual([second.body])
  const rest = await api.ask('GET', `/v1/event-types/order.placed/versions?limit=1&cursor=${page.body.next_cursor}`)
  expect(rest.body.data).toEqual([first.body])
  expect((await api.ask('GET', '/v1/event-types/order.placed')).body.latest_version).toBe(2)
})

test('versions added at the same moment get a number each', async () => {
  await api.ask('PUT', '/v1/event-types/busy', {})
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => api.ask('POST', '/v1/event-types/busy/versions', { schema: {} })),
  )
  expect(answers.map(({ body }) => body.version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test.each([
  [{ $ref: 'https://evil.example/s.json' }, '/schema/$ref'],
  [{ type: 'strin' }, '/schema/type'],
  [{ properties: { a: { pattern: '^(?=x)' } } }, '/schema'],
  [{ description: 'x'.repeat(66_000) }, '/schema'],
])('422 when the schema cannot be used: %j', async (wrong, pointer) => {
  const { status, body } = await api.ask('POST', '/v1/event-types/invoice.paid/versions', { schema: wrong })
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_schema', pointer])
  expect((await api.ask('GET', '/v1/event-types/invoice.paid')).body.latest_version).toBe(0)
})

test('422 when an example does not fit the schema', async () => {
  const wrong = { schema, examples: [{ total: 1 }, { total: 'much' }] }
  const { status, body } = await api.ask('POST', '/v1/event-types/invoice.paid/versions', wrong)
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_schema', '/examples/1/total'])
})

test.each([
  [{}, ''],
  [{ schema: true }, '/schema'],
  [{ schema: {}, examples: {} }, '/examples'],
  [{ schema: {}, examples: Array.from({ length: 21 }, () => 1) }, '/examples'],
  [{ schema: {}, version: 3 }, '/version'],
])('422 when the body of a version is %j', async (wrong, pointer) => {
  const { status, body } = await api.ask('POST', '/v1/event-types/invoice.paid/versions', wrong)
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_request', pointer])
})

test('409 when a name differs only in case from another one, with both names, wherever it comes from', async () => {
  await using own = await startTestApi({ createEventTypes: true })
  const put = await own.ask('PUT', '/v1/event-types/Invoice.Paid', {})
  expect([put.status, put.body.code]).toEqual([409, 'event_type_name_taken'])
  expect(put.body.detail).toMatch(/"invoice\.paid".*"Invoice\.Paid"/)
  const published = await own.ask('POST', '/v1/events', { tenant: 'acme', type: 'INVOICE.paid', data: 1 })
  expect([published.status, published.body.code, published.body.errors[0].pointer]).toEqual([
    409, 'event_type_name_taken', '/type',
  ]) // biome-ignore format: one row
  const events = ['new.one', 'New.One'].map((type) => ({ tenant: 'acme', type, data: 1 }))
  const batch = await own.ask('POST', '/v1/events/batch', { events })
  expect(batch.text).toContain('event_type_name_taken')
  expect(names((await own.ask('GET', '/v1/event-types')).body)).toHaveLength(2)
})

test('of names put at the same moment that differ only in case one is taken', async () => {
  const given = ['race.done', 'Race.Done', 'RACE.DONE', 'race.Done']
  const answers = await Promise.all(given.map((name) => api.ask('PUT', `/v1/event-types/${name}`, {})))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
})

test('a version is answered with what it changes for receivers, and read with it', async () => {
  await api.ask('PUT', '/v1/event-types/order.shipped', {})
  const path = '/v1/event-types/order.shipped/versions'
  const object = (properties: object, required: string[]) => ({ type: 'object', properties, required })
  const first = await api.ask('POST', path, { schema: object({ id: { type: 'string' } }, ['id']) })
  expect(first.body.comparison).toEqual({ compared_with: null, verdict: 'safe', changes: [], truncated: false })
  const next = { schema: object({ id: { type: ['string', 'null'] }, carrier: { type: 'string' } }, ['id']) }
  const comparison = {
    compared_with: 1,
    verdict: 'breaking',
    truncated: false,
    changes: [
      { path: 'data.id', kind: 'null_added', verdict: 'breaking', sentence: 'It may be null now.' },
      { path: 'data.carrier', kind: 'property_added', verdict: 'safe', sentence: expect.any(String) },
    ],
  }
  const told = await api.ask('POST', `${path}?dry_run=1`, next)
  expect([told.status, told.body]).toEqual([200, { event_type: 'order.shipped', version: 2, comparison }])
  expect((await api.ask('GET', '/v1/event-types/order.shipped')).body.latest_version).toBe(1)
  const second = await api.ask('POST', path, next)
  expect([second.status, second.body.comparison]).toEqual([201, comparison])
  const read = await api.ask('GET', `${path}/2`, undefined, { as: 'tenant' })
  expect([read.status, read.body]).toEqual([200, second.body])
})

test.each(['0', '3', '99999999999', 'x', '1.0', '-1'])('404 when an event type has no version %s', async (version) => {
  const answer = await api.ask('GET', `/v1/event-types/invoice.paid/versions/${version}`)
  expect([answer.status, answer.body.code]).toEqual([404, 'event_type_version_not_found'])
})

test('a dry run refuses what would be refused', async () => {
  const ask = async (name: string, body: object, query = '?dry_run=1') => {
    const answer = await api.ask('POST', `/v1/event-types/${name}/versions${query}`, body)
    return [answer.status, answer.body.code]
  }
  expect(await ask('nothing', { schema: {} })).toEqual([404, 'event_type_not_found'])
  expect(await ask('invoice.paid', { schema: { type: 'strin' } })).toEqual([422, 'invalid_schema'])
  expect(await ask('invoice.paid', { schema: {} }, '?dry_run=yes')).toEqual([422, 'invalid_request'])
})

function names(page: { data: { name: string }[] }): string[] {
  return page.data.map(({ name }) => name)
}
