/**
 * Event types in somebody's OpenAPI 3.1 document: each entry of `webhooks` is one, with the schema of its JSON body, its
 * examples and its description.
 *
 * The schemas that a body refers to (`#/components/schemas/…`) come along as its `$defs`, so that each event type's schema
 * stands alone. A body in the envelope of Standard Webhooks (`type`, `timestamp`, `data`) is taken apart: the schema of an
 * event type is that of `data`. What has no place here is left out and named; what would change the meaning is refused.
 */
import {
  eventTypeNamePattern,
  formSentence,
  isReservedEventType,
  limits,
  Problem,
  type ProblemPlace,
} from '@posthorn/contract'
import { isEventTypeName } from './event-type-names.ts'

/** Of JSON Pointers, references and faults in one chain or answer. */
const hopsMax = 20
const placesMax = 20
/** Said of what is left out, at the most. */
const leftOutMax = 200

/** Dialects of schemas that mean what JSON Schema 2020-12 means; the second one adds remarks only. */
const dialects = ['https://json-schema.org/draft/2020-12/schema', 'https://spec.openapis.org/oas/3.1/dialect/base']

export type DescribedType = {
  name: string
  /** The entry of the document. */
  pointer: string
  description: string | null
  group: string | null
  /** Null where the webhook has no JSON body. */
  payload: {
    pointer: string
    schema: Readonly<Record<string, unknown>>
    examples: { pointer: string; value: unknown }[]
  } | null
}

export type LeftOut = { pointer: string; reason: string }

type Json = Readonly<Record<string, unknown>>

/**
 * @throws Problem `invalid_request` with pointers into the document
 */
export function typesInDocument(document: Json): { types: DescribedType[]; leftOut: LeftOut[] } {
  const leftOut: LeftOut[] = []
  const faults: ProblemPlace[] = []
  const reader: Reader = {
    document,
    leave: (pointer, reason) => {
      if (leftOut.length < leftOutMax) leftOut.push({ pointer, reason })
    },
    refuse: (pointer, detail) => {
      if (faults.length < placesMax) faults.push({ pointer, detail })
    },
  }
  const webhooks = documentFaults(reader)
  const types = Object.entries(webhooks).flatMap(([name, item]) => typeOf(reader, name, item) ?? [])
  const [first] = faults
  if (first !== undefined) {
    const said = `The document cannot be imported, and nothing of it was. ${first.pointer}: ${first.detail}.`
    throw new Problem('invalid_request', said, { errors: faults })
  }
  if (isObject(document['paths']) && Object.keys(document['paths']).length > 0) {
    reader.leave('/paths', 'only webhooks become event types')
  }
  return { types, leftOut }
}

type Reader = {
  document: Json
  leave(pointer: string, reason: string): void
  refuse(pointer: string, detail: string): void
}

/** The webhooks, when the document is one that can be read. */
function documentFaults({ document, refuse }: Reader): Json {
  const { openapi, webhooks, jsonSchemaDialect } = document
  if (typeof openapi !== 'string' || !/^3\.1\.\d+$/.test(openapi)) {
    refuse('/openapi', 'must be 3.1.x: earlier versions have no webhooks, and other schemas')
    return {}
  }
  if (jsonSchemaDialect !== undefined && !dialects.includes(String(jsonSchemaDialect).replace(/#$/, ''))) {
    refuse('/jsonSchemaDialect', 'must be JSON Schema 2020-12')
  }
  if (!isObject(webhooks) || Object.keys(webhooks).length === 0) {
    refuse('/webhooks', 'must be an object with at least one webhook: each becomes an event type')
    return {}
  }
  const count = Object.keys(webhooks).length
  if (count <= limits.importEventTypesMax) return webhooks
  refuse('/webhooks', `has ${count} members; at most ${limits.importEventTypesMax} are imported at once`)
  return {}
}

function typeOf(reader: Reader, name: string, given: unknown): DescribedType | undefined {
  const pointer = `/webhooks/${escaped(name)}`
  if (!isEventTypeName(name)) {
    reader.refuse(
      pointer,
      `is no name of an event type: it ${formSentence(eventTypeNamePattern)}, and has at most ${limits.nameLengthMax} characters`,
    )
    return undefined
  }
  if (isReservedEventType(name)) {
    reader.refuse(pointer, 'is a name that belongs to Posthorn itself')
    return undefined
  }
  const item = followed(reader, { value: given, pointer })
  if (item === undefined) return undefined
  for (const method of ['get', 'put', 'delete', 'options', 'head', 'patch', 'trace']) {
    if (item.value[method] !== undefined) reader.leave(`${item.pointer}/${method}`, 'events are sent by POST')
  }
  const operation = followed(reader, { value: item.value['post'] ?? {}, pointer: `${item.pointer}/post` })
  if (operation === undefined) return undefined
  const { description, summary, tags, deprecated, requestBody } = operation.value
  if (item.value['post'] === undefined)
    reader.leave(`${item.pointer}/post`, 'is missing, so the event type has no schema')
  if (deprecated === true) reader.leave(`${operation.pointer}/deprecated`, 'an event type is active or archived')
  const texts = [description, summary, item.value['description'], item.value['summary']]
  const group = Array.isArray(tags)
    ? tags.find((tag) => typeof tag === 'string' && isShown(tag, limits.nameLengthMax))
    : null
  return {
    name,
    pointer,
    description: descriptionOf(reader, operation.pointer, texts),
    group: typeof group === 'string' ? group : null,
    payload:
      requestBody === undefined
        ? null
        : payloadOf(reader, name, { value: requestBody, pointer: `${operation.pointer}/requestBody` }),
  }
}

function descriptionOf(reader: Reader, pointer: string, texts: readonly unknown[]): string | null {
  const text = texts.find((one): one is string => typeof one === 'string' && one.trim() !== '')
  if (text === undefined) return null
  if (isShown(text, limits.descriptionLengthMax)) return text
  const reason = `is longer than ${limits.descriptionLengthMax} characters, or has characters that cannot be kept`
  reader.leave(`${pointer}/description`, reason)
  return null
}

function isShown(text: string, lengthMax: number): boolean {
  return text.length <= lengthMax && text.isWellFormed() && !text.includes('\0') && text !== ''
}

function payloadOf(reader: Reader, name: string, given: Place): DescribedType['payload'] {
  const body = followed(reader, given)
  if (body === undefined) return null
  const content = body.value['content']
  const media = isObject(content) ? Object.entries(content) : []
  const json = media.find(([type]) => isJson(type)) ?? media.find(([type]) => /^application\/[^;]*\+json\b/i.test(type))
  if (json === undefined) {
    reader.leave(body.pointer, 'has no application/json, so the event type has no schema')
    return null
  }
  const [jsonType, mediaType] = json
  for (const [type] of media) {
    if (type !== jsonType) reader.leave(`${body.pointer}/content/${escaped(type)}`, 'events are sent as JSON')
  }
  const pointer = `${body.pointer}/content/${escaped(jsonType)}`
  if (!isObject(mediaType) || !isObject(mediaType['schema'])) {
    reader.leave(pointer, 'has no schema')
    return null
  }
  const examples = examplesOf(reader, { value: mediaType, pointer })
  const whole: Place = { value: mediaType['schema'], pointer: `${pointer}/schema` }
  const data = dataOfEnvelope(reader, name, whole)
  const place = data ?? whole
  const taken = data === undefined ? examples : examples.flatMap((example) => dataOfExample(reader, example))
  const kept = taken.slice(0, limits.examplesMax)
  for (const { pointer } of taken.slice(limits.examplesMax))
    reader.leave(pointer, `only ${limits.examplesMax} examples are kept`)
  const schema = alone(reader, place)
  return schema === undefined ? null : { pointer: place.pointer, schema, examples: kept }
}

function isJson(type: string): boolean {
  return /^application\/json\s*(;|$)/i.test(type)
}

/** The schema of `data`, when the body is an envelope whose `type` is the name of the event type. */
function dataOfEnvelope(reader: Reader, name: string, whole: Place): Place | undefined {
  // What cannot be followed is refused where it is copied.
  const quiet = { ...reader, refuse: () => undefined }
  const schema = followed(quiet, whole)
  const members = schema?.value['properties']
  if (schema === undefined || !isObject(members)) return undefined
  const type = followed(quiet, { value: members['type'], pointer: `${schema.pointer}/properties/type` })?.value
  const names = type === undefined ? [] : Array.isArray(type['enum']) ? type['enum'] : [type['const']]
  if (names.length !== 1 || names[0] !== name || !isObject(members['data'])) return undefined
  return { value: members['data'], pointer: `${schema.pointer}/properties/data` }
}

type Example = { pointer: string; value: unknown }

function dataOfExample(reader: Reader, { pointer, value }: Example): Example[] {
  if (isObject(value) && Object.hasOwn(value, 'data')) return [{ pointer: `${pointer}/data`, value: value['data'] }]
  reader.leave(pointer, 'is no envelope with data')
  return []
}

function examplesOf(reader: Reader, { value, pointer }: { value: Json; pointer: string }): Example[] {
  const found: Example[] = []
  if (Object.hasOwn(value, 'example')) found.push({ pointer: `${pointer}/example`, value: value['example'] })
  const named = isObject(value['examples']) ? Object.entries(value['examples']) : []
  for (const [name, given] of named) {
    const example = followed(reader, { value: given, pointer: `${pointer}/examples/${escaped(name)}` })
    if (example === undefined) continue
    if (Object.hasOwn(example.value, 'value')) {
      found.push({ pointer: `${example.pointer}/value`, value: example.value['value'] })
    } else reader.leave(example.pointer, 'has no value in the document, and nothing is loaded from elsewhere')
  }
  return found
}

type Place = { value: unknown; pointer: string }

/** What stands at a place, or where its `$ref` leads to in the end. */
function followed(reader: Reader, place: Place): { value: Json; pointer: string } | undefined {
  let { value, pointer } = place
  for (let hops = 0; hops < hopsMax; hops += 1) {
    if (!isObject(value)) {
      reader.refuse(pointer, 'must be an object')
      return undefined
    }
    const reference = value['$ref']
    if (typeof reference !== 'string') return { value, pointer }
    const found = resolved(reader.document, reference)
    if (found === undefined) {
      reader.refuse(
        `${pointer}/$ref`,
        `must lead to a place in this document, and ${shownReference(reference)} does not`,
      )
      return undefined
    }
    ;({ value, pointer } = found)
  }
  reader.refuse(place.pointer, `refers on more than ${hopsMax} times`)
  return undefined
}

function resolved(document: Json, reference: string): Place | undefined {
  if (!reference.startsWith('#/')) return undefined
  const pointer = decoded(reference.slice(1))
  if (pointer === undefined) return undefined
  let value: unknown = document
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined
    value = (value as Json)[name]
  }
  return { value, pointer }
}

const components = '#/components/schemas/'

/** A schema that needs nothing of its document: what it refers to has become its `$defs`. */
function alone(reader: Reader, place: Place): Json | undefined {
  const definitions = new Map<string, unknown>()
  const todo: { name: string; pointer: string }[] = []

  /** @param isMap whether its members are schemas by names, and not keywords */
  function copy(value: unknown, pointer: string, isMap = false): unknown {
    if (Array.isArray(value)) return value.map((one, index) => copy(one, `${pointer}/${index}`))
    if (!isObject(value)) return value
    const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
      const at = `${pointer}/${escaped(key)}`
      if (isMap) return [[key, copy(member, at)]]
      if (key === '$ref' && typeof member === 'string') return [[key, moved(member, at)]]
      // Data, in which a reference is none.
      if (dataKeywords.has(key)) return [[key, member]]
      // Of OpenAPI, not of JSON Schema; what they refer to would lead nowhere here.
      if ((key === 'discriminator' || key === 'xml') && isObject(member)) return []
      return [[key, copy(member, at, mapKeywords.has(key))]]
    })
    return Object.fromEntries(members)
  }

  /** A reference into the components leads to the same place among the definitions. */
  function moved(reference: string, pointer: string): string {
    const [part = ''] = reference.startsWith(components) ? reference.slice(components.length).split('/') : []
    const name = decoded(part)?.replaceAll('~1', '/').replaceAll('~0', '~')
    if (name === undefined || part === '' || resolved(reader.document, reference) === undefined) {
      const detail = `must lead to a schema among the components (${components}…), and ${shownReference(reference)} does not`
      reader.refuse(pointer, detail)
      return reference
    }
    if (!definitions.has(name)) {
      definitions.set(name, true)
      todo.push({ name, pointer: `/components/schemas/${escaped(name)}` })
    }
    return `#/$defs/${reference.slice(components.length)}`
  }

  const root = copy(place.value, place.pointer) as Json
  for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
    const { name, pointer } = one
    definitions.set(name, copy(resolved(reader.document, `#${encodeURI(pointer)}`)?.value, pointer))
  }
  if (definitions.size === 0) return root
  const own = isObject(root['$defs']) ? root['$defs'] : {}
  const twice = Object.keys(own).find((name) => definitions.has(name))
  if (twice !== undefined) {
    reader.refuse(
      `${place.pointer}/$defs/${escaped(twice)}`,
      'has the name of a schema among the components, which is needed here too',
    )
    return undefined
  }
  const order = [...definitions].sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...root, $defs: { ...own, ...Object.fromEntries(order) } }
}

const dataKeywords = new Set(['const', 'enum', 'default', 'example', 'examples'])
const mapKeywords = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas'])

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function shownReference(reference: string): string {
  return JSON.stringify(reference.slice(0, 100))
}
