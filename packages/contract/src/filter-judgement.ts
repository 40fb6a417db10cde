/**
 * Holds events to filters, and says which clause of a filter an event does not fulfil.
 *
 * The rules: a path through an array holds if it does for any element; a number in a path is a place in an array, or a
 * member's name in an object; a field that ends at an array is compared with each of its elements. Values of two kinds
 * are never equal and have no order; texts are ordered by their UTF-16 units, numbers exactly. `$ne`, `$nin` and `$not`
 * are the opposite of what they name, so they hold where there is nothing. `null` is a value, and not the same as nothing.
 *
 * Cost: one step for each value looked at, and one for each 32 characters searched. When the steps are used up the event
 * counts as matched: what cannot be judged is delivered, because an event too many does less harm than one too few.
 * Nothing is recursive but the clauses, whose depth is limited.
 */
import { compareNumbers, ExactNumber, readExactJson } from './exact-number.ts'
import {
  equalityKey,
  type Filter,
  type FilterClause,
  type FilterField,
  type FilterTest,
  type FilterValue,
} from './filter.ts'
import { limits } from './limits.ts'

/** Characters that are searched in one step. */
const charactersPerStep = 32
/** What is shown of the values that were found. */
const foundValuesMax = 3
const foundLengthMax = 80
/** What is shown of a value that a filter compares with. */
const shownLengthMax = 60

/** An event, as filters look at it. */
export type FilterSubject = {
  readonly type: string
  readonly keys: Readonly<Record<string, string>>
  /** The data, read by `readExactJson`; called only when a filter looks at it. */
  readonly data: () => unknown
}

export type FilterJudgement = {
  readonly matches: boolean
  /** The steps were used up before the filter was judged, so it counts as matched. */
  readonly unfinished: boolean
  /** The clause that the event does not fulfil; the first one, where several are not. */
  readonly failed?: FailedClause
}

export type FailedClause = {
  /** Where the clause stands in the filter, as a JSON Pointer. */
  readonly pointer: string
  /** In words, without what the event holds. */
  readonly detail: string
  /** What the event holds there, as JSON, shortened; null when it holds nothing, or the clause is of several fields. */
  readonly found: string | null
}

/** Reads the data of an event when it is first looked at, and only once. */
export function filterSubject(event: {
  type: string
  keys: Readonly<Record<string, string>>
  /** Valid JSON. */
  data: string
}): FilterSubject {
  let read: { value: unknown } | undefined
  return {
    type: event.type,
    keys: event.keys,
    data: () => {
      read ??= { value: readExactJson(event.data) }
      return read.value
    },
  }
}

/** The steps that each of several filters may take for one event. */
export function filterSteps(filters: number): number {
  return Math.floor(limits.filterStepsPerEventMax / Math.max(1, filters))
}

/** Whether an event fulfils a filter, as `explainFilter` would say. */
export function matchesFilter(filter: Filter, subject: FilterSubject, steps = filterSteps(1)): boolean {
  const judged = judge(filter, subject, steps)
  return judged === undefined || judged === 'unfinished'
}

/** Whether an event fulfils a filter, and if not, why. */
export function explainFilter(filter: Filter, subject: FilterSubject, steps = filterSteps(1)): FilterJudgement {
  const judged = judge(filter, subject, steps)
  if (judged === undefined) return { matches: true, unfinished: false }
  if (judged === 'unfinished') return { matches: true, unfinished: true }
  return { matches: false, unfinished: false, failed: failedClause(judged, subject) }
}

type Budget = { left: number }

/** Ends a judgement whose steps are used up. Never leaves this file. */
class StepsUsedUp extends Error {
  override readonly name = 'StepsUsedUp'
}

/** One for all: making an error costs more than many steps. */
const stepsUsedUp = new StepsUsedUp()

/** The clause that is not fulfilled, or `undefined`. */
function judge(filter: Filter, subject: FilterSubject, steps: number): FilterClause | undefined | 'unfinished' {
  try {
    return unfulfilled(filter.root, subject, { left: steps })
  } catch (error) {
    if (error === stepsUsedUp) return 'unfinished'
    throw error
  }
}

function unfulfilled(clause: FilterClause, subject: FilterSubject, budget: Budget): FilterClause | undefined {
  switch (clause.is) {
    case 'all':
      for (const each of clause.clauses) {
        const failed = unfulfilled(each, subject, budget)
        if (failed !== undefined) return failed
      }
      return undefined
    case 'any':
      return clause.clauses.some((each) => unfulfilled(each, subject, budget) === undefined) ? undefined : clause
    case 'not':
      return unfulfilled(clause.clause, subject, budget) === undefined ? clause : undefined
    case 'test':
      return isFulfilled(clause, subject, budget) ? undefined : clause
  }
}

function isFulfilled(test: FilterTest, subject: FilterSubject, budget: Budget): boolean {
  switch (test.operator) {
    case '$exists':
      return someValue(test.field, subject, budget, () => true) === test.value
    case '$ne':
      return !someValue(test.field, subject, budget, (value) => isEqual(value, test.value))
    case '$nin':
      return !someValue(test.field, subject, budget, (value) => isScalar(value) && test.keys.has(equalityKey(value)))
    case '$in':
      return someValue(test.field, subject, budget, (value) => isScalar(value) && test.keys.has(equalityKey(value)))
    case '$eq':
      return someValue(test.field, subject, budget, (value) => isEqual(value, test.value))
    case '$contains':
      return someValue(test.field, subject, budget, (value) => {
        if (typeof value !== 'string') return false
        spend(budget, Math.floor(value.length / charactersPerStep))
        return value.includes(test.value)
      })
    case '$startsWith':
      return someValue(
        test.field,
        subject,
        budget,
        (value) => typeof value === 'string' && value.startsWith(test.value),
      )
    case '$endsWith':
      return someValue(test.field, subject, budget, (value) => typeof value === 'string' && value.endsWith(test.value))
    default:
      return someValue(test.field, subject, budget, (value) => isInOrder(value, test.operator, test.value))
  }
}

/**
 * Whether a field has a value for which `accept` says yes: each value that its path leads to, the arrays themselves and
 * then their elements. A value is visited once at the most, so the cost is that of the data.
 */
function someValue(
  field: FilterField,
  subject: FilterSubject,
  budget: Budget,
  accept: (value: unknown) => boolean,
): boolean {
  spend(budget, 1)
  if (field.in === 'type') return accept(subject.type)
  if (field.in === 'keys') return Object.hasOwn(subject.keys, field.key) && accept(subject.keys[field.key])
  const { parts } = field
  const values: unknown[] = [subject.data()]
  const places: number[] = [0]
  while (values.length > 0) {
    const value = values.pop()
    const place = places.pop() ?? 0
    const part = parts[place]
    if (part === undefined && accept(value)) return true
    if (Array.isArray(value)) {
      if (part?.index !== undefined) {
        spend(budget, 1)
        if (part.index >= value.length) continue
        values.push(value[part.index])
        places.push(place + 1)
        continue
      }
      spend(budget, value.length)
      // Most elements are no containers: they are looked at here, and not put aside first.
      if (part === undefined && value.some((element) => isScalar(element) && accept(element))) return true
      // From the end, so that the first element is looked at first.
      for (let at = value.length - 1; at >= 0; at -= 1) {
        if (isScalar(value[at])) continue
        values.push(value[at])
        places.push(place)
      }
    } else if (part !== undefined && isObject(value) && Object.hasOwn(value, part.name)) {
      spend(budget, 1)
      values.push(Reflect.get(value, part.name))
      places.push(place + 1)
    }
  }
  return false
}

function spend(budget: Budget, steps: number): void {
  budget.left -= steps
  if (budget.left < 0) throw stepsUsedUp
}

function isEqual(value: unknown, other: FilterValue): boolean {
  if (value instanceof ExactNumber) return other instanceof ExactNumber && compareNumbers(value, other) === 0
  return value === other
}

function isInOrder(value: unknown, operator: '$gt' | '$gte' | '$lt' | '$lte', other: FilterValue): boolean {
  const order = orderOf(value, other)
  if (order === undefined) return false
  switch (operator) {
    case '$gt':
      return order > 0
    case '$gte':
      return order >= 0
    case '$lt':
      return order < 0
    case '$lte':
      return order <= 0
  }
}

/** `undefined` for values that have no order. */
function orderOf(value: unknown, other: FilterValue): number | undefined {
  if (typeof value === 'string') {
    if (typeof other !== 'string') return undefined
    return value < other ? -1 : value > other ? 1 : 0
  }
  return isNumber(value) && isNumber(other) ? compareNumbers(value, other) : undefined
}

function isNumber(value: unknown): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber
}

function isScalar(value: unknown): value is FilterValue {
  return value === null || typeof value !== 'object' || value instanceof ExactNumber
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !(value instanceof ExactNumber)
}

function failedClause(clause: FilterClause, subject: FilterSubject): FailedClause {
  const { pointer } = clause
  if (clause.is !== 'test') return { pointer, detail: wordsOfGroup(clause), found: null }
  const found = foundValues(clause.field, subject)
  const { name } = clause.field
  const nothing = found === null && !(clause.operator === '$exists' && clause.value)
  return {
    pointer,
    detail: nothing ? `there is no ${name}, so it ${wordsOf(clause)}` : `${name} ${wordsOf(clause)}`,
    found,
  }
}

function wordsOfGroup(clause: Exclude<FilterClause, FilterTest>): string {
  if (clause.is === 'any') return `none of its ${clause.clauses.length} alternatives is fulfilled`
  return clause.is === 'not' ? 'what it excludes is the case' : 'not all of it is fulfilled'
}

/** What a field does that its test does not allow. */
function wordsOf(test: FilterTest): string {
  switch (test.operator) {
    case '$eq':
      return `is not ${shown(test.value)}`
    case '$ne':
      return `is ${shown(test.value)}`
    case '$gt':
      return `is not greater than ${shown(test.value)}`
    case '$gte':
      return `is not ${shown(test.value)} or greater`
    case '$lt':
      return `is not less than ${shown(test.value)}`
    case '$lte':
      return `is not ${shown(test.value)} or less`
    case '$in':
      return `is none of the ${test.values.length} values`
    case '$nin':
      return `is one of the ${test.values.length} values`
    case '$startsWith':
      return `does not start with ${shown(test.value)}`
    case '$endsWith':
      return `does not end with ${shown(test.value)}`
    case '$contains':
      return `does not contain ${shown(test.value)}`
    case '$exists':
      return test.value ? 'does not exist' : 'exists'
  }
}

function shown(value: FilterValue): string {
  return cut(JSON.stringify(value), shownLengthMax)
}

/** The first values that a field has, without the arrays around them unless they are empty. */
function foundValues(field: FilterField, subject: FilterSubject): string | null {
  const found: string[] = []
  let more = false
  const look = (value: unknown): boolean => {
    if (Array.isArray(value) && value.length > 0) return false
    if (found.length === foundValuesMax) {
      more = true
      return true
    }
    found.push(printed(value))
    return false
  }
  try {
    someValue(field, subject, { left: filterSteps(1) }, look)
  } catch (error) {
    if (error !== stepsUsedUp) throw error
    more = true
  }
  if (found.length === 0) return null
  return cut(more ? `${found.join(', ')}, …` : found.join(', '), foundLengthMax)
}

/** Objects and arrays are named, not printed: they may be large. */
function printed(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value, foundLengthMax))
  if (isScalar(value)) return JSON.stringify(value)
  return Array.isArray(value) ? '[]' : '{…}'
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1).toWellFormed()}…`
}
