/**
 * Filters: which events a subscription wants, by their content. This file reads them; `filter-judgement.ts` holds events
 * to them.
 *
 * A filter is a JSON object. Its members are fields with what is asked of them, and `$and`, `$or`, `$not`; all of them
 * must hold. A field is `type`, `keys.<name>`, `data` or `data.<path>`, or the same as a JSON Pointer (RFC 6901) for
 * names with a dot: `/data/a.b/0`. What is asked is an object of operators, or a value, which is short for `$eq`.
 *
 * There are no expressions and no code: every filter is a tree of bounded size, and is judged in bounded time.
 */
import { ExactNumber, type JsonNumber, numberKey } from './exact-number.ts'
import { limits } from './limits.ts'
import type { ProblemPlace } from './problems.ts'
import { type FilterOperator, filterOperators } from './states.ts'

/** Problems told of one filter. */
const problemsMax = 20
/** The exponent of a number to compare with, either way. */
const filterNumberExponentMax = 10_000

/** A filter that was read. Immutable; may be used for any number of events. */
export type Filter = {
  /** The same filter as JSON, without spaces. */
  readonly text: string
  readonly root: FilterClause
}

/** Where to look in an event. `name` is what the field was written as. */
export type FilterField =
  | { readonly name: string; readonly in: 'type' }
  | { readonly name: string; readonly in: 'keys'; readonly key: string }
  | { readonly name: string; readonly in: 'data'; readonly parts: readonly PathPart[] }

/** The name of a member; `index` is its place in an array, if it can be one. */
export type PathPart = { readonly name: string; readonly index: number | undefined }

/** What a value is compared with. */
export type FilterValue = string | boolean | null | JsonNumber

/** `pointer` says where it stands in the filter. */
export type FilterClause =
  | { readonly is: 'all' | 'any'; readonly clauses: readonly FilterClause[]; readonly pointer: string }
  | { readonly is: 'not'; readonly clause: FilterClause; readonly pointer: string }
  | FilterTest

export type FilterTest = {
  readonly is: 'test'
  readonly field: FilterField
  readonly pointer: string
} & Comparison

export type Comparison =
  | { readonly operator: '$eq' | '$ne'; readonly value: FilterValue }
  | { readonly operator: '$gt' | '$gte' | '$lt' | '$lte'; readonly value: string | JsonNumber }
  | { readonly operator: '$in' | '$nin'; readonly values: readonly FilterValue[]; readonly keys: ReadonlySet<unknown> }
  | { readonly operator: '$startsWith' | '$endsWith' | '$contains'; readonly value: string }
  | { readonly operator: '$exists'; readonly value: boolean }

/** What is wrong with a filter: places within it, at most twenty. */
export type FilterProblems = { readonly problems: readonly ProblemPlace[] }

/**
 * Reads a filter.
 *
 * @param json the filter, read by `readExactJson`; read by `JSON.parse`, long numbers are rounded before they come here
 */
export function parseFilter(json: unknown): Filter | FilterProblems {
  const reading: Reading = { problems: [], clauses: 0, depth: 0 }
  // The depth first: printing and reading follow it.
  if (nestsDeeperThan(json, limits.jsonDepthMax)) {
    return { problems: [{ pointer: '', detail: `is nested deeper than ${limits.jsonDepthMax} levels` }] }
  }
  const text = JSON.stringify(json) ?? ''
  const bytes = utf8LengthOf(text)
  if (bytes > limits.filterBytesMax) {
    return { problems: [{ pointer: '', detail: `is ${bytes} bytes; at most ${limits.filterBytesMax} are allowed` }] }
  }
  const root = readClauses(reading, json, '')
  if (reading.clauses > limits.filterClausesMax) {
    problem(reading, '', `has ${reading.clauses} clauses; at most ${limits.filterClausesMax} are allowed`)
  }
  return reading.problems.length > 0 ? { problems: reading.problems.slice(0, problemsMax) } : { text, root }
}

/** A place in JSON, one step further (RFC 6901). */
export function pointerTo(pointer: string, name: string | number): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

type Reading = { readonly problems: ProblemPlace[]; clauses: number; depth: number }

/** Stands for a clause that has a problem. */
const unreadable: FilterClause = { is: 'all', clauses: [], pointer: '' }

function problem(reading: Reading, pointer: string, detail: string): FilterClause {
  reading.problems.push({ pointer, detail })
  return unreadable
}

function readClauses(reading: Reading, json: unknown, pointer: string): FilterClause {
  if (!isObject(json)) {
    return problem(reading, pointer, 'must be an object of fields: type, keys.<name>, data.<path>, $and, $or or $not')
  }
  if (reading.depth > limits.filterDepthMax) {
    return problem(reading, pointer, `is nested deeper than ${limits.filterDepthMax} levels`)
  }
  reading.depth += 1
  const clauses = Object.entries(json).map(([name, asked]) =>
    readMember(reading, name, asked, pointerTo(pointer, name)),
  )
  reading.depth -= 1
  const [only] = clauses
  return clauses.length === 1 && only !== undefined ? only : { is: 'all', clauses, pointer }
}

function readMember(reading: Reading, name: string, asked: unknown, pointer: string): FilterClause {
  if (name === '$and' || name === '$or') return readAlternatives(reading, name, asked, pointer)
  if (name === '$not') {
    reading.clauses += 1
    return { is: 'not', clause: readClauses(reading, asked, pointer), pointer }
  }
  if (name.startsWith('$')) {
    const known = filterOperators.some((operator) => operator === name)
    return problem(reading, pointer, known ? 'is asked of a field: write {"data.path": {…}}' : unknownOperator)
  }
  const field = fieldOf(name)
  if (typeof field === 'string') return problem(reading, pointer, field)
  return isObject(asked)
    ? readOperators(reading, field, asked, pointer)
    : readComparison(reading, field, { operator: '$eq', asked }, pointer)
}

const unknownOperator = `is no operator; there are ${filterOperators.join(', ')}`

function readAlternatives(reading: Reading, operator: '$and' | '$or', asked: unknown, pointer: string): FilterClause {
  reading.clauses += 1
  if (!Array.isArray(asked) || asked.length === 0) {
    return problem(reading, pointer, 'must be an array of at least one filter')
  }
  const clauses = asked.map((each: unknown, index) => readClauses(reading, each, pointerTo(pointer, index)))
  return { is: operator === '$and' ? 'all' : 'any', clauses, pointer }
}

function readOperators(reading: Reading, field: FilterField, asked: object, pointer: string): FilterClause {
  const entries = Object.entries(asked)
  if (entries.length === 0) return problem(reading, pointer, 'asks for nothing: name an operator, such as $eq')
  if (reading.depth > limits.filterDepthMax) {
    return problem(reading, pointer, `is nested deeper than ${limits.filterDepthMax} levels`)
  }
  reading.depth += 1
  const clauses = entries.map(([name, value]: [string, unknown]) => {
    const place = pointerTo(pointer, name)
    const operator = filterOperators.find((each) => each === name)
    if (operator === undefined) {
      return problem(reading, place, name.startsWith('$') ? unknownOperator : notAnOperator)
    }
    if (operator !== '$not') return readComparison(reading, field, { operator, asked: value }, place)
    reading.clauses += 1
    if (!isObject(value)) return problem(reading, place, 'must be an object of operators; use $ne for a value')
    return { is: 'not', clause: readOperators(reading, field, value, place), pointer: place } as const
  })
  reading.depth -= 1
  const [only] = clauses
  return clauses.length === 1 && only !== undefined ? only : { is: 'all', clauses, pointer }
}

const notAnOperator = 'is no operator: a field below another one is written with its path, such as data.customer.id'

function readComparison(
  reading: Reading,
  field: FilterField,
  { operator, asked }: { operator: FilterOperator; asked: unknown },
  pointer: string,
): FilterClause {
  reading.clauses += 1
  const comparison = comparisonOf(reading, field, operator, asked, pointer)
  return comparison === undefined ? unreadable : { is: 'test', field, pointer, ...comparison }
}

/** `undefined` when a problem was told. */
function comparisonOf(
  reading: Reading,
  field: FilterField,
  operator: FilterOperator,
  asked: unknown,
  pointer: string,
): Comparison | undefined {
  switch (operator) {
    case '$eq':
    case '$ne': {
      const value = readValue(reading, field, asked, pointer)
      return value === undefined ? undefined : { operator, value }
    }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte': {
      const value = readValue(reading, field, asked, pointer)
      if (value === undefined) return undefined
      if (value !== null && typeof value !== 'boolean') return { operator, value }
      break
    }
    case '$in':
    case '$nin':
      return valuesOf(reading, field, operator, asked, pointer)
    case '$startsWith':
    case '$endsWith':
    case '$contains': {
      const value = readValue(reading, field, asked, pointer)
      if (value === undefined) return undefined
      if (typeof value === 'string' && value !== '') return { operator, value }
      problem(reading, pointer, 'must be a text that is not empty')
      return undefined
    }
    case '$exists':
      if (typeof asked === 'boolean') return { operator, value: asked }
      problem(reading, pointer, 'must be true or false')
      return undefined
    default:
      problem(reading, pointer, 'takes whole filters: write it beside the fields, not below one')
      return undefined
  }
  problem(reading, pointer, 'must be a number or a text: only they have an order')
  return undefined
}

function valuesOf(
  reading: Reading,
  field: FilterField,
  operator: '$in' | '$nin',
  asked: unknown,
  pointer: string,
): Comparison | undefined {
  if (!Array.isArray(asked) || asked.length === 0 || asked.length > limits.filterValuesMax) {
    problem(reading, pointer, `must be an array of 1 to ${limits.filterValuesMax} values`)
    return undefined
  }
  const values = asked.map((each: unknown, index) => readValue(reading, field, each, pointerTo(pointer, index)))
  const good = values.filter((value): value is FilterValue => value !== undefined)
  if (good.length < values.length) return undefined
  return { operator, values: good, keys: new Set(good.map(equalityKey)) }
}

/** What two values have in common exactly when they are equal. An `ExactNumber` is never equal to a plain number. */
export function equalityKey(value: FilterValue): unknown {
  return value instanceof ExactNumber
    ? `number ${numberKey(value)}`
    : typeof value === 'string'
      ? `text ${value}`
      : value
}

function readValue(reading: Reading, field: FilterField, asked: unknown, pointer: string): FilterValue | undefined {
  const fault = faultOfValue(field, asked)
  if (fault === undefined) return asked as FilterValue // what has no fault is one
  problem(reading, pointer, fault)
  return undefined
}

function faultOfValue(field: FilterField, asked: unknown): string | undefined {
  if (asked !== null && typeof asked === 'object' && !(asked instanceof ExactNumber)) {
    return 'must be a text, a number, true, false or null: arrays and objects are not compared as a whole'
  }
  if (field.in !== 'data' && typeof asked !== 'string') return `must be a text: ${field.name} is one`
  if (typeof asked === 'string') {
    if (asked.length > limits.filterValueLengthMax) {
      return `is longer than ${limits.filterValueLengthMax} characters`
    }
    return isStorable(asked) ? undefined : unstorable
  }
  if (asked instanceof ExactNumber) {
    const isLong = asked.text.length > limits.filterValueLengthMax
    return isLong || Math.abs(asked.decimal.magnitude) > filterNumberExponentMax ? 'is too large a number' : undefined
  }
  return typeof asked === 'number' && !Number.isFinite(asked) ? 'is too large a number' : undefined
}

/** The field of a name, or what is wrong with it. */
function fieldOf(name: string): FilterField | string {
  if (name.length > limits.filterPathLengthMax) return `is longer than ${limits.filterPathLengthMax} characters`
  if (!isStorable(name)) return unstorable
  if (name === 'type' || name === '/type') return { name, in: 'type' }
  if (name.startsWith('keys.')) return keyField(name, name.slice('keys.'.length))
  if (name.startsWith('/keys/')) {
    const key = unescaped(name.slice('/keys/'.length))
    return key === undefined || key.includes('/') ? noField : keyField(name, key)
  }
  if (name === 'data' || name === '/data') return { name, in: 'data', parts: [] }
  if (name.startsWith('data.')) {
    const parts = name.slice('data.'.length).split('.')
    return parts.includes('') ? `has an empty part; as a JSON Pointer it may: ${pointerForm}` : dataField(name, parts)
  }
  if (name.startsWith('/data/')) {
    const parts = name.slice('/data/'.length).split('/').map(unescaped)
    const good = parts.filter((part) => part !== undefined)
    return good.length < parts.length
      ? 'is no JSON Pointer: ~ is written ~0, and / is written ~1'
      : dataField(name, good)
  }
  return noField
}

const pointerForm = '/data/a.b/0'
const noField = `is no field: write type, keys.<name>, data, data.<path>, or a JSON Pointer such as ${pointerForm}`

function keyField(name: string, key: string): FilterField | string {
  return key === '' ? 'names no key: write keys.<name>' : { name, in: 'keys', key }
}

function dataField(name: string, parts: readonly string[]): FilterField | string {
  if (parts.length > limits.filterPathPartsMax) return `has more than ${limits.filterPathPartsMax} parts`
  return { name, in: 'data', parts: parts.map((part) => ({ name: part, index: indexOf(part) })) }
}

/** RFC 6901 §4: no sign, no leading zero. */
function indexOf(part: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,8})$/.test(part) ? Number(part) : undefined
}

function unescaped(part: string): string | undefined {
  return /~(?![01])/.test(part) ? undefined : part.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** PostgreSQL keeps neither U+0000 nor half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

const unstorable = 'contains U+0000 or half of a surrogate pair, which is no text'

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof ExactNumber)
}

/** Without recursion, because nobody has looked at the value before. */
function nestsDeeperThan(json: unknown, depthMax: number): boolean {
  let level: unknown[] = [json]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) return true
    level = level.flatMap((each) =>
      each !== null && typeof each === 'object' && !(each instanceof ExactNumber) ? Object.values(each) : [],
    )
  }
  return false
}

function utf8LengthOf(text: string): number {
  return new TextEncoder().encode(text).length
}
