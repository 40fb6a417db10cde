/** Filters of lists, from the words of the wire to those of the engine. */
import { Problem, parseMoment } from '@posthorn/contract'

/**
 * The bounds of `since` and `until` in Unix milliseconds.
 *
 * @throws Problem `invalid_request` for a day that the calendar does not have
 */
export function timeRange(
  { since, until }: { since?: string; until?: string },
  nowMs: number,
): { sinceMs: number | undefined; untilMs: number | undefined } {
  return { sinceMs: bound('since', since, nowMs), untilMs: bound('until', until, nowMs) }
}

function bound(name: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  const ms = parseMoment(text, nowMs)
  if (ms !== undefined) return ms
  const detail = 'is not a day of the calendar'
  throw new Problem('invalid_request', `${name} ${detail}.`, { errors: [{ pointer: `?${name}`, detail }] })
}
