/** An operation with its input becomes a request. What can never be sent is refused here, before anything is. */
import { PosthornError } from './errors.ts'
import { operations } from './generated/operations.gen.ts'
import type { CallOptions, Input, OperationName } from './inputs.ts'

export type PreparedRequest = {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly expected: Expected
}

/** By what the answer to an operation is known. */
export type Expected = {
  readonly statuses: readonly number[]
  /** A member of the object that is answered; undefined when nothing is. */
  readonly member?: string
  /** That member is a list. */
  readonly isList?: boolean
}

/** Every header of ours that a call may not replace. */
const ownHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'accept',
  'idempotency-key',
  'if-match',
])

/**
 * The base of every URL, without a slash at its end.
 *
 * @throws PosthornError `invalid_argument`
 */
export function baseUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw invalid(`url must be where Posthorn's API is, such as https://posthorn.example.com, and is ${shown(given)}.`)
  if (url.username !== '' || url.password !== '') throw invalid('url must not hold a user name or a password.')
  if (url.search !== '' || url.hash !== '') throw invalid('url must end before any "?" or "#".')
  return url.href.replace(/\/+$/, '')
}

/**
 * @param newKey makes an idempotency key; it is the same for every retry of this call
 * @throws PosthornError `invalid_argument`
 */
export function prepare(
  base: string,
  name: OperationName,
  { path = {}, query, body }: Input,
  options: CallOptions,
  newKey: () => string,
): PreparedRequest {
  const { method, path: template, ...expected } = operations[name]
  const headers: Record<string, string> = { accept: 'application/json' }
  for (const [header, value] of Object.entries(options.headers ?? {})) {
    if (ownHeaders.has(header.toLowerCase())) throw invalid(`The header ${header} is set by the SDK itself.`)
    headers[header.toLowerCase()] = value
  }
  if (method === 'POST') headers['idempotency-key'] = options.idempotencyKey ?? newKey()
  if (options.ifMatch !== undefined) headers['if-match'] = options.ifMatch
  if (options.reason !== undefined) headers['x-audit-reason'] = headerText('reason', options.reason)
  if (body !== undefined)
    headers['content-type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  refuseUnsendable(headers)
  return { method, url: base + filled(template, path) + queryText(query), headers, body: bodyText(body), expected }
}

/** What `fetch` would refuse is no fault of the connection. The values are not told: they may be secret. */
function refuseUnsendable(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers([[name, value]])
    } catch {
      throw invalid(
        `The header ${shown(name)} cannot be sent: its name or its value has characters that no header may have.`,
      )
    }
  }
}

/** Headers are bytes, and the API reads these as UTF-8; `fetch` takes a character for each byte. */
function headerText(name: string, text: string): string {
  const bytes = new TextEncoder().encode(text)
  if (bytes.some((byte) => byte < 0x20 || byte === 0x7f)) throw invalid(`${name} must be one line of text.`)
  return String.fromCharCode(...bytes)
}

function filled(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => pathPart(name, values[name]))
}

/** A part of a path that no URL parser takes for another path: `..` is one level up, however it is escaped. */
function pathPart(name: string, value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  if (text === '' || text === '.' || text === '..')
    throw invalid(`${name} must be an id or a name, and is ${shown(value)}.`)
  try {
    return encodeURIComponent(text)
  } catch (error) {
    throw invalid(`${name} holds half of a character.`, error)
  }
}

function queryText(query: object | undefined): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) append(parameters, name, value)
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}

/** Parameters that have a list in one text, with commas. */
const commaLists: ReadonlySet<string> = new Set(['expand', 'measures'])

/** A list repeats its parameter; an object has a parameter `name.member` for each of its members. */
function append(parameters: URLSearchParams, name: string, value: unknown): void {
  if (value === undefined || value === null) return
  if (Array.isArray(value) && commaLists.has(name)) parameters.append(name, value.join())
  else if (Array.isArray(value)) for (const one of value) append(parameters, name, one)
  else if (value instanceof Date) parameters.append(name, value.toISOString())
  else if (typeof value === 'object')
    for (const [member, one] of Object.entries(value)) append(parameters, `${name}.${member}`, one)
  else parameters.append(name, String(value))
}

export function bodyText(body: unknown): string | undefined {
  if (body === undefined) return undefined
  try {
    return JSON.stringify(body)
  } catch (error) {
    throw invalid('The body cannot be written as JSON: it holds itself, or a bigint.', error)
  }
}

export function invalid(detail: string, cause?: unknown): PosthornError {
  return new PosthornError('invalid_argument', detail, { cause })
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : String(value)
}
