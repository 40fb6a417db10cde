/**
 * Event type names and the patterns that subscriptions and filters choose them by.
 *
 * A name is dot-separated segments (`invoice.paid`). A pattern is a name in which a whole segment may be `*`; a `*`
 * stands for one or more segments, so `invoice.*` matches `invoice.paid` and `invoice.line.added`, and `*` matches all.
 * No regular expression is made from a caller's text: matching is linear in pattern × name.
 */

import { form } from './forms.ts'

/** JSON-Schema pattern of an event type's name. Length is limited to 128 characters beside it. */
export const eventTypeNamePattern = form(
  '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$',
  'must be the name of an event type: letters, digits, _ and -, with dots between the parts, such as invoice.paid',
)

/** JSON-Schema pattern of an event type pattern. */
export const eventTypePatternPattern = form(
  '^(\\*|[A-Za-z0-9_-]+)(\\.(\\*|[A-Za-z0-9_-]+))*$',
  'must be the name of an event type, in which * stands for one or more whole parts, such as invoice.paid, invoice.* or *',
)

/** Names that begin so are Posthorn's own: nobody else publishes them or changes what is known of them. */
export const reservedEventTypePrefix = 'posthorn.'

/** Whether only Posthorn itself may publish this event type. In any case of letters, so that nothing looks like ours. */
export function isReservedEventType(name: string): boolean {
  return `${name.toLowerCase()}.`.startsWith(reservedEventTypePrefix)
}

/** Whether an event type's name fits a pattern. */
export function matchesEventType(pattern: string, name: string): boolean {
  if (pattern === '*' || pattern === name) return true
  if (!pattern.includes('*')) return false
  return matchesFrom(pattern.split('.'), name.split('.'))
}

/** Whether an event type's name fits one of several patterns. */
export function matchesAnyEventType(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesEventType(pattern, name))
}

/**
 * Greedy matching with one point to go back to: when a segment fails, the last `*` takes one segment more. Earlier
 * stars never need to be revisited, so the cost stays below pattern × name.
 */
function matchesFrom(pattern: readonly string[], name: readonly string[]): boolean {
  let p = 0
  let n = 0
  let lastStar = -1
  let starEnd = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      lastStar = p
      starEnd = n + 1
      p += 1
      n += 1
    } else if (p < pattern.length && pattern[p] === name[n]) {
      p += 1
      n += 1
    } else if (lastStar >= 0) {
      starEnd += 1
      n = starEnd
      p = lastStar + 1
    } else {
      return false
    }
  }
  return p === pattern.length
}
