/**
 * Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP date in any of its three forms (§5.6.7).
 *
 * A receiver may ask for patience but not for silence: more than a day counts as a day.
 */

const retryAfterMaxMs = 24 * 60 * 60 * 1000

/** `Sun, 06 Nov 1994 08:49:37 GMT` and `Sunday, 06-Nov-94 08:49:37 GMT`. */
const datePattern = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -](?:\d{4}|\d{2}) \d{2}:\d{2}:\d{2} GMT$/
/** `Sun Nov  6 08:49:37 1994`: in Universal Time although it does not say so. */
const asctimePattern = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * How long the receiver asks us to wait.
 *
 * @param value the header as received, `null` when there was none
 * @param nowMs Unix time in milliseconds
 * @returns milliseconds from 0 to 24 hours; `null` for no header, a moment that is past, and all that cannot be read
 */
export function parseRetryAfterMs(value: string | null, nowMs: number): number | null {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, retryAfterMaxMs)
  const untilMs = parseHttpDateMs(text)
  return untilMs === null || untilMs <= nowMs ? null : Math.min(untilMs - nowMs, retryAfterMaxMs)
}

function parseHttpDateMs(text: string): number | null {
  // Date.parse accepts almost anything, so the form is checked first.
  let ms = Number.NaN
  if (datePattern.test(text)) ms = Date.parse(text)
  else if (asctimePattern.test(text)) ms = Date.parse(`${text} GMT`)
  return Number.isNaN(ms) ? null : ms
}
