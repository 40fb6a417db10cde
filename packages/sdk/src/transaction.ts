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

/** As the API's rules for an event: `docs/openapi.json` has the forms, `docs/configuration.md` the limits. */
const members: ReadonlySet<string> = new Set([
  'tenant', 'type', 'data', 'id', 'timestamp', 'keys', 'headers', 'subscriptions', 'traceparent',
]) // biome-ignore format: one list
/** In bytes of UTF-8. */
const dataBytesMax = 256 * 1024
/** One less than for the whole event, which is the first. */
const dataDepthMax = 63
const tenantForm = /^[A-Za-z0-9_.:@|-]{1,128}$/
const typeForm = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/
/** RFC 3339, from 1970 on. */
const timeForm = /^(19[7-9]\d|[2-9]\d{3})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i
const keysMax = 16
const keyNameForm = /^[A-Za-z0-9_.-]{1,64}$/
const keyValueLengthMax = 256
const subscriptionsMax = 500
const subscriptionForm = /^sub_[0-7][0-9a-z]{25}$/
const headersMax = 20
const headerNameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const headerValueForm = /^(?:[!-~](?:[\t -~]{0,4094}[!-~])?)?$/
/** They belong to HTTP or to Posthorn. */
const reservedHeader =
  /^(?:host|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|cookie2?|authorization|forwarded|user-agent|via|http2-settings|(?:content|proxy|sec|x-forwarded|webhook|posthorn|ce)-.*)$/i
/** What PostgreSQL cannot store: U+0000, and half of a character. */
const unstorable = /[\0\ud800-\udfff]/u

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
  const unknown = Object.keys(event).find((name) => !members.has(name))
  if (unknown !== undefined) throw invalid(`${JSON.stringify(unknown)} is no member of an event.`)
  // Plain JavaScript may leave them out, and `undefined` has the form of a tenant.
  if (typeof tenant !== 'string' || !tenantForm.test(tenant))
    throw invalid(`tenant must have the form ${tenantForm.source}.`)
  if (typeof type !== 'string' || type.length > 128 || !typeForm.test(type))
    throw invalid('type must be a name such as invoice.paid.')
  if (event.id !== undefined && !isText(event.id, 256)) throw invalid('id must have 1 to 256 characters.')
  if (event.timestamp !== undefined && !isTime(event.timestamp))
    throw invalid('timestamp must be a time in the form 2026-11-23T14:03:00Z.')
  if (event.traceparent !== undefined && !isText(event.traceparent, 256))
    throw invalid('traceparent must be a text as in W3C Trace Context.')
  return {
    id: randomUuid(),
    tenantId: tenant,
    type,
    data: dataOf(event.data),
    publishId: event.id ?? null,
    timestamp: event.timestamp ?? null,
    keys: keysOf(keys),
    headers: headers === undefined ? null : headersOf(headers),
    subscriptions: subscriptions === undefined ? null : subscriptionsOf(subscriptions),
    traceparent: event.traceparent ?? null,
  }
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value !== '' && [...value].length <= lengthMax && !unstorable.test(value)
}

function isTime(value: unknown): boolean {
  const [, year, month, day] = (typeof value === 'string' && timeForm.exec(value)) || []
  // The parser takes 30 February for 2 March.
  const isDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
  return isDay && !Number.isNaN(Date.parse(String(value)))
}

function dataOf(data: unknown): string {
  const text = jsonOf('data', data)
  if (new TextEncoder().encode(text).length > dataBytesMax) throw invalid(`data is longer than ${dataBytesMax} bytes.`)
  // As it is written: what has a `toJSON` is another value there.
  refuseFaults(JSON.parse(text), 'data', 1)
  return text
}

/** No deeper than the API allows, so the stack bears it. */
function refuseFaults(value: unknown, place: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > dataDepthMax) throw invalid(`data is nested deeper than ${dataDepthMax} levels.`)
  for (const [name, member] of Object.entries(value)) {
    const isPoison = name === 'constructor' && Object.hasOwn(Object(member), 'prototype')
    if (name === '__proto__' || isPoison)
      throw invalid(`${place}.${name} is a name that would change JavaScript objects themselves.`)
    refuseFaults(member, `${place}.${name}`, depth + 1)
  }
}

function keysOf(given: unknown): string {
  const entries = entriesOf(given)
  if (entries === undefined || entries.length > keysMax)
    throw invalid(`keys must be an object of at most ${keysMax} texts.`)
  for (const [name, value] of entries) {
    if (!keyNameForm.test(name))
      throw invalid(`keys: ${JSON.stringify(name)} must have the form ${keyNameForm.source}.`)
    if (!isText(value, keyValueLengthMax))
      throw invalid(`keys: the value of ${name} must be a text of 1 to ${keyValueLengthMax} characters.`)
  }
  return jsonOf('keys', given)
}

function subscriptionsOf(given: unknown): string {
  const isList = Array.isArray(given) && given.length <= subscriptionsMax
  if (!isList || !given.every((id) => typeof id === 'string' && subscriptionForm.test(id)))
    throw invalid(`subscriptions must be a list of at most ${subscriptionsMax} ids, such as sub_….`)
  return jsonOf('subscriptions', given)
}

function headersOf(given: unknown): string {
  const entries = entriesOf(given)
  if (entries === undefined || entries.length > headersMax)
    throw invalid(`headers must be an object of at most ${headersMax} texts.`)
  const names = new Set<string>()
  for (const [name, value] of entries) {
    if (!headerNameForm.test(name)) throw invalid(`headers: ${JSON.stringify(name)} is not the name of a header.`)
    if (reservedHeader.test(name)) throw invalid(`headers: ${name} is reserved: it belongs to HTTP or to Posthorn.`)
    if (names.size === names.add(name.toLowerCase()).size) throw invalid(`headers: ${name} is given twice.`)
    if (typeof value !== 'string' || !headerValueForm.test(value) || value === '[redacted]')
      throw invalid(`headers: the value of ${name} must be printable ASCII, with no space at either end.`)
  }
  return jsonOf('headers', given)
}

function entriesOf(given: unknown): [string, unknown][] | undefined {
  return typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(given) : undefined
}

function jsonOf(name: string, value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw invalid(`${name} cannot be written as JSON: it holds itself or a bigint, or is nested without end.`, error)
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
