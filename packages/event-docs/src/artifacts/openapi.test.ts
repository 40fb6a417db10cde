import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { documentationOf } from '../testing/documentation.ts'
import { sampleEventTypes } from '../testing/sample-event-types.ts'
import { openapiDocument } from './openapi.ts'

const documentation = documentationOf(sampleEventTypes)
const document = openapiDocument(documentation)
const operations = Object.entries(document.webhooks).map(([type, { post }]) => ({ type, post }))

test('it is a valid OpenAPI 3.1 document with a webhook for each event type', async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)))
  expect([valid, errors]).toEqual([true, undefined])
  expect(Object.keys(document.webhooks)).toEqual(Object.keys(sampleEventTypes).toSorted())
})

test('every example fits the schema of its event, and every reference leads somewhere', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, ownProperties: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'document', components: document.components })
  let count = 0
  for (const { type, post } of operations) {
    const { schema, examples = {} } = post.requestBody.content['application/json']
    const validate = ajv.compile({ $ref: `document${schema.$ref}` })
    for (const { value } of Object.values<{ value: object }>(examples)) {
      expect([type, validate(value), validate.errors]).toEqual([type, true, null])
      expect([type, validate({ ...value, type: 'another' })]).toEqual([type, false])
      count += 1
    }
  }
  expect(count).toBeGreaterThan(8)
})

test('an operation has a name of its own, the headers, the group, the version and what answers bring about', () => {
  const ids = operations.map(({ post }) => post.operationId)
  expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(ids.length)
  const invoice = document.webhooks['invoice.paid']?.post
  expect(invoice).toMatchObject({ operationId: 'onInvoicePaid', tags: ['Invoices'], 'x-event-version': 2 })
  expect(invoice?.parameters.map(({ $ref }) => $ref)).toEqual(
    expect.arrayContaining(
      ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => `#/components/parameters/${name}`),
    ),
  )
  expect(Object.keys(invoice?.responses ?? {})).toEqual(['410', '429', '2XX', 'default'])
  expect(invoice).not.toHaveProperty('deprecated')
  expect(document.webhooks['order.lost']?.post).toMatchObject({ deprecated: true })
  expect(document['x-delivery']).toMatchObject({ timeout_ms: 15_000, retry_schedule_seconds: [5, 300] })
})

test('what cannot be laid into the document says so and lets everything pass', () => {
  const bad = openapiDocument(
    documentationOf({ bad: { versions: [{ schema: { $ref: '#/$defs/missing' } }] }, none: {} }),
  )
  expect(bad.components.schemas).toMatchObject({
    BadData: { description: 'Not described: the reference "#/$defs/missing" leads nowhere.' },
    NoneData: { description: 'Not described.' },
  })
})
