/**
 * Reading the three webhook headers from whatever the receiver's framework has.
 *
 * Strict about repetition: whoever can add a second header line must not be able to choose which of the two is read.
 */
import { type HeaderFault, type WebhookHeaderName, WebhookVerificationError } from './errors.ts'

/**
 * The request's headers: a fetch `Headers`, the `headers` of a Node request, or a plain record with names in any case.
 * A list of values must hold one.
 */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The one value of a header.
 *
 * @throws WebhookVerificationError `missing_header`, or `invalid_header` when it is repeated or not text
 * @internal
 */
export function readHeader(headers: WebhookHeaders, name: WebhookHeaderName): string {
  const values = isFetchHeaders(headers) ? [headers.get(name)] : valuesOf(headers, name)
  const [value] = values
  if (values.length > 1) throw invalidHeader(name, 'repeated')
  if (value === undefined || value === null || value === '') {
    throw new WebhookVerificationError({ code: 'missing_header', header: name })
  }
  if (typeof value !== 'string') throw invalidHeader(name, 'not_text')
  return value
}

/**
 * The error for a header that is there but wrong.
 *
 * @internal
 */
export function invalidHeader(header: WebhookHeaderName, reason: HeaderFault): WebhookVerificationError {
  return new WebhookVerificationError({ code: 'invalid_header', header, reason })
}

function isFetchHeaders(headers: WebhookHeaders): headers is { get(name: string): string | null } {
  // In a record, a header that happens to be called `get` is text.
  return 'get' in headers && typeof headers.get === 'function'
}

function valuesOf(headers: Readonly<Record<string, unknown>>, name: WebhookHeaderName): unknown[] {
  return Object.keys(headers)
    .filter((key) => key.toLowerCase() === name)
    .flatMap((key) => headers[key])
    .filter((value) => value !== undefined)
}
