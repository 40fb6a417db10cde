import { createSchemas } from '@posthorn/json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { documentationOf } from '../testing/documentation.ts'
import { addresses, whole } from './addresses.ts'
import { sha256 } from './json.ts'
import { schemaArtifacts } from './published-schema.ts'

const tree = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://acme.example/schemas/tree',
  $dynamicAnchor: 'tree',
  title: 'A tree',
  type: 'object',
  required: ['name'],
  properties: {
    name: { $ref: '#/$defs/name' },
    children: { type: 'array', items: { $dynamicRef: '#tree' } },
    label: { $ref: '#label' },
    parent: { $ref: '#' },
  },
  $defs: { name: { type: 'string', minLength: 1 }, 'a/b': { $anchor: 'label', type: 'string' } },
}

/** Files as their text, and a validator that knows all of them by their `$id`. */
async function published(documentation: ReturnType<typeof documentationOf>) {
  const files = new Map<string, string>()
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  for (const [path, make] of schemaArtifacts(documentation)) {
    const { body, contentType } = await make()
    files.set(path, String(body))
    const isSchema = contentType === 'application/schema+json' && !path.endsWith('latest.json')
    if (isSchema) ajv.addSchema(JSON.parse(String(body)))
  }
  const validate = (path: string) => ajv.getSchema(whole(documentation, path)) ?? expect.fail(`${path} is unknown`)
  return { files, validate, read: (path: string) => JSON.parse(files.get(path) ?? 'null') }
}

test('a schema stands at the address that is its `$id`, and its own references and anchors keep working', async () => {
  const examples = [{ name: 'root', children: [{ name: 'leaf' }], label: 'x' }]
  const documentation = documentationOf({ 'tree.grown': { versions: [{ schema: tree, examples }] } })
  const { read, validate } = await published(documentation)
  const path = addresses.schema('tree.grown', 1)
  expect(read(path)).toMatchObject({
    $schema: tree.$schema,
    $id: 'https://docs.acme.example/events/schemas/tree.grown/1.json',
    title: 'A tree',
    description: 'What is in data of an event tree.grown.',
    examples,
    $defs: tree.$defs,
  })
  const fits = validate(path)
  expect(fits(examples[0])).toBe(true)
  expect([{ children: [{}] }, { label: 1 }, { parent: {} }].map((wrong) => fits({ name: 'a', ...wrong }))).toEqual([
    false,
    false,
    false,
  ])
})

test('the schema of a whole body refers to that of its data and to its type', async () => {
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } }
  const { validate } = await published(documentationOf({ 'invoice.paid': { versions: [{ schema }] } }))
  const fits = validate(addresses.eventSchema('invoice.paid', 1))
  const event = { type: 'invoice.paid', timestamp: '2026-01-01T12:00:00.000Z', data: { id: 'inv_1' } }
  expect(fits(event)).toBe(true)
  expect(fits({ ...event, added: 'later' })).toBe(true)
  expect(
    [{ type: 'invoice.voided' }, { data: {} }, { timestamp: 'today' }].map((one) => fits({ ...event, ...one })),
  ).toEqual([false, false, false])
  expect(validate(addresses.envelope)({ ...event, type: 'anything', data: 1 })).toBe(true)
})

test('a versioned file depends on nothing but its version', async () => {
  const version = { schema: { type: 'object' }, examples: [{ a: 1 }] }
  const path = addresses.schema('invoice.paid', 1)
  const before = documentationOf({ 'invoice.paid': { description: 'Old', group: 'A', versions: [version] } })
  const after = documentationOf({
    'invoice.paid': { description: 'New', group: 'B', status: 'archived', versions: [version, { schema: {} }] },
    another: {},
  })
  expect((await published(after)).files.get(path)).toBe((await published(before)).files.get(path))
  const artifacts = schemaArtifacts(after)
  expect((await artifacts.get(path)?.())?.immutable).toBe(true)
  expect((await artifacts.get(addresses.schema('invoice.paid', 'latest'))?.())?.immutable).toBeUndefined()
})

test('`latest` is the newest version under a second address', async () => {
  const versions = [{ schema: { title: 'one' } }, { schema: { title: 'two' } }]
  const { files, read } = await published(documentationOf({ 'invoice.paid': { versions } }))
  expect(files.get(addresses.schema('invoice.paid', 'latest'))).toBe(files.get(addresses.schema('invoice.paid', 2)))
  expect(read(addresses.schema('invoice.paid', 'latest')).title).toBe('two')
})

test('the index lists every version with its address and the hash of the file there', async () => {
  const documentation = documentationOf({
    'order.paid': { status: 'archived', versions: [{ schema: {} }] },
    'invoice.paid': { group: 'Invoices', versions: [{ schema: {} }, { schema: { type: 'object' } }] },
  })
  const { files, read } = await published(documentation)
  const { event_types: types, format } = read(addresses.schemaIndex)
  expect(format).toBe('posthorn-schemas/1')
  expect(types.map(({ name, status }: { name: string; status: string }) => [name, status])).toEqual([
    ['invoice.paid', 'active'],
    ['order.paid', 'archived'],
  ])
  for (const { versions } of types) {
    for (const { url, sha256: hash } of versions) {
      const path = url.slice(documentation.baseUrl.length + 1)
      expect([path, sha256(files.get(path) ?? '')]).toEqual([path, hash])
    }
  }
})

test('a name that every object inherits is a name like another', async () => {
  const schema = JSON.parse('{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}')
  const name = '__proto__'
  const documentation = documentationOf(Object.fromEntries([[name, { versions: [{ schema }] }]]))
  const { files } = await published(documentation)
  const text = files.get(addresses.schema(name, 1)) ?? ''
  expect(createSchemas().compile(JSON.parse(text)).check({ constructor: 1 })).toHaveLength(1)
  expect(text).toContain('"__proto__": {')
})

test.each([
  [{ $ref: 'file:///etc/passwd' }],
  [{ allOf: [{ $id: 'https://evil.example/', $ref: '#/x' }] }],
  [{ description: 'x'.repeat(70_000) }],
])('a schema that breaks the rules is not passed on: everything fits what stands in its place (%#)', async (schema) => {
  const { read, validate } = await published(documentationOf({ bad: { versions: [{ schema }] } }))
  expect(read(addresses.schema('bad', 1)).description).toMatch(/^Anything: the schema cannot be published, \/schema/)
  expect(validate(addresses.schema('bad', 1))({ any: 'thing' })).toBe(true)
})
