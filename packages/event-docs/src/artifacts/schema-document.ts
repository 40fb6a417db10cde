/**
 * Schemas of event types, taken apart without trusting them: what keeps to the rules of `@posthorn/json-schema`, with its
 * references followed or laid elsewhere. A schema is at most 64 KiB and 64 levels deep then, and refers only to itself.
 */
import { isObject } from '@posthorn/contract'
import { schemaFaults } from '@posthorn/json-schema'

export type Keywords = Readonly<Record<string, unknown>>

/** Nothing can be made of a schema; the message says why, for its author. */
export class UnusableSchema extends Error {
  override readonly name = 'UnusableSchema'
}

/** Where subschemas stand: in the keyword itself, in its list, or in its members. */
const single = new Set([
  'items', 'contains', 'additionalProperties', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties', 'not', 'if',
  'then', 'else', 'contentSchema', 'additionalItems',
]) // biome-ignore format: one list
const listed = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const named = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
/** These hold data and words, in which a `$ref` is none. */
const data = new Set([
  'const', 'enum', 'examples', 'default', 'required', 'dependentRequired', 'type', 'title', 'description', '$comment',
]) // biome-ignore format: one list

export type SchemaDocument = {
  readonly root: Keywords
  /**
   * What a reference leads to, with the JSON Pointer of it.
   *
   * @throws UnusableSchema when it leads nowhere
   */
  resolve(reference: string): { node: unknown; pointer: string }
}

/** @throws UnusableSchema when it does not keep to the rules */
export function schemaDocument(schema: unknown): SchemaDocument {
  const [fault] = schemaFaults(schema)
  if (fault !== undefined || !isObject(schema)) {
    throw new UnusableSchema(fault === undefined ? 'it is no object' : `${fault.pointer} ${fault.detail}`)
  }
  const anchors = anchorsOf(schema)

  function resolve(reference: string): { node: unknown; pointer: string } {
    const fragment = decoded(reference.slice(1))
    const pointer = fragment === '' || fragment.startsWith('/') ? fragment : anchors.get(fragment)
    const node = pointer === undefined ? undefined : nodeAt(schema, pointer)
    if (pointer === undefined || (typeof node !== 'boolean' && !isObject(node))) {
      throw new UnusableSchema(`the reference ${JSON.stringify(reference)} leads nowhere`)
    }
    return { node, pointer }
  }

  return { root: schema, resolve }
}

/** A copy in which each subschema became what `change` makes of it. Everything else stays, in its order. */
export function withSubschemas(schema: Keywords, change: (subschema: unknown) => unknown): Record<string, unknown> {
  return mapped(schema, (keyword, value) => {
    if (single.has(keyword)) return Array.isArray(value) ? value.map(change) : change(value)
    if (listed.has(keyword)) return Array.isArray(value) ? value.map(change) : value
    if (named.has(keyword)) return isObject(value) ? mapped(value, (_name, member) => change(member)) : value
    // What nobody knows may still be referred to.
    return data.has(keyword) ? value : throughUnknown(value, change)
  })
}

/**
 * The schema as a part of a larger document: without a name and anchors of its own, and with every reference as a JSON
 * Pointer from the root of that document. In one schema without others, a dynamic reference leads where a plain one does.
 *
 * @param place a URI fragment, such as `#/components/schemas/Invoice`
 * @throws UnusableSchema
 */
export function relocated(schema: unknown, place: string): Record<string, unknown> {
  const { root, resolve } = schemaDocument(schema)
  function moved(node: unknown): unknown {
    if (!isObject(node)) return node
    const { $ref, $dynamicRef, ...others } = without(node, nameKeywords)
    const references = [$ref, $dynamicRef].flatMap((reference) =>
      typeof reference === 'string' ? [`${place}${encoded(resolve(reference).pointer)}`] : [],
    )
    const rest = withSubschemas(others, moved)
    const [first, second] = references
    if (first === undefined) return rest
    if (second === undefined) return { $ref: first, ...rest }
    return { allOf: [{ $ref: first }, { $ref: second }, rest] }
  }
  return moved(root) as Record<string, unknown> // an object, as the root is
}

/** Whether all references of a schema, which stands at a place of a larger document, lead to a part of it. */
export function leadSomewhere(schema: Keywords, place: string): boolean {
  let all = true
  function look(node: unknown): unknown {
    if (!isObject(node)) return node
    const { $ref } = node
    const isOwn = typeof $ref === 'string' && $ref.startsWith(place)
    if (isOwn && nodeAt(schema, decoded($ref.slice(place.length))) === undefined) all = false
    return withSubschemas(node, look)
  }
  look(schema)
  return all
}

export const nameKeywords = ['$id', '$schema', '$anchor', '$dynamicAnchor', '$vocabulary'] as const

/** `Object.fromEntries` also makes a member that is called `__proto__`; an assignment would not. */
export function mapped<T>(members: Keywords, change: (name: string, value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(name, value)]))
}

export function without(members: Keywords, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
}

function throughUnknown(value: unknown, change: (subschema: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => throughUnknown(item, change))
  if (!isObject(value)) return value
  try {
    return change(value)
  } catch (error) {
    // It was no schema.
    if (error instanceof UnusableSchema) return value
    throw error
  }
}

/** Anchors by name, with the pointers of where they stand; of two with one name the first counts. */
function anchorsOf(schema: Keywords): Map<string, string> {
  const anchors = new Map<string, string>()
  function visit(node: unknown, pointer: string): void {
    if (!isObject(node)) return
    for (const anchor of [node['$anchor'], node['$dynamicAnchor']]) {
      if (typeof anchor === 'string' && !anchors.has(anchor)) anchors.set(anchor, pointer)
    }
    for (const [keyword, value] of Object.entries(node)) {
      if (data.has(keyword) || value === null || typeof value !== 'object') continue
      const place = `${pointer}/${escaped(keyword)}`
      if (!Array.isArray(value) && !named.has(keyword)) visit(value, place)
      else for (const [name, member] of Object.entries(value)) visit(member, `${place}/${escaped(name)}`)
    }
  }
  visit(schema, '')
  return anchors
}

function nodeAt(schema: unknown, pointer: string): unknown {
  let node = schema
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (node === null || typeof node !== 'object' || !Object.hasOwn(node, name)) return undefined
    node = Reflect.get(node, name)
  }
  return node
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}

/** As a part of a URI fragment (RFC 3986 §3.5). */
function encoded(pointer: string): string {
  return pointer.split('/').map(encodeURIComponent).join('/')
}
