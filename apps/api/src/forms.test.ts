/**
 * Every form that a request may have to keep to is explained by a sentence when it is not kept: the patterns come from the
 * OpenAPI document, so none is forgotten.
 */
import { formSentence } from '@posthorn/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './testing/api.ts'

type Schema = Readonly<Record<string, unknown>>
type Media = { schema?: Schema; example?: unknown; examples?: Record<string, { value: unknown }> }
type Operation = {
  operationId: string
  parameters?: { name: string; in: string; schema: Schema }[]
  requestBody?: { content: Record<string, Media> }
}
type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

let api: TestApi
let document: Document
beforeAll(async () => {
  api = await startTestApi()
  document = (await api.ask('GET', '/openapi.json')).body
})
afterAll(() => api[Symbol.asyncDispose]())

/** Where in a value a pattern stands, and what has to stand beside it. `name`: the pattern is one of member names. */
type Formed = { pattern: string; path: (string | number)[]; beside: Record<string, unknown>; name?: true }

/** Every pattern of a schema, each where a value of it stands. */
function patternsOf(schema: Schema, path: Formed['path'] = [], beside: Formed['beside'] = {}): Formed[] {
  const $ref = schema['$ref']
  if (typeof $ref === 'string') {
    return patternsOf(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, path, beside)
  }
  const { pattern, items, additionalProperties, propertyNames } = schema
  const properties = Object.entries(Object(schema['properties'])) as [string, Schema][]
  const constants = Object.fromEntries(
    properties.flatMap(([name, member]) => {
      const only = 'const' in member ? [member['const']] : Object(member['enum'])
      return only.length === 1 ? [[name, only[0]]] : []
    }),
  )
  const branches = [schema['anyOf'], schema['oneOf']].flatMap((list) => (Array.isArray(list) ? list : []))
  return [
    ...(typeof pattern === 'string' ? [{ pattern, path, beside }] : []),
    ...(isSchema(propertyNames)
      ? patternsOf(propertyNames, path, beside).map((found) => ({ ...found, name: true as const }))
      : []),
    ...(isSchema(items) ? patternsOf(items, [...path, 0], beside) : []),
    ...(isSchema(additionalProperties) ? patternsOf(additionalProperties, [...path, 'key.any'], beside) : []),
    ...branches.flatMap((branch: Schema) => patternsOf(branch, path, beside)),
    ...properties.flatMap(([name, member]) => patternsOf(member, [...path, name], { ...beside, ...constants })),
  ]
}

function isSchema(value: unknown): value is Schema {
  return value !== null && typeof value === 'object'
}

/** A text that does not keep to the pattern. */
function breaking(pattern: string): string {
  const form = new RegExp(pattern, 'u')
  const text = ['no such form', ' ', 'ü', '\u0001', '\u0000'].find((candidate) => !form.test(candidate))
  if (text === undefined) throw new Error(`nothing breaks ${pattern}`)
  return text
}

/** The example with the value put where the pattern stands. */
function bodyWith(example: unknown, { path, beside, pattern, name }: Formed): unknown {
  const wrong = breaking(pattern)
  const value = name ? { [wrong]: 'x' } : wrong
  const put = (into: unknown, [step, ...rest]: Formed['path']): unknown => {
    if (step === undefined) return value
    if (typeof step === 'number') return [put(Array.isArray(into) ? into[0] : undefined, rest)]
    const constants = rest.length === 0 ? beside : {}
    return { ...Object(into), ...constants, [step]: put(Object(into)[step], rest) }
  }
  return put(example, path)
}

function pointerTo({ path, pattern, name }: Formed): string {
  const steps = name ? [...path, breaking(pattern)] : path
  return steps.map((step) => `/${step}`).join('')
}

test('a value that breaks a form is answered by a sentence, in every query and every body', async () => {
  const tried: string[] = []
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const url = path.replaceAll(/\{\w+\}/g, 'acme')
      for (const parameter of operation.parameters ?? []) {
        if (parameter.in !== 'query') continue
        for (const formed of patternsOf(parameter.schema)) {
          const query = `${parameter.name}=${encodeURIComponent(breaking(formed.pattern))}`
          const { status, body } = await api.ask(method.toUpperCase(), `${url}?${query}`)
          expect([operation.operationId, status, body]).toEqual([
            operation.operationId,
            422,
            said(`?${parameter.name}`, formed.pattern),
          ])
          tried.push(formed.pattern)
        }
      }
      for (const { schema, example, examples } of Object.values(operation.requestBody?.content ?? {})) {
        const sample = example ?? Object.values(examples ?? {})[0]?.value
        for (const formed of patternsOf(schema ?? {})) {
          const { status, body } = await api.ask(method.toUpperCase(), url, bodyWith(sample, formed))
          const sentence = said(pointerTo(formed), formed.pattern, formed.name)
          expect([operation.operationId, status, body]).toEqual([operation.operationId, 422, sentence])
          tried.push(formed.pattern)
        }
      }
    }
  }
  expect(tried.length).toBeGreaterThan(70)
  expect(new Set(tried).size).toBeGreaterThan(20)
})

/** The refusal that names the place and says what must stand there, without any expression. */
function said(pointer: string, pattern: string, isName?: true): unknown {
  const must = formSentence(pattern)
  expect([pattern, must]).toEqual([pattern, expect.stringMatching(/^must [a-z]/)])
  const detail = isName ? `cannot be a name here: it ${must}` : must
  return expect.objectContaining({
    code: 'invalid_request',
    detail: expect.not.stringContaining(pattern),
    errors: expect.arrayContaining([{ pointer, detail }]),
  })
}

test.each([
  ['since=2026-11-26', 200],
  ['since=2026-11-26&until=2026-11-27', 200],
  ['since=24h', 200],
  ['since=2026-11-26T10:00:00%2B01:00', 200],
  ['since=2026-02-30', 422],
  ['since=yesterday', 422],
  ['since=2026-11-26T10:00:00+01:00', 422],
])('a list since a plain date begins with its midnight: %s gives %d', async (query, expected) => {
  const { status, body } = await api.ask('GET', `/v1/events?${query}`)
  expect(status).toBe(expected)
  if (status === 422) expect(body.errors[0].detail).toMatch(/^(must be a time such as .*%2B|is not a day)/)
})

test.each([
  ['/v1/deliveries?state=lost', '?state', /^must be one of "pending", "retrying"/],
  ['/v1/deliveries?state=failed&state=lost', '?state', /^value 2 must be one of "pending"/],
  ['/v1/search', '?q', /^is missing$/],
  ['/v1/deliveries?sate=failed', '?sate', /did you mean state\?$/],
  ['/v1/events?keys.order=ord_42', '?keys.order', /asked for as key\.order=<value>$/],
  ['/v1/events?key=order', '?key', /asked for as key\.<name>=<value>$/],
])('the place of a query parameter is its name, and what was meant is said: %s', async (path, pointer, detail) => {
  const { status, body } = await api.ask('GET', path)
  expect([status, body.errors]).toEqual([422, [{ pointer, detail: expect.stringMatching(detail) }]])
  expect(body.detail).toContain(pointer)
})

test.each([
  ['GET', '/v1/events?since=1h&until=2h', undefined, '?since'],
  ['GET', '/v1/deliveries?since=2026-11-26&until=2026-11-25', undefined, '?since'],
  ['GET', '/v1/audit?since=2026-11-26&until=2026-11-25', undefined, '?since'],
  ['GET', '/v1/metrics/causes?since=2026-11-26&until=2026-11-25', undefined, '?since'],
  ['POST', '/v1/replays', { filter: { since: '1h', until: '2h' } }, '/filter/since'],
])('422 for a time that ends before it begins: %s %s', async (method, path, body, pointer) => {
  const answer = await api.ask(method, path, body)
  expect([answer.status, answer.body.errors]).toEqual([
    422,
    [{ pointer, detail: 'is later than until, so that nothing is in between' }],
  ])
})

const subscriptions = '/v1/tenants/acme/subscriptions'
const draft = { url: 'https://93.184.215.14/hooks', event_types: ['*'] }

test.each([
  ['a name of a business key', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: {}, keys: { 'a b': 'x' } },
    [['/keys/a b', /^cannot be a name here: it must be a name of 1 to 64 letters/]]],
  ['a type of credentials', subscriptions, { ...draft, auth: { type: 'foo' } },
    [['/auth/type', /^must be one of "basic", "bearer", "api_key", "oauth2_client_credentials"$/]]],
  ['an item given twice', subscriptions, { ...draft, event_types: ['*', '*'] },
    [['/event_types', /^must not contain the same item twice$/]]],
  ['a number for a text that may be null', subscriptions, { ...draft, description: 5 },
    [['/description', /^must be string or null$/]]],
  ['an empty list', subscriptions, { ...draft, event_types: [] }, [['/event_types', /^must not be empty$/]]],
  ['a value of a filter that may be a list', '/v1/replays', { filter: { tenant: 'a b' } },
    [['/filter/tenant', /^must be the id of a tenant/]]],
  ['a number in its place', '/v1/replays', { filter: { tenant: 5 } }, [['/filter/tenant', /^must be string or array$/]]],
  ['a name with a slip of the pen', subscriptions, { ...draft, event_type: ['*'] },
    [['/event_type', /did you mean event_types\?$/]]],
  ['a contact whom no mail reaches', subscriptions, { ...draft, contacts: [{ email: 'nomail' }] },
    [['/contacts/0/email', /^must be an e-mail address, such as/]]],
  ['a time of another format', '/v1/signature-checks', { subscription: 'x', headers: {}, body: '', received_at: 'now' },
    [['/subscription', /^must be the id of a subscription, such as sub_/], ['/received_at', /^must be a time with its offset/]]],
  ['a query parameter in the body', '/v1/subscriptions/x/test', { event_type: 'invoice.paid' },
    [['/event_type', /it is a query parameter: \?event_type=$/]]],
] as const)('what a body has wrong is said once and in words: %s', async (_what, path, given, places) => {
  const { status, body } = await api.ask('POST', path, given)
  const expected = places.map(([pointer, detail]) => ({ pointer, detail: expect.stringMatching(detail) }))
  expect([status, body.errors]).toEqual([422, expected])
}) // biome-ignore format: a table

test('an event of a batch is called an event, and a part of the path by its name there', async () => {
  const { body } = await api.ask('POST', '/v1/events/batch', { events: [7] })
  expect(body.results[0].problem.detail).toBe('the event must be object.')
  for (const [path, pointer] of [
    ['/v1/tenants/a%20b', '{id}'],
    ['/v1/event-types/a%20b', '{name}'],
  ] as const) {
    const answer = await api.ask('PUT', path, {})
    expect([answer.status, answer.body.errors]).toEqual([
      422,
      [{ pointer, detail: expect.stringMatching(/^must be the /) }],
    ])
  }
})

test('credentials in a URL or in a header are sent where they belong', async () => {
  const inUrl = await api.ask('POST', subscriptions, { ...draft, url: 'https://user:pw@93.184.215.14/' })
  expect(inUrl.body.errors).toEqual([{ pointer: '/url', detail: expect.stringContaining('go into its `auth`') }])
  const inHeader = await api.ask('POST', subscriptions, { ...draft, headers: { Authorization: 'Bearer x' } })
  expect(inHeader.body.errors).toEqual([
    { pointer: '/headers/Authorization', detail: expect.stringContaining('credentials go into `auth`') },
  ])
})
