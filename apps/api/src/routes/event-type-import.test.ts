import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

const path = '/v1/event-types/import'
const text = { type: 'string' }

function entry(schema: object, more: object = {}, media: object = {}) {
  const content = { 'application/json': { schema, ...media } }
  return { post: { requestBody: { content }, ...more } }
}

function documentOf(webhooks: object, schemas: object = {}, more: object = {}) {
  return { openapi: '3.1.1', info: { title: 'Shop', version: '1' }, webhooks, components: { schemas }, ...more }
}

test('webhooks become event types with all that their schemas refer to, their examples and their descriptions', async () => {
  const schemas = {
    Order: {
      type: 'object',
      required: ['id'],
      properties: { id: text, lines: { type: 'array', items: { $ref: '#/components/schemas/Line' } } },
    },
    Line: { type: 'object', properties: { sku: text, parent: { $ref: '#/components/schemas/Line' } } },
    Unused: {},
  }
  const envelope = {
    type: 'object',
    properties: { type: { const: 'order.paid' }, timestamp: text, data: { $ref: '#/components/schemas/Order' } },
  }
  const example = { type: 'order.paid', timestamp: '2026-01-01T00:00:00Z', data: { id: 'ord_1' } }
  const document = documentOf(
    {
      'order.paid': entry(
        envelope,
        { description: 'An order was paid', tags: ['Orders'], deprecated: true },
        { examples: { one: { value: example } } },
      ),
      'order.opened': { $ref: '#/components/pathItems/opened' },
      'order.pinged': { get: {} },
    },
    schemas,
    { paths: { '/orders': {} } },
  )
  Object.assign(document.components, {
    pathItems: {
      opened: entry(
        { $ref: '#/components/schemas/Order' },
        { summary: 'An order was opened' },
        { example: { id: 'a' } },
      ),
    },
  })
  const told = await api.ask('POST', `${path}?dry_run=1`, document)
  expect([told.status, told.body.dry_run]).toEqual([200, true])
  expect((await api.ask('GET', '/v1/event-types/order.paid')).status).toBe(404)

  const { status, body } = await api.ask('POST', path, document)
  expect(status).toBe(200)
  expect({ ...body, dry_run: true }).toEqual(told.body)
  const place = '/webhooks/order.paid/post/requestBody/content/application~1json/schema/properties/data'
  const first = { compared_with: null, verdict: 'safe', changes: [], truncated: false }
  expect(body.data).toEqual([
    {
      name: 'order.opened',
      outcome: 'created',
      schema_pointer: '/components/pathItems/opened/post/requestBody/content/application~1json/schema',
      version: 1,
      comparison: first,
    },
    { name: 'order.paid', outcome: 'created', schema_pointer: place, version: 1, comparison: first },
    { name: 'order.pinged', outcome: 'created', schema_pointer: null, version: 0, comparison: null },
  ])
  expect(body.left_out.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    '/webhooks/order.paid/post/deprecated',
    '/webhooks/order.pinged/get',
    '/webhooks/order.pinged/post',
    '/paths',
  ])
  expect((await api.ask('GET', '/v1/event-types/order.paid')).body).toMatchObject({
    description: 'An order was paid',
    group: 'Orders',
  })
  const version = await api.ask('GET', '/v1/event-types/order.paid/versions/1')
  expect(version.body.examples).toEqual([{ id: 'ord_1' }])
  const local = JSON.parse(JSON.stringify(schemas).replaceAll('#/components/schemas/', '#/$defs/'))
  expect(version.body.schema).toEqual({ $ref: '#/$defs/Order', $defs: { Line: local.Line, Order: local.Order } })
})

test('an unchanged schema gets no new version, and a changed one says what changes for receivers', async () => {
  const before = documentOf({ 'plan.changed': entry({ type: 'object', properties: { plan: { enum: ['a'] } } }) })
  await api.ask('POST', path, before)
  const again = await api.ask('POST', path, before)
  expect(again.body.data).toMatchObject([{ outcome: 'unchanged', version: 1, comparison: null }])
  const now = documentOf({ 'plan.changed': entry({ type: 'object', properties: { plan: { enum: ['a', 'b'] } } }) })
  const changed = await api.ask('POST', path, now)
  expect(changed.body.data).toMatchObject([{ outcome: 'updated', version: 2, comparison: { verdict: 'breaking' } }])
})

test('what the document says nothing of stays as it is', async () => {
  await api.ask('PUT', '/v1/event-types/kept.one', { description: 'ours', validation: 'reject', status: 'archived' })
  const { body } = await api.ask('POST', path, documentOf({ 'kept.one': entry({}) }))
  expect(body.left_out).toEqual([{ pointer: '/webhooks/kept.one', reason: expect.stringContaining('archived') }])
  const kept = await api.ask('GET', '/v1/event-types/kept.one')
  expect(kept.body).toMatchObject({ description: 'ours', validation: 'reject', status: 'archived', latest_version: 1 })
})

test.each<[string, object, number, string, string]>([
  ['another version of OpenAPI', { openapi: '3.0.3', webhooks: {} }, 422, 'invalid_request', '/openapi'],
  ['no webhooks', documentOf({}), 422, 'invalid_request', '/webhooks'],
  ['a name that is none', documentOf({ 'a b': entry({}) }), 422, 'invalid_request', '/webhooks/a b'],
  ['a name of ours', documentOf({ 'posthorn.x': entry({}) }), 422, 'invalid_request', '/webhooks/posthorn.x'],
  [
    'another dialect',
    documentOf({ bad: entry({}) }, {}, { jsonSchemaDialect: 'http://json-schema.org/draft-07/schema#' }),
    422,
    'invalid_request',
    '/jsonSchemaDialect',
  ],
  [
    'two names that differ only in case',
    documentOf({ 'x.y': entry({}), 'X.y': entry({}) }),
    409,
    'event_type_name_taken',
    '/webhooks/X.y',
  ],
  [
    'the name of another in other letters',
    documentOf({ 'INVOICE.paid': entry({}) }),
    409,
    'event_type_name_taken',
    '/webhooks/INVOICE.paid',
  ],
  [
    'a reference to elsewhere',
    documentOf({ bad: entry({ $ref: 'https://evil.example/s.json' }) }),
    422,
    'invalid_request',
    '/webhooks/bad/post/requestBody/content/application~1json/schema/$ref',
  ],
  [
    'a reference to nothing',
    documentOf({ bad: entry({ properties: { a: { $ref: '#/components/schemas/Gone' } } }) }),
    422,
    'invalid_request',
    '/webhooks/bad/post/requestBody/content/application~1json/schema/properties/a/$ref',
  ],
  ['a circle of references', documentOf({ bad: { $ref: '#/webhooks/bad' } }), 422, 'invalid_request', '/webhooks/bad'],
  [
    'a schema that is none',
    documentOf({ bad: entry({ type: 'strin' }) }),
    422,
    'invalid_schema',
    '/webhooks/bad/post/requestBody/content/application~1json/schema/type',
  ],
  [
    'an example that does not fit',
    documentOf({ bad: entry({ type: 'object', properties: { a: text } }, {}, { example: { a: 1 } }) }),
    422,
    'invalid_schema',
    '/webhooks/bad/post/requestBody/content/application~1json/example/a',
  ],
])('nothing of a document is imported that has %s', async (_what, document, status, code, pointer) => {
  const good = { 'good.one': entry({}) }
  const whole =
    'webhooks' in document && Object.keys(document.webhooks as object).length > 0
      ? { ...document, webhooks: { ...good, ...(document.webhooks as object) } }
      : document
  const answer = await api.ask('POST', path, whole)
  expect([answer.status, answer.body.code, answer.body.errors?.[0]?.pointer]).toEqual([status, code, pointer])
  expect((await api.ask('GET', '/v1/event-types/good.one')).status).toBe(404)
})

test('403 for those who may not change event types, 422 for too many webhooks', async () => {
  expect((await api.ask('POST', path, documentOf({ a: entry({}) }), { as: 'tenant' })).status).toBe(403)
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`many.t${index}`, entry({})]))
  const answer = await api.ask('POST', path, documentOf(many))
  expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, '/webhooks'])
})

test('definitions that refer to one another without end are imported in bounded time', async () => {
  const count = 60
  const names = Array.from({ length: count }, (_, index) => `D${index}`)
  const all = Object.fromEntries(names.map((name) => [name, { $ref: `#/components/schemas/${name}` }]))
  const schemas = Object.fromEntries(names.map((name) => [name, { type: 'object', properties: all }]))
  const answer = await api.ask(
    'POST',
    path,
    documentOf({ meshed: entry({ $ref: '#/components/schemas/D0' }) }, schemas),
  )
  expect([200, 422]).toContain(answer.status)
})
