/** The OpenAPI document is one by the rules of OpenAPI, and complete by ours. */
import { problems } from '@posthorn/contract'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { readCheckout } from './documents.ts'
import { openapiPath } from './openapi.ts'

type Json = Record<string, unknown>
type Media = { schema?: Json; example?: unknown; examples?: Record<string, { value: unknown }> }
type Operation = {
  operationId?: string
  summary?: string
  tags?: string[]
  security?: unknown[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description?: string; content?: Record<string, Media> }>
}

const document = JSON.parse(readCheckout().get(openapiPath) ?? '{}') as {
  openapi: string
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Json> }
}

const operations = [...Object.entries(document.paths), ...Object.entries(document.webhooks)].flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)

/** One for all, so that what many refer to is compiled once. */
const ajv = new Ajv2020({ strict: false, allErrors: true, discriminator: false })
addFormats.default(ajv)
ajv.addSchema({ $id: 'document', components: document.components })

function validatorOf(schema: unknown) {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')
  return ajv.compile(JSON.parse(text))
}

test('it is a valid OpenAPI 3.1 document', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document))
  expect([valid, errors]).toEqual([true, undefined])
  expect(document.openapi).toMatch(/^3\.1\./)
})

test('every operation has a name of its own, a summary, a known tag and its refusals', () => {
  expect(operations.length).toBeGreaterThan(40)
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  const tags = document.tags.map(({ name }) => name)
  for (const { name, operation } of operations) {
    expect([name, operation.operationId]).toEqual([name, expect.stringMatching(/^[a-z][A-Za-z]+$/)])
    expect([name, operation.summary]).toEqual([name, expect.stringMatching(/\S/)])
    expect([name, operation.tags]).toEqual([name, [expect.toBeOneOf(tags)]])
    const isPublic = operation.security?.length === 0
    const statuses = Object.keys(operation.responses)
    expect([name, statuses.some((status) => status.startsWith('2'))]).toEqual([name, true])
    if (!isPublic) expect([name, statuses]).toEqual([name, expect.arrayContaining(['401', '403', 'default'])])
  }
})

test('every refusal of every operation names its codes', () => {
  for (const { name, operation } of operations.filter(({ name }) => name.includes(' /v1/'))) {
    for (const [status, { description = '' }] of Object.entries(operation.responses)) {
      if (status.startsWith('2')) continue
      const codes = [...description.matchAll(/`(\w+)`/g)].map(([, code]) => code)
      expect([name, status, codes]).toEqual([
        name,
        status,
        expect.arrayContaining([expect.toBeOneOf(Object.keys(problems))]),
      ])
    }
  }
})

test('every request and every answer has an example, and each fits its schema', () => {
  let count = 0
  for (const { name, operation } of operations) {
    const answers = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
    const medias = [operation.requestBody?.content, ...answers.map(([, { content }]) => content)]
    for (const { schema, example, examples } of medias.flatMap((content) => Object.values(content ?? {}))) {
      if (schema === undefined || schema['type'] === 'null') continue
      const validate = validatorOf(schema)
      const values = examples === undefined ? [example] : Object.values(examples).map(({ value }) => value)
      for (const value of values) {
        count += 1
        expect(value, name).toBeDefined()
        expect([name, validate(value) ? '' : ajv.errorsText(validate.errors), value]).toEqual([name, '', value])
      }
    }
  }
  expect(count).toBeGreaterThan(60)
})

test('every example of a part fits its schema', () => {
  let count = 0
  const walk = (value: unknown, place: string) => {
    if (value === null || typeof value !== 'object') return
    const { examples } = value as Json
    if (Array.isArray(examples) && !place.endsWith('/properties')) {
      const { examples: _examples, ...schema } = value as Json
      const validate = validatorOf(schema)
      for (const example of examples) {
        count += 1
        expect([place, validate(example) ? '' : ajv.errorsText(validate.errors)]).toEqual([place, ''])
      }
    }
    for (const [name, member] of Object.entries(value)) walk(member, `${place}/${name}`)
  }
  walk(document.components.schemas, '')
  expect(count).toBeGreaterThan(50)
})

test('what Posthorn sends by itself is among the webhooks', () => {
  expect(Object.keys(document.webhooks)).toContain('posthorn.subscription.disabled')
})
