import { Parser } from '@asyncapi/parser'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { documentationOf } from '../testing/documentation.ts'
import { sampleEventTypes } from '../testing/sample-event-types.ts'
import { asyncapiText } from './asyncapi.ts'

const text = asyncapiText(documentationOf(sampleEventTypes))

test('the official parser reads it and has nothing to say against it', async () => {
  const { document, diagnostics } = await new Parser().parse(text)
  // Level 0 is an error, 1 a warning; the others are advice, such as to name a license.
  expect(diagnostics.filter(({ severity }) => severity < 2)).toEqual([])
  const messages = document?.allMessages().all() ?? []
  const names = messages.map((message) => message.name() ?? '')
  expect([...new Set(names)].toSorted()).toEqual(Object.keys(sampleEventTypes).toSorted())
  expect(
    document
      ?.operations()
      .all()
      .every((operation) => operation.isSend()),
  ).toBe(true)
  expect(
    document
      ?.channels()
      .all()
      .map((channel) => channel.address()),
  ).toEqual([null])
})

test('every example fits its message by draft 7 of JSON Schema', () => {
  const { components } = parse(text)
  const ajv = new Ajv({ strict: false, allErrors: true, ownProperties: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'document', components })
  let count = 0
  for (const [key, message] of Object.entries<{ payload: object; examples?: { payload: unknown }[] }>(
    components.messages,
  )) {
    const validate = ajv.compile({ $ref: `document#/components/messages/${key}/payload` })
    for (const { payload } of message.examples ?? []) {
      expect([key, validate(payload), validate.errors]).toEqual([key, true, null])
      count += 1
    }
  }
  expect(count).toBeGreaterThan(8)
})

test('a reference into what draft 7 does not have costs the schema, and not the document', async () => {
  const schema = {
    properties: { a: { $ref: '#/dependentSchemas/a/properties/b' } },
    dependentSchemas: { a: { properties: { b: { type: 'string' } } } },
  }
  const one = asyncapiText(
    documentationOf({
      odd: { versions: [{ schema }] },
      fine: { versions: [{ schema: { minContains: 0, contains: {} } }] },
    }),
  )
  const { diagnostics } = await new Parser().parse(one)
  expect(diagnostics.filter(({ severity }) => severity < 2)).toEqual([])
  expect(parse(one).components.schemas).toMatchObject({
    OddData: { description: 'Not described: draft 7 of JSON Schema cannot say it.' },
    FineData: {},
  })
})

test('names and texts that YAML would read as something else stay what they are', () => {
  const properties = JSON.parse('{"on":{},"2026-01-01":{},"<<":{"title":"merge"},"null":{},"1":{}}')
  const document = parse(
    asyncapiText(documentationOf({ odd: { description: 'yes', versions: [{ schema: { properties } }] } })),
  )
  expect(Object.keys(document.components.schemas.OddData.properties).toSorted()).toEqual(
    Object.keys(properties).toSorted(),
  )
  expect(document.components.messages.OddEvent.description).toBe('yes')
})
