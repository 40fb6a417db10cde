/**
 * Publishing inside a transaction of your own, for backends whose database Posthorn shares: the event is committed with
 * your rows or not at all, and no call over the network is made. A dispatcher publishes it when you have committed.
 *
 * Nothing of Posthorn's rules runs here: one row is written, and what may be wrong with its form is found before it is.
 */
import type { Body } from './inputs.ts'
import { invalid } from './requests.ts'
import {
  insertOutboxEvent,
  type OutboxRow,
  type PrismaTransaction,
  type SqlTransaction,
} from './sql/insert-outbox-event.ts'

export type { PrismaTransaction, SqlTransaction } from './sql/insert-outbox-event.ts'

/** As the body of `POST /v1/events`. */
export type EventInTransaction = Body<'publishEvent'> & {
  /** W3C Trace Context, stored with the event. */
  readonly traceparent?: string
}

export type InTransactionOptions = {
  /** The schema of the database in which Posthorn's tables are; `public` when left out. */
  readonly schema?: string
}

/** As the API's limit for `data`, in bytes of UTF-8. */
const dataBytesMax = 256 * 1024
const tenantForm = /^[A-Za-z0-9_.:@|-]{1,128}$/
/** As the API's rules for custom headers. */
const headersMax = 20
const headerNameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const headerValueForm = /^(?:[!-~](?:[\t -~]{0,4094}[!-~])?)?$/
const typeForm = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/

/**
 * Writes an event into the outbox, inside your transaction. It is published once after the commit, and never after a
 * rollback.
 *
 * @returns the id under which it is published, by which the API finds it: yours if you gave one
 * @throws PosthornError `invalid_argument`, before anything is written; what your client throws
 */
export async function publishInTransaction(
  tx: PrismaTransaction | SqlTransaction,
  event: EventInTransaction,
  { schema = 'public' }: InTransactionOptions = {},
): Promise<{ id: string }> {
  const row = rowOf(event)
  await insertOutboxEvent(tx, schema, row)
  return { id: row.publishId ?? `outbox:${row.id}` }
}

function rowOf(event: EventInTransaction): OutboxRow {
  const { tenant, type, keys = {}, headers, subscriptions } = event
  // Plain JavaScript may leave them out, and `undefined` has the form of a tenant.
  if (typeof tenant !== 'string' || !tenantForm.test(tenant))
    throw invalid(`tenant must have the form ${tenantForm.source}.`)
  if (typeof type !== 'string' || type.length > 128 || !typeForm.test(type))
    throw invalid('type must be a name such as invoice.paid.')
  if (event.id !== undefined && (typeof event.id !== 'string' || event.id === '' || event.id.length > 256))
    throw invalid('id must have 1 to 256 characters.')
  if (event.timestamp !== undefined && Number.isNaN(Date.parse(event.timestamp)))
    throw invalid('timestamp must be a time in the form 2026-11-23T14:03:00Z.')
  const data = jsonOf('data', event.data)
  if (new TextEncoder().encode(data).length > dataBytesMax) throw invalid(`data is longer than ${dataBytesMax} bytes.`)
  return {
    id: randomUuid(),
    tenantId: tenant,
    type,
    data,
    publishId: event.id ?? null,
    timestamp: event.timestamp ?? null,
    keys: jsonOf('keys', keys),
    headers: headers === undefined ? null : headersOf(headers),
    subscriptions: subscriptions === undefined ? null : jsonOf('subscriptions', subscriptions),
    traceparent: event.traceparent ?? null,
  }
}

/** Which names are reserved is looked at when the event is published. */
function headersOf(given: unknown): string {
  const members =
    typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(given) : undefined
  if (members === undefined || members.length > headersMax)
    throw invalid(`headers must be an object of at most ${headersMax} texts.`)
  for (const [name, value] of members) {
    if (!headerNameForm.test(name)) throw invalid(`headers: ${JSON.stringify(name)} is not the name of a header.`)
    if (typeof value !== 'string' || !headerValueForm.test(value))
      throw invalid(`headers: the value of ${name} must be printable ASCII, with no space at either end.`)
  }
  return jsonOf('headers', given)
}

function jsonOf(name: string, value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw invalid(`${name} cannot be written as JSON: it holds itself, or a bigint.`, error)
  }
  if (text === undefined) throw invalid(`${name} is missing, or nothing that JSON can say.`)
  return text
}

/** Version 4 (RFC 9562 §5.4). `crypto.randomUUID` is missing where a page was not loaded over https. */
function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}
