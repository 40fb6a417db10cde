/**
 * Points in time as a caller writes them: RFC 3339 (`2026-11-23T14:03:00Z`), or in filters also a day (`2026-11-23`, from
 * midnight UTC) or how long ago (`24h`, `7d`).
 */
import { Type } from 'typebox'
import { form } from '../forms.ts'

/** RFC 3339 §5.6, from 1970 on: ids carry their time as an unsigned number. Leap seconds cannot be represented. */
const day = '(19[7-9]\\d|[2-9]\\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])'
const timeOfDay = '[Tt]([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)'
const relative = '\\d{1,6}[smhd]'

const timePattern = form(
  `^${day}${timeOfDay}$`,
  'must be a time with its offset, such as 2026-11-26T09:00:00Z or 2026-11-26T10:00:00+01:00',
)
const momentPattern = form(
  `^(${day}(${timeOfDay})?|${relative})$`,
  'must be a time such as 2026-11-26T09:00:00Z, a date, or how long ago in s, m, h or d: 24h, 7d. In a URL, + is written %2B',
)
const dayForm = new RegExp(`^${day}$`)

const unitMs = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** A time that a caller states, to the millisecond. */
export function GivenTime(description: string) {
  return Type.String({ pattern: timePattern, examples: ['2026-11-23T14:03:00.000Z'], description })
}

/** A bound of a filter. */
export function Moment(description: string) {
  return Type.String({ pattern: momentPattern, examples: ['24h', '2026-11-23', '2026-11-23T14:03:00Z'], description })
}

/** Unix milliseconds of an RFC 3339 time, or `undefined` for a text that is none (31 February included). */
export function parseTime(text: string): number | undefined {
  if (!new RegExp(timePattern).test(text)) return undefined
  const canonical = text.toUpperCase()
  // The parser lets 31 February pass as 3 March; the day of the month is read again to find out.
  const localDay = new Date(`${canonical.slice(0, 10)}T00:00:00Z`)
  if (Number(canonical.slice(8, 10)) !== localDay.getUTCDate()) return undefined
  const ms = Date.parse(canonical)
  return Number.isNaN(ms) || ms < 0 ? undefined : ms
}

/** Unix milliseconds of a filter's bound, or `undefined` for a text that is none. */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const ago = /^(?<count>\d{1,6})(?<unit>[smhd])$/.exec(text)?.groups
  if (ago === undefined) return parseTime(dayForm.test(text) ? `${text}T00:00:00Z` : text)
  return Math.max(0, nowMs - Number(ago['count']) * (unitMs.get(ago['unit'] ?? '') ?? 0))
}
