/**
 * The one filter grammar, from the words of the wire to what statements and the stream ask of a delivery or an event.
 *
 * The words have been held to their schema. A caller who may see one tenant only is kept to it here, whatever tenants the
 * filter names: ids of other tenants match nothing.
 */
import {
  type AttemptTrigger,
  type DeliveryState,
  type FailureCode,
  type IdNoun,
  limits,
  Problem,
  parseId,
  parseMoment,
  type Uuid,
} from '@posthorn/contract'
import type { DeliveryFilter, HttpStatuses } from './db/sql/filter-conditions.ts'
import { tenantsOf, type Within } from './tenancy.ts'
import { idsWithin, type TimeRange } from './time-range.ts'

/** The words, in either form: of a query, where each has a list, or of a body. */
export type FilterWords = {
  readonly [word: `key.${string}`]: OneOrMore<string> | undefined
  readonly tenant?: OneOrMore<string> | undefined
  readonly subscription?: OneOrMore<string> | undefined
  readonly event_type?: OneOrMore<string> | undefined
  readonly event?: OneOrMore<string> | undefined
  readonly state?: OneOrMore<DeliveryState> | undefined
  readonly failure_code?: OneOrMore<FailureCode> | undefined
  readonly http_status?: OneOrMore<string> | undefined
  readonly trigger?: OneOrMore<AttemptTrigger> | undefined
  readonly replay?: OneOrMore<string> | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}
type OneOrMore<T> = T | readonly T[]

export type FilterReading = {
  /** The only tenant whose objects the caller may see. */
  within: Within
  /** What relative times count from, in Unix milliseconds. */
  nowMs: number
  /** Where a word stands, for refusals: `?since` or `/filter/since`. */
  pointer(word: string): string
}

/** Where a word stands in a query. */
export const inQuery = (word: string): string => `?${word}`

/**
 * Reads a filter.
 *
 * @throws Problem `invalid_request` for a day that the calendar does not have, and for too many different business keys
 */
export function parseListFilter(words: FilterWords, reading: FilterReading): DeliveryFilter {
  const { within } = reading
  return {
    within,
    tenants: tenantsOf(within, listOf(words.tenant)),
    subscriptions: idsOf('subscription', words.subscription),
    events: idsOf('event', words.event),
    eventTypes: listOf(words.event_type),
    states: listOf(words.state),
    failureCodes: listOf(words.failure_code),
    httpStatuses: listOf(words.http_status)?.map(statusesOf),
    triggers: listOf(words.trigger),
    replays: idsOf('replay', words.replay),
    keys: keysOf(words, reading),
    ...idsWithin(timesOf(words, reading)),
  }
}

function listOf<T extends string>(given: OneOrMore<T> | undefined): readonly T[] | undefined {
  if (given === undefined) return undefined
  return typeof given === 'string' ? [given] : given
}

/** An id beyond 128 bits names nothing and is left out. */
function idsOf(noun: IdNoun, given: OneOrMore<string> | undefined): readonly Uuid[] | undefined {
  return listOf(given)?.flatMap((id) => parseId(noun, id) ?? [])
}

/** `503` or `5xx`. */
function statusesOf(text: string): HttpStatuses {
  const from = Number(text.replace('xx', '00'))
  return { from, to: text.endsWith('xx') ? from + 99 : from }
}

const keyPrefix = 'key.'

function keysOf(words: FilterWords, { pointer }: FilterReading): DeliveryFilter['keys'] {
  const keys = Object.entries(words).flatMap(([word, given]) => {
    const values = word.startsWith(keyPrefix) ? listOf(given) : undefined
    return values === undefined ? [] : { name: word.slice(keyPrefix.length), values }
  })
  const tooMany = keys[limits.listFilterKeysMax]
  if (tooMany === undefined) return keys.length === 0 ? undefined : keys
  const detail = `is one business key too many: a filter has ${limits.listFilterKeysMax} at the most`
  const word = keyPrefix + tooMany.name
  throw new Problem('invalid_request', `${word} ${detail}.`, { errors: [{ pointer: pointer(word), detail }] })
}

type TimeReading = Pick<FilterReading, 'nowMs' | 'pointer'>

/**
 * The time that a filter is about.
 *
 * @throws Problem `invalid_request` for a day that the calendar does not have, and for a time that ends before it begins:
 *   nothing is in it, whatever was meant
 */
export function timesOf(words: Pick<FilterWords, 'since' | 'until'>, reading: TimeReading): TimeRange {
  const sinceMs = timeOf('since', words.since, reading)
  const untilMs = timeOf('until', words.until, reading)
  if (sinceMs === undefined || untilMs === undefined || sinceMs <= untilMs) return { sinceMs, untilMs }
  const detail = 'is later than until, so that nothing is in between'
  throw new Problem('invalid_request', `since ${detail}.`, { errors: [{ pointer: reading.pointer('since'), detail }] })
}

/** A time in Unix milliseconds. */
function timeOf(word: string, text: string | undefined, { nowMs, pointer }: TimeReading): number | undefined {
  if (text === undefined) return undefined
  const ms = parseMoment(text, nowMs)
  if (ms !== undefined) return ms
  const detail = 'is not a day of the calendar'
  throw new Problem('invalid_request', `${word} ${detail}.`, { errors: [{ pointer: pointer(word), detail }] })
}
