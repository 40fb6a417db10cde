/**
 * What a JSON Schema 2020-12 declares at one place in the data: which types and values, which members, which items.
 *
 * A place is a formula over nodes of the schema: all of some apply, or one of several. Nothing is multiplied out, so it
 * stays as small as the schema is, and what several branches say is read generously: a member that one variant declares
 * is declared. What only narrows in ways that cannot be told cheaply (`not`, `if`) narrows nothing here.
 *
 * Bounded: every step is counted, and `TooComplex` ends what would run for long.
 */
import {
  canonical,
  isObject,
  type Keywords,
  type ObservedType,
  observedTypes,
  schemaDocument,
  TooComplex,
} from '@posthorn/contract'
import { type LinearPattern, linearPattern, PatternRefused } from '@posthorn/json-schema'

/** The values of one type that a place may have, by their canonical text. */
export type Values = ReadonlyMap<string, unknown> | 'any'

export type Declared = {
  /** The schema says nothing of what may be here. */
  readonly isFree: boolean
  /** Types that it may have, with their values. */
  readonly allowed: ReadonlyMap<ObservedType, Values>
  /** Members by name, in the order of the schema. */
  readonly members: ReadonlyMap<string, Declared>
  readonly required: ReadonlySet<string>
  /** What a member is that has no name in the schema, where it declares a map; undefined where none of this name may be. */
  member(name: string): Declared | undefined
  readonly items: Declared | undefined
}

/** Steps in all. What ordinary schemas of 64 KiB take is a tenth of it. */
const stepsMax = 100_000

type Formula =
  | { readonly kind: 'node'; readonly node: Keywords }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Formula[] }
  /** It may declare members, and narrows nothing. */
  | { readonly kind: 'maybe'; readonly of: readonly Formula[] }

const anything: Formula = { kind: 'all', of: [] }
const nothing: Formula = { kind: 'any', of: [] }
const scalars = ['null', 'boolean', 'integer', 'number', 'string'] as const

/** @throws TooComplex, also later from what it answers with */
export function declaredBy(schema: unknown): Declared {
  let steps = 0
  const step = () => {
    steps += 1
    if (steps > stepsMax) throw new TooComplex()
  }
  const document = schemaDocument(schema, step)
  const formulas = new WeakMap<object, Formula>()
  const places = new WeakMap<Formula, Declared>()
  const patterns = new Map<string, LinearPattern | undefined>()

  function formulaOf(node: unknown, open: Set<unknown> = new Set()): Formula {
    step()
    if (node === false) return nothing
    // What refers to itself without going deeper into the data says nothing more.
    if (!isObject(node) || open.has(node)) return anything
    const known = formulas.get(node)
    if (known !== undefined) return known
    open.add(node)
    const inner = (one: unknown) => formulaOf(one, open)
    const of: Formula[] = [{ kind: 'node', node }]
    for (const name of ['$ref', '$dynamicRef']) {
      const reference = node[name]
      if (typeof reference === 'string') of.push(inner(document.resolve(reference)))
    }
    of.push(...listOf(node['allOf']).map(inner))
    for (const name of ['anyOf', 'oneOf']) {
      if (Array.isArray(node[name])) of.push({ kind: 'any', of: listOf(node[name]).map(inner) })
    }
    const perhaps = [node['if'], node['then'], node['else'], ...Object.values(objectOf(node['dependentSchemas']))]
    const maybe = perhaps.filter(isObject).map(inner)
    if (maybe.length > 0) of.push({ kind: 'maybe', of: maybe })
    open.delete(node)
    const [only] = of
    const formula: Formula = of.length === 1 && only !== undefined ? only : { kind: 'all', of }
    formulas.set(node, formula)
    return formula
  }

  /** Works out something of a formula, each part of it once. */
  function memoized<T>(work: (formula: Formula) => T): (formula: Formula) => T {
    const known = new WeakMap<Formula, T>()
    return (formula) => {
      if (known.has(formula)) return known.get(formula) as T // it was set below
      step()
      const worked = work(formula)
      known.set(formula, worked)
      return worked
    }
  }

  const isFree: (formula: Formula) => boolean = memoized((formula) => {
    switch (formula.kind) {
      case 'node':
        return !Object.keys(formula.node).some((name) => telling.has(name))
      case 'all':
        return formula.of.every(isFree)
      case 'any':
        return formula.of.some(isFree)
      case 'maybe':
        return true
    }
  })

  const allowed: (formula: Formula) => ReadonlyMap<ObservedType, Values> = memoized((formula) => {
    switch (formula.kind) {
      case 'node':
        return allowedByNode(formula.node)
      case 'all':
        return formula.of.map(allowed).reduce(both, everyType)
      case 'any':
        return formula.of.map(allowed).reduce(either, new Map())
      case 'maybe':
        return everyType
    }
  })

  const members: (formula: Formula) => ReadonlyMap<string, Formula> = memoized((formula) => {
    if (formula.kind === 'node') {
      const named = Object.entries(objectOf(formula.node['properties'])).filter(([, schema]) => schema !== false)
      return new Map(named.map(([name, schema]) => [name, formulaOf(schema)]))
    }
    const found = new Map<string, Formula[]>()
    for (const one of formula.of) {
      for (const [name, member] of members(one)) {
        step()
        const of = found.get(name)
        if (of === undefined) found.set(name, [member])
        else of.push(member)
      }
    }
    return new Map([...found].map(([name, of]) => [name, joined(formula.kind === 'all' ? 'all' : 'any', of)]))
  })

  const required: (formula: Formula) => ReadonlySet<string> = memoized((formula) => {
    switch (formula.kind) {
      case 'node':
        return new Set(listOf(formula.node['required']).filter((name) => typeof name === 'string'))
      case 'all':
        return new Set(formula.of.flatMap((one) => [...required(one)]))
      case 'any': {
        const [first = new Set<string>(), ...others] = formula.of.map(required)
        return new Set([...first].filter((name) => others.every((one) => one.has(name))))
      }
      case 'maybe':
        return new Set()
    }
  })

  /** What stands behind names that the schema does not say, each with the patterns of which one must fit. */
  const others: (formula: Formula) => readonly { pattern: string | undefined; formula: Formula }[] = memoized(
    (formula) => {
      if (formula.kind !== 'node') return formula.of.flatMap(others)
      const { node } = formula
      const found: { pattern: string | undefined; formula: Formula }[] = []
      for (const [pattern, schema] of Object.entries(objectOf(node['patternProperties']))) {
        if (schema !== false) found.push({ pattern, formula: formulaOf(schema) })
      }
      for (const name of ['additionalProperties', 'unevaluatedProperties']) {
        const schema = node[name]
        // Said of an object without members of its own, `true` makes a map of anything; otherwise it only allows more.
        const isMap = isObject(schema) || (schema === true && node['properties'] === undefined)
        if (isMap) found.push({ pattern: undefined, formula: formulaOf(schema) })
      }
      return found
    },
  )

  const items: (formula: Formula) => Formula | undefined = memoized((formula) => {
    const found: Formula[] = []
    if (formula.kind === 'node') {
      const { node } = formula
      for (const schema of [...listOf(node['prefixItems']), node['items'], node['unevaluatedItems']]) {
        if (schema !== undefined && schema !== false) found.push(formulaOf(schema))
      }
    } else {
      found.push(...formula.of.map(items).filter((one) => one !== undefined))
    }
    if (found.length === 0) return undefined
    // Where places in a list differ, what is asked of one is not asked of the next.
    return joined(formula.kind === 'all' && !isTuple(formula) ? 'all' : 'any', found)
  })

  const isTuple: (formula: Formula) => boolean = memoized((formula) =>
    formula.kind === 'node' ? Array.isArray(formula.node['prefixItems']) : formula.of.some(isTuple),
  )

  function fits(pattern: string | undefined, name: string): boolean {
    if (pattern === undefined) return true
    if (!patterns.has(pattern)) patterns.set(pattern, compiled(pattern))
    // One that cannot be told is taken to fit: nothing is called undeclared on a guess.
    return patterns.get(pattern)?.test(name) ?? true
  }

  function declared(formula: Formula): Declared {
    const known = places.get(formula)
    if (known !== undefined) return known
    let named: ReadonlyMap<string, Declared> | undefined
    const place: Declared = {
      isFree: isFree(formula),
      allowed: allowed(formula),
      required: required(formula),
      get members() {
        named ??= new Map([...members(formula)].map(([name, member]) => [name, declared(member)]))
        return named
      },
      member(name) {
        const found = others(formula).filter((one) => fits(one.pattern, name))
        if (found.length === 0) return undefined
        // All members of a map are one place, whatever their names.
        return declared(mapOf(formula))
      },
      get items() {
        const item = items(formula)
        return item && declared(item)
      },
    }
    places.set(formula, place)
    return place
  }

  const mapOf = memoized((formula) =>
    joined(
      'any',
      others(formula).map((one) => one.formula),
    ),
  )

  return declared(formulaOf(schema))
}

/** The type of a value as it is told here. */
export function observedTypeOf(value: unknown): ObservedType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return typeof value as 'boolean' | 'string'
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number'
    default:
      return 'object'
  }
}

/** The values of the scalars that a place may have; undefined when a scalar of any value may stand there. */
export function listedValues({ allowed }: Declared): ReadonlyMap<string, unknown> | undefined {
  const listed = new Map<string, unknown>()
  let isListed = false
  for (const type of scalars) {
    const values = allowed.get(type)
    // Null beside a list of values is one more of them.
    if (values === 'any' && type !== 'null') return undefined
    if (values === undefined || values === 'any') continue
    isListed ||= type !== 'null'
    for (const [text, value] of values) listed.set(text, value)
  }
  return isListed ? listed : undefined
}

/** Keywords by which a schema says what may be at its place. */
const telling = new Set([
  'type', 'enum', 'const', 'properties', 'required', 'patternProperties', 'additionalProperties', 'propertyNames',
  'minProperties', 'maxProperties', 'unevaluatedProperties', 'items', 'prefixItems', 'contains', 'unevaluatedItems',
]) // biome-ignore format: one list

const everyType: ReadonlyMap<ObservedType, Values> = new Map(observedTypes.map((type) => [type, 'any']))

function allowedByNode(node: Keywords): ReadonlyMap<ObservedType, Values> {
  let result = everyType
  if (node['type'] !== undefined) {
    const given = (Array.isArray(node['type']) ? node['type'] : [node['type']]) as readonly unknown[]
    const types = observedTypes.filter(
      (type) => given.includes(type) || (type === 'integer' && given.includes('number')),
    )
    result = new Map(types.map((type) => [type, 'any']))
  }
  if (Array.isArray(node['enum'])) result = both(result, byType(node['enum']))
  if (Object.hasOwn(node, 'const')) result = both(result, byType([node['const']]))
  return result
}

function byType(values: readonly unknown[]): ReadonlyMap<ObservedType, Values> {
  const found = new Map<ObservedType, Map<string, unknown>>()
  for (const value of values) {
    const type = observedTypeOf(value)
    const ofType = found.get(type) ?? new Map<string, unknown>()
    found.set(type, ofType.set(canonical(value), value))
  }
  return found
}

type Allowed = ReadonlyMap<ObservedType, Values>

function both(a: Allowed, b: Allowed): Allowed {
  const result = new Map<ObservedType, Values>()
  for (const [type, values] of a) {
    const others = b.get(type)
    if (others === undefined) continue
    if (values === 'any' || others === 'any') result.set(type, values === 'any' ? others : values)
    else {
      const common = new Map([...values].filter(([text]) => others.has(text)))
      if (common.size > 0) result.set(type, common)
    }
  }
  return result
}

function either(a: Allowed, b: Allowed): Allowed {
  const result = new Map(a)
  for (const [type, values] of b) {
    const others = a.get(type)
    if (others === undefined || values === 'any') result.set(type, values)
    else if (others !== 'any') result.set(type, new Map([...others, ...values]))
  }
  return result
}

function joined(kind: 'all' | 'any', of: readonly Formula[]): Formula {
  const [only] = of
  return of.length === 1 && only !== undefined ? only : { kind, of }
}

function compiled(pattern: string): LinearPattern | undefined {
  try {
    return linearPattern(pattern)
  } catch (error) {
    if (error instanceof PatternRefused) return undefined
    throw error
  }
}

function objectOf(value: unknown): Keywords {
  return isObject(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
