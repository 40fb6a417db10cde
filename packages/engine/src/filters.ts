/**
 * Filters of subscriptions as they are given, stored and used. What they mean stands in the contract, so that every
 * interface means the same.
 */
import { type Filter, Problem, parseFilter, readExactJson } from '@posthorn/contract'

/** Filters kept ready. One of the largest size costs some 50 KiB, a usual one 2 KiB. */
const filtersMax = 1_000

/** Reads stored filters. Remembers the most recently used ones by their text. */
export type FilterReader = (text: string) => Filter | undefined

/** One a publisher: the same filters come again with every event. */
export function createFilterReader(): FilterReader {
  const filters = new Map<string, Filter | undefined>()
  return (text) => {
    const isKnown = filters.has(text)
    const filter = isKnown ? filters.get(text) : storedFilter(text)
    // Deleting and setting again moves a filter to the young end of the map.
    if (isKnown) filters.delete(text)
    filters.set(text, filter)
    const oldest = filters.keys().next()
    if (filters.size > filtersMax && !oldest.done) filters.delete(oldest.value)
    return filter
  }
}

/**
 * Reads a filter that was stored. `undefined` when it is none any more, because the rules have changed since: then it
 * filters nothing, and what its subscription wants is delivered.
 */
export function storedFilter(text: string): Filter | undefined {
  const read = parseFilter(readExactJson(text))
  return 'problems' in read ? undefined : read
}

/**
 * Reads a filter that a caller gives, for keeping or for trying.
 *
 * @param text JSON, as it was written
 * @param pointer where it stands in the request
 * @throws Problem `invalid_filter` with the places
 */
export function givenFilter(text: string, pointer: string): Filter {
  const read = parseFilter(readExactJson(text))
  if (!('problems' in read)) return read
  const errors = read.problems.map((place) => ({ pointer: pointer + place.pointer, detail: place.detail }))
  const [first] = errors
  throw new Problem('invalid_filter', `${first?.pointer.slice(1)} ${first?.detail}.`, { errors })
}
