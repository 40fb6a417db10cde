/**
 * One JSON Schema 2020-12 as a set of alternatives. A node is what it says together with what it refers to: `$ref` and
 * `allOf` are followed, `anyOf` and `oneOf` are multiplied out, and a list of types is taken apart, until each alternative
 * is of one type and holds nothing but keywords that all apply at once.
 *
 * `oneOf` is read as `anyOf`: a receiver takes the first branch that fits. References stay in the document, as they must
 * (docs/decisions/0013); one that leads nowhere says nothing.
 *
 * Bounded: every step is counted, and `TooComplex` ends what would run for long.
 */

/** Alternatives of one node; more are not compared. */
const alternativesMax = 64

export const jsonTypes = ['null', 'boolean', 'number', 'string', 'array', 'object'] as const
export type JsonType = (typeof jsonTypes)[number]

/** A schema whose keywords can be read: an object of JSON. */
export type Keywords = Readonly<Record<string, unknown>>

/** What data of one type has to keep to: all of it. */
export type Alternative = {
  type: JsonType
  /** A number without a fraction. */
  integer: boolean
  parts: readonly Keywords[]
  /** The only values there are, by their canonical text; undefined for any. */
  values: ReadonlyMap<string, unknown> | undefined
}

/** It would take too long to compare these schemas. */
export class TooComplex extends Error {
  override readonly name = 'TooComplex'
  readonly code = 'too_complex'
}

export type SchemaDocument = {
  readonly root: unknown
  /** The alternatives of the conjunction of some nodes of this document. None: nothing fits. */
  alternatives(nodes: readonly unknown[]): Alternative[]
  /** The schema that a reference leads to, undefined for none. */
  resolve(reference: string): unknown
}

/** @param step called once for each step; throws `TooComplex` when there were too many */
export function schemaDocument(root: unknown, step: () => void): SchemaDocument {
  const resolved = new Map<string, unknown>()
  let anchors: Map<string, unknown> | undefined

  function resolve(reference: string): unknown {
    if (!resolved.has(reference)) resolved.set(reference, find(reference))
    return resolved.get(reference)
  }

  function find(reference: string): unknown {
    if (!reference.startsWith('#')) return undefined
    const fragment = decoded(reference.slice(1))
    if (fragment === undefined) return undefined
    if (fragment === '') return root
    if (fragment.startsWith('/')) return atPointer(root, fragment)
    anchors ??= anchorsOf(root, step)
    return anchors.get(fragment)
  }

  /** Sets of keywords of which one must hold, each set completely. `open` are the nodes that are being looked at. */
  function expand(nodes: readonly unknown[], open: Set<unknown>): Keywords[][] {
    let sets: Keywords[][] = [[]]
    for (const node of nodes) {
      const more = expandOne(node, open)
      if (sets.length * more.length > alternativesMax) throw new TooComplex()
      sets = sets.flatMap((set) => more.map((one) => [...set, ...one]))
    }
    return sets
  }

  function expandOne(node: unknown, open: Set<unknown>): Keywords[][] {
    step()
    if (node === false) return []
    if (!isObject(node)) return [[]]
    // What refers to itself without going deeper into the data has no end.
    if (open.has(node)) throw new TooComplex()
    open.add(node)
    const sets = expandObject(node, open)
    open.delete(node)
    return sets
  }

  function expandObject(node: Keywords, open: Set<unknown>): Keywords[][] {
    const all: unknown[] = []
    for (const name of ['$ref', '$dynamicRef']) {
      const reference = node[name]
      if (typeof reference === 'string') all.push(resolve(reference))
    }
    if (Array.isArray(node['allOf'])) all.push(...node['allOf'])
    let sets = expand(all, open).map((set) => [node, ...set])
    for (const name of ['anyOf', 'oneOf']) {
      const branches = node[name]
      if (!Array.isArray(branches)) continue
      const more = listsTogether(branches).flatMap((branch) => expandOne(branch, open))
      if (sets.length * more.length > alternativesMax) throw new TooComplex()
      sets = sets.flatMap((set) => more.map((one) => [...set, ...one]))
    }
    return sets
  }

  return {
    root,
    resolve,
    alternatives: (nodes) => mergeValues(expand(nodes, new Set()).flatMap((parts) => byType(parts))),
  }
}

export function isObject(value: unknown): value is Keywords {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** A number for each node, the same one for the same node. */
export function numbering(): (node: unknown) => number {
  const objects = new Map<unknown, number>()
  return (node) => {
    const number = objects.get(node) ?? objects.size
    objects.set(node, number)
    return number
  }
}

/** JSON with the members of every object in one order: equal texts are equal values. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'boolean' || type === 'number' || type === 'string' ? type : 'object'
}

function byType(parts: Keywords[]): Alternative[] {
  const values = valuesOf(parts)
  const alternatives: Alternative[] = []
  for (const type of jsonTypes) {
    const allowed = parts.map((part) => allows(part['type'], type))
    if (allowed.includes('no')) continue
    const ofType = values && new Map([...values].filter(([, value]) => typeOf(value) === type))
    if (ofType?.size === 0) continue
    const integer =
      allowed.includes('integer') || (ofType !== undefined && [...ofType.values()].every(Number.isInteger))
    alternatives.push({ type, integer: type === 'number' && integer, parts, values: ofType })
  }
  return alternatives
}

function allows(given: unknown, type: JsonType): 'yes' | 'no' | 'integer' {
  if (given === undefined) return 'yes'
  const types: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (types.includes(type)) return 'yes'
  return type === 'number' && types.includes('integer') ? 'integer' : 'no'
}

/** What `enum` and `const` leave. */
function valuesOf(parts: readonly Keywords[]): Map<string, unknown> | undefined {
  let values: Map<string, unknown> | undefined
  for (const part of parts) {
    const lists: unknown[][] = []
    if (Array.isArray(part['enum'])) lists.push(part['enum'])
    if (Object.hasOwn(part, 'const')) lists.push([part['const']])
    for (const list of lists) {
      const given = new Map(list.map((value) => [canonical(value), value]))
      values = values === undefined ? given : new Map([...values].filter(([text]) => given.has(text)))
    }
  }
  return values
}

/** What says nothing of which values fit. */
const remarks = new Set([
  '$comment', '$defs', '$id', '$schema', '$anchor', '$dynamicAnchor', 'title', 'description', 'examples', 'default',
  'deprecated', 'readOnly', 'writeOnly', 'type', 'enum', 'const', 'x-extensible-enum',
]) // biome-ignore format: one list

/** Made once for each list of branches, so that a part is the same whenever it is met. */
const together = new WeakMap<object, readonly unknown[]>()

/** Branches that only list values are one branch: 200 currencies, each with a title, are no 200 variants. */
function listsTogether(branches: readonly unknown[]): readonly unknown[] {
  const known = together.get(branches)
  if (known !== undefined) return known
  const lists = branches.filter(isList)
  const list = { enum: lists.flatMap(listedIn) }
  const made = lists.length < 2 ? branches : [...branches.filter((branch) => !isList(branch)), list]
  together.set(branches, made)
  return made
}

function isList(branch: unknown): branch is Keywords {
  if (!isObject(branch) || branch['x-extensible-enum'] !== undefined) return false
  return Object.hasOwn(branch, 'const') !== Array.isArray(branch['enum']) && Object.keys(branch).every(isRemarkName)
}

function listedIn(branch: Keywords): unknown[] {
  const given: readonly unknown[] = Array.isArray(branch['enum']) ? branch['enum'] : [branch['const']]
  return given.filter((value) => {
    const allowed = allows(branch['type'], typeOf(value))
    return allowed === 'yes' || (allowed === 'integer' && Number.isInteger(value))
  })
}

/** `oneOf` of constants is one list of values. */
function mergeValues(alternatives: readonly Alternative[]): Alternative[] {
  const lists = new Map<JsonType, Alternative>()
  const merged: Alternative[] = []
  for (const one of alternatives) {
    const { type, integer, parts, values } = one
    const isList =
      values !== undefined && parts.every((part) => Object.keys(part).every((name) => isRemark(part, name)))
    const before = isList ? lists.get(type) : undefined
    if (before === undefined || values === undefined || before.values === undefined) {
      merged.push(one)
      if (isList) lists.set(type, one)
      continue
    }
    before.values = new Map([...before.values, ...values])
    before.integer &&= integer
    before.parts = [...before.parts, ...parts]
  }
  return merged
}

/** What was followed or multiplied out already says nothing more either. */
function isRemark(part: Keywords, name: string): boolean {
  if (name === 'anyOf' || name === 'oneOf' || name === 'allOf') return Array.isArray(part[name])
  return isRemarkName(name) || name === '$ref' || name === '$dynamicRef'
}

function isRemarkName(name: string): boolean {
  return remarks.has(name)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function atPointer(root: unknown, pointer: string): unknown {
  let value = root
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

function anchorsOf(root: unknown, step: () => void): Map<string, unknown> {
  const anchors = new Map<string, unknown>()
  const todo: unknown[] = [root]
  for (let value = todo.pop(); value !== undefined || todo.length > 0; value = todo.pop()) {
    step()
    if (value === null || typeof value !== 'object') continue
    if (isObject(value)) {
      for (const name of ['$anchor', '$dynamicAnchor']) {
        const anchor = value[name]
        if (typeof anchor === 'string' && !anchors.has(anchor)) anchors.set(anchor, value)
      }
    }
    todo.push(...Object.values(value))
  }
  return anchors
}
