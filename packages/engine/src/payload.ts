/**
 * The body of a request and the headers that describe it, in each form that a subscription may choose. In all of them the
 * publisher's bytes of `data` are untouched, and the same event always makes the same bytes.
 *
 * CloudEvents follow the core specification 1.0.2, its JSON format, and its HTTP binding (structured mode §3.2, binary
 * mode §3.1). An event's `id` there is its `webhook-id`: with `source` it names the event at every attempt.
 */
import { formatId, type PayloadFormat, payloadFormats, type Uuid } from '@posthorn/contract'
import { envelope } from './envelope.ts'

/** What a body is made of. */
export type PayloadEvent = {
  id: Uuid
  type: string
  timestamp: Date
  data: string
  /** The version of its schema that the data fits; null when it was held to none, or does not fit. */
  schemaVersion: number | null
}

/** What CloudEvents say of the installation that they come from. */
export type EventOrigin = {
  /** `source`: a URI reference (RFC 3986), never empty. */
  source: string
  /** Where the API is reached from outside, without a slash at the end. Without it no `dataschema` is told. */
  publicUrl: string | undefined
}

export type Payload = { body: string; headers: Record<string, string> }

/** The header that tells a receiver which form the body has. */
const formatHeader = 'posthorn-payload-format'

/** `source` where the operator has not said who he is. A relative reference, as the specification permits. */
const sourceDefault = '/posthorn'

/** Reads the origin from the settings: a source of its own, or the public URL. */
export function eventOrigin(settings: {
  POSTHORN_CLOUDEVENTS_SOURCE?: string | undefined
  POSTHORN_PUBLIC_URL?: string | undefined
}): EventOrigin {
  const publicUrl = settings.POSTHORN_PUBLIC_URL
  return { source: settings.POSTHORN_CLOUDEVENTS_SOURCE ?? publicUrl ?? sourceDefault, publicUrl }
}

/**
 * Reads a `source`: a URI reference (RFC 3986 §4.1) that is not empty.
 *
 * @throws Error whose message says what to write instead
 */
export function parseEventSource(text: string): string {
  const isReference = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/.test(text)
  if (!isReference || !URL.canParse(text, 'https://base.invalid')) {
    throw new Error(`"${text}" is no URI; write one like https://posthorn.example.com or urn:example:billing`)
  }
  return text
}

/** Makes the body in the wanted form, with `content-type` and what else describes it. */
export function payload(event: PayloadEvent, format: PayloadFormat, origin: EventOrigin): Payload {
  return withFormat(format, bodyIn(event, format, origin))
}

/** The form that the headers of a request of ours tell; undefined when nothing was sent. */
export function payloadFormatOf(headers: Readonly<Record<string, unknown>>): PayloadFormat | undefined {
  if (headers['content-type'] === undefined) return undefined
  return payloadFormats.find((format) => format === headers[formatHeader]) ?? 'standard'
}

/** The envelope is what the headers of Standard Webhooks announce already. */
function withFormat(format: PayloadFormat, { body, headers }: Payload): Payload {
  return { body, headers: format === 'standard' ? headers : { ...headers, [formatHeader]: format } }
}

function bodyIn(event: PayloadEvent, format: PayloadFormat, origin: EventOrigin): Payload {
  const json = { 'content-type': 'application/json' }
  switch (format) {
    case 'standard':
      return { body: envelope(event), headers: json }
    case 'cloudevents-structured':
      return {
        body: structured(event, origin),
        headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
      }
    case 'cloudevents-binary':
      return { body: event.data, headers: { ...json, ...binaryHeaders(attributes(event, origin)) } }
    case 'raw':
      return { body: event.data, headers: json }
  }
}

/** The attributes of the event in their order: the required ones first (CloudEvents 1.0.2, "Required Attributes"). */
function attributes(event: PayloadEvent, origin: EventOrigin): Record<string, string> {
  const schema = schemaUri(event, origin)
  return {
    specversion: '1.0',
    id: formatId('event', event.id),
    source: origin.source,
    type: event.type,
    time: event.timestamp.toISOString(),
    ...(schema === undefined ? {} : { dataschema: schema }),
  }
}

/** Names the schema that the data adheres to. Another version is another URI, as the specification asks. */
function schemaUri({ type, schemaVersion }: PayloadEvent, { publicUrl }: EventOrigin): string | undefined {
  if (schemaVersion === null || publicUrl === undefined) return undefined
  return `${publicUrl}/v1/event-types/${encodeURIComponent(type)}/versions/${schemaVersion}`
}

/** JSON format §3: every attribute a member, and `data` as it is. */
function structured(event: PayloadEvent, origin: EventOrigin): string {
  const head = JSON.stringify({ ...attributes(event, origin), datacontenttype: 'application/json' })
  return `${head.slice(0, -1)},"data":${event.data}}`
}

/** HTTP binding §3.1.3: a header for each attribute but `datacontenttype`, which is the content type. */
function binaryHeaders(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`ce-${name}`, percentEncoded(value)]))
}

/** HTTP binding §3.1.3.2: space, quote, percent and whatever is not printable ASCII, as the bytes of its UTF-8. */
export function percentEncoded(value: string): string {
  return value.replaceAll(/[^!#$&-~]+/g, (part) =>
    Array.from(Buffer.from(part), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
