/**
 * A schema as generators of code get it: only what they understand, and nothing by which a stranger could write code.
 *
 * Their own keywords (`tsType`, `extends`, `goType` …) are gone, as are titles, from which they would take names. What is
 * referred to is a definition with a name of ours. Texts have no control characters and nothing that ends a comment.
 * Formats are gone: a time is text, in every language, because a validator may have let another text through.
 */
import { isObject } from '@posthorn/contract'
import { type Keywords, mapped, schemaDocument, UnusableSchema } from '../schema-document.ts'
import { typeNameOf } from './code-names.ts'

export type CodeSchema = {
  /** What stands for `data`. */
  readonly root: Keywords
  /** By name; `root` is one of them when it refers to itself. */
  readonly definitions: ReadonlyMap<string, Keywords>
}

export type CodeSchemaOptions = {
  readonly rootName: string
  /** A name that nothing else has, from one that would suit. */
  readonly uniqueName: (wanted: string) => string
  /** Put before the names of definitions. */
  readonly prefix?: string
  /** Whether the language can say a member of this name. */
  readonly canName?: (member: string) => boolean
  /** What says that everything fits. */
  readonly anything: Keywords
  /** What a plain reference becomes; a remark may stand beside it. */
  readonly reference: (target: { $ref: string }) => Keywords
  /** What a list of a fixed length becomes, of the schemas of its places. */
  readonly tuple: (places: readonly Keywords[]) => Keywords
  /** What an enumeration, or a constant, becomes. */
  readonly values: (values: readonly unknown[]) => Keywords
  /** An enumeration of more values is as good as an open one. */
  readonly enumValuesMax?: number
  /** What an enumeration becomes to which values may be added at any time. */
  readonly extensible: (values: readonly unknown[]) => Keywords
}

const typeWords = new Set(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'])
/** Tuples that are longer become arrays. */
const tupleLengthMax = 16

/** @throws UnusableSchema */
export function codeSchema(schema: unknown, options: CodeSchemaOptions): CodeSchema {
  const { root, resolve } = schemaDocument(schema)
  const names = new Map<unknown, string>([[root, options.rootName]])
  const waiting: { name: string; node: unknown }[] = []

  function definitionOf(reference: string): string {
    const { node, pointer } = resolve(reference)
    const known = names.get(node)
    // `true` and `false` are not objects that could be told apart, and need no name.
    if (known !== undefined && isObject(node)) return known
    const wanted = `${options.prefix ?? ''}${typeNameOf(pointer.split('/').at(-1) ?? '')}`
    const name = options.uniqueName(wanted)
    names.set(node, name)
    waiting.push({ name, node })
    return name
  }

  function converted(node: unknown): Record<string, unknown> {
    if (!isObject(node)) return { ...options.anything }
    const remarks = remarksOf(node)
    const references = [node['$ref'], node['$dynamicRef']].filter((reference) => typeof reference === 'string')
    const targets = references.map((reference) => ({ $ref: `#/$defs/${definitionOf(reference)}` }))
    const own = demandsOf(node, converted, options)
    const [only] = targets
    const isBare = Object.keys(own).length === 0
    if (only === undefined) return { ...remarks, ...(isBare ? options.anything : own) }
    if (isBare && targets.length === 1) return { ...remarks, ...options.reference(only) }
    return { ...remarks, allOf: isBare ? targets : [...targets, own] }
  }

  const rootSchema = converted(root)
  const definitions = new Map([[options.rootName, rootSchema]])
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    definitions.set(next.name, converted(next.node))
  }
  refuseEndless(definitions)
  return { root: rootSchema, definitions }
}

/** Characters of a remark. The generators take a time that grows with the square of a long word. */
const remarkLengthMax = 2_000

/** Text of a schema for a comment in any language. */
export function commentText(text: string): string {
  const beginning = text.length > remarkLengthMax ? `${text.slice(0, remarkLengthMax)}…` : text
  return beginning
    .toWellFormed()
    .replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replaceAll(/[^\P{Cc}\n]/gu, ' ')
    .replaceAll('*/', '* /')
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .trim()
}

function remarksOf({ description, deprecated }: Keywords): Record<string, unknown> {
  const text = typeof description === 'string' ? commentText(description) : ''
  return { ...(text === '' ? {} : { description: text }), ...(deprecated === true ? { deprecated } : {}) }
}

type Convert = (node: unknown) => Record<string, unknown>

function demandsOf(node: Keywords, convert: Convert, options: CodeSchemaOptions): Record<string, unknown> {
  const { enum: values } = node
  if (Object.hasOwn(node, 'const')) return { ...options.values([node['const']]) }
  if (Array.isArray(values) && values.length > 0) {
    const { enumValuesMax = Number.POSITIVE_INFINITY } = options
    const isOpen = node['x-extensible-enum'] === true || values.length > enumValuesMax
    return { ...(isOpen ? options.extensible(values) : options.values(values)) }
  }
  const isObjectType = isObject(node['properties']) || Array.isArray(node['required'])
  const isArrayType = node['items'] !== undefined || Array.isArray(node['prefixItems'])
  const types = typesOf(node, { isObjectType, isArrayType })
  const has = (type: string) => types.includes(type)
  return {
    ...(types.length === 0 ? {} : { type: types.length === 1 ? types[0] : types }),
    ...(has('object') ? membersOf(node, convert, options) : {}),
    ...(has('array') ? itemsOf(node, convert, options) : {}),
    ...choices(node, convert),
  }
}

function typesOf({ type }: Keywords, implied: { isObjectType: boolean; isArrayType: boolean }): string[] {
  const words = (Array.isArray(type) ? type : [type]).filter((word) => typeof word === 'string' && typeWords.has(word))
  if (words.length > 0) return [...new Set<string>(words)]
  if (implied.isObjectType) return ['object']
  return implied.isArrayType ? ['array'] : []
}

function choices(node: Keywords, convert: Convert): Record<string, unknown> {
  const lists = ['allOf', 'anyOf', 'oneOf'].flatMap((keyword) => {
    const branches = node[keyword]
    // `false` is a branch that never comes.
    const used = Array.isArray(branches) ? branches.filter((branch) => branch !== false) : []
    return used.length === 0 ? [] : [{ keyword: keyword === 'allOf' ? keyword : 'anyOf', branches: used.map(convert) }]
  })
  const [first, ...others] = lists
  if (first === undefined) return {}
  if (others.length === 0) return { [first.keyword]: first.branches }
  return { allOf: lists.map(({ keyword, branches }) => ({ [keyword]: branches })) }
}

function membersOf(node: Keywords, convert: Convert, options: CodeSchemaOptions) {
  // Half of a character is none in any source.
  const canName = (name: string) => name.isWellFormed() && (options.canName?.(name) ?? true)
  const required = [...new Set((Array.isArray(node['required']) ? node['required'] : []).filter(isText))].filter(
    canName,
  )
  const given = isObject(node['properties']) ? node['properties'] : {}
  const named = Object.entries(given).filter(([name, member]) => member !== false && canName(name))
  const unnamed = required.filter((name) => !Object.hasOwn(given, name)).map((name) => [name, true] as const)
  const properties = mapped(Object.fromEntries([...named, ...unnamed]), (_name, member) => convert(member))
  if (Object.keys(properties).length > 0) {
    return {
      properties,
      required: required.filter((name) => Object.hasOwn(properties, name)),
      ...others(node, convert),
    }
  }
  return { additionalProperties: true, ...others(node, convert) }
}

/** What members have that are not named. Said only where somebody said it: an open object is the rule. */
function others(node: Keywords, convert: Convert): Record<string, unknown> {
  const { additionalProperties: rest, patternProperties } = node
  const byPattern = isObject(patternProperties) ? Object.values(patternProperties).filter((one) => one !== false) : []
  const schemas = [...byPattern, ...(isObject(rest) ? [rest] : [])].map(convert)
  if (schemas.length === 0) return rest === true ? { additionalProperties: true } : {}
  return { additionalProperties: schemas.length === 1 ? schemas[0] : { anyOf: schemas } }
}

/** A list of a fixed length is a tuple; any other one has items of all kinds that may come. */
function itemsOf(node: Keywords, convert: Convert, { tuple }: CodeSchemaOptions): Keywords {
  const slots = Array.isArray(node['prefixItems']) ? node['prefixItems'] : []
  const { items, minItems, maxItems } = node
  const isFixed =
    typeof minItems === 'number' && minItems === slots.length && (items === false || maxItems === minItems)
  if (slots.length > 0 && slots.length <= tupleLengthMax && isFixed) return tuple(slots.map(convert))
  const rest = items === false ? [] : [isObject(items) ? items : {}]
  const kinds = [...slots, ...rest].map(convert)
  const [only = {}] = kinds
  return { items: kinds.length < 2 ? only : { anyOf: kinds } }
}

/** `A = A | string` is no type: a definition must not lead to itself without a member or an item in between. */
function refuseEndless(definitions: ReadonlyMap<string, Keywords>): void {
  const done = new Set<string>()
  const open = new Set<string>()
  function follow(name: string): void {
    if (done.has(name)) return
    if (open.has(name)) throw new UnusableSchema('it refers to itself without end')
    open.add(name)
    const definition = definitions.get(name)
    if (definition !== undefined) for (const next of directly(definition)) follow(next)
    open.delete(name)
    done.add(name)
  }
  for (const name of definitions.keys()) follow(name)
}

function* directly(node: Keywords): Iterable<string> {
  const { $ref } = node
  if (typeof $ref === 'string') yield $ref.slice('#/$defs/'.length)
  for (const keyword of ['allOf', 'anyOf']) {
    const branches = node[keyword]
    if (Array.isArray(branches)) for (const branch of branches) if (isObject(branch)) yield* directly(branch)
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
