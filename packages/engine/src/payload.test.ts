import { formatId, payloadFormats } from '@posthorn/contract'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  eventOrigin,
  type PayloadEvent,
  parseEventSource,
  payload,
  payloadFormatOf,
  percentEncoded,
} from './payload.ts'

const origin = eventOrigin({ POSTHORN_PUBLIC_URL: 'https://posthorn.test' })
const event: PayloadEvent = {
  id: '01900000-0000-7000-8000-0000000000e1',
  type: 'invoice.paid',
  timestamp: new Date('2026-11-23T10:00:00.123Z'),
  data: ' {"n":12345678901234567890.10, "n": 1e400 } ',
  schemaVersion: 3,
}
const id = formatId('event', event.id)

/** CloudEvents 1.0.2: core specification, "Context Attributes"; JSON format §3, where `data` is any JSON value. */
const cloudEvent = new Ajv2020({ formats: fullFormats, strictSchema: false }).compile({
  type: 'object',
  required: ['id', 'source', 'specversion', 'type'],
  properties: {
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', minLength: 1, format: 'uri-reference' },
    specversion: { const: '1.0' },
    type: { type: 'string', minLength: 1 },
    datacontenttype: { type: 'string', pattern: '^[a-z]+/[a-z0-9.+-]+' },
    dataschema: { type: 'string', minLength: 1, format: 'uri' },
    subject: { type: 'string', minLength: 1 },
    time: { type: 'string', minLength: 1, format: 'date-time' },
    data: true,
  },
  propertyNames: { pattern: '^[a-z0-9]+$' },
  additionalProperties: { type: ['string', 'boolean', 'integer'] },
  not: { required: ['data', 'data_base64'] },
})

test('standard is the envelope of Standard Webhooks, with the headers that it always had', () => {
  expect(payload(event, 'standard', origin)).toEqual({
    body: `{"type":"invoice.paid","timestamp":"2026-11-23T10:00:00.123Z","data":${event.data}}`,
    headers: { 'content-type': 'application/json' },
  })
})

test('cloudevents-structured is one JSON object with every attribute and the bytes of the data', () => {
  const { body, headers } = payload(event, 'cloudevents-structured', origin)
  expect(headers).toEqual({
    'content-type': 'application/cloudevents+json; charset=UTF-8',
    'posthorn-payload-format': 'cloudevents-structured',
  })
  expect(body).toBe(
    `{"specversion":"1.0","id":"${id}","source":"https://posthorn.test","type":"invoice.paid","time":"2026-11-23T10:00:00.123Z","dataschema":"https://posthorn.test/v1/event-types/invoice.paid/versions/3","datacontenttype":"application/json","data":${event.data}}`,
  )
})

test('cloudevents-binary is the data alone, with the attributes in headers', () => {
  expect(payload(event, 'cloudevents-binary', { source: 'https://a.test/b%20c', publicUrl: undefined })).toEqual({
    body: event.data,
    headers: {
      'content-type': 'application/json',
      'posthorn-payload-format': 'cloudevents-binary',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': 'https://a.test/b%2520c',
      'ce-type': 'invoice.paid',
      'ce-time': '2026-11-23T10:00:00.123Z',
    },
  })
})

test('raw is the data alone', () => {
  expect(payload(event, 'raw', origin)).toEqual({
    body: event.data,
    headers: { 'content-type': 'application/json', 'posthorn-payload-format': 'raw' },
  })
})

test('both modes of CloudEvents make a valid CloudEvent of any event, and the same one', () => {
  const anyEvent = fc.record({
    id: fc.uuid(),
    type: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}(\.[A-Za-z0-9_-]{1,20}){0,3}$/),
    timestamp: fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    data: fc.json(),
    schemaVersion: fc.option(fc.integer({ min: 1 })),
  })
  const source = fc.constantFrom('/posthorn', 'urn:example:billing', 'https://a.test/b%20c?d=é'.replace('é', '%C3%A9'))
  const publicUrl = fc.constantFrom(undefined, 'https://posthorn.test', 'http://[::1]:4400')
  fc.assert(
    fc.property(anyEvent, source, publicUrl, (one, source, publicUrl) => {
      const structured = JSON.parse(payload(one, 'cloudevents-structured', { source, publicUrl }).body)
      expect(cloudEvent(structured), JSON.stringify(cloudEvent.errors)).toBe(true)
      expect(structured).toMatchObject({ id: formatId('event', one.id), source, data: JSON.parse(one.data) })
      expect('dataschema' in structured).toBe(one.schemaVersion !== null && publicUrl !== undefined)
      const binary = payload(one, 'cloudevents-binary', { source, publicUrl })
      expect(fromBinary(binary)).toEqual(structured)
    }),
  )
})

test('the bytes of the data stay as they were published in every format, and the same event makes the same bytes', () => {
  for (const format of payloadFormats) {
    const { body } = payload(event, format, origin)
    expect(body).toContain(event.data)
    expect(payload({ ...event }, format, origin).body).toBe(body)
  }
})

test('the headers of a request tell its format, also those of before there was a choice', () => {
  for (const format of payloadFormats) {
    expect(payloadFormatOf(payload(event, format, origin).headers)).toBe(format)
  }
  expect(payloadFormatOf({})).toBeUndefined()
})

test('header values are escaped as the HTTP binding of CloudEvents shows it', () => {
  // The examples of §3.1.3.2.
  expect(percentEncoded('Euro € 😀')).toBe('Euro%20%E2%82%AC%20%F0%9F%98%80')
  expect(percentEncoded(`"%\u007f\u0000`)).toBe('%22%25%7F%00')
  const printable = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 0x21 + index))
  expect(percentEncoded(printable)).toBe(printable.replace('%', '%25').replace('"', '%22'))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(decodeURIComponent(percentEncoded(text))).toBe(text)
    }),
  )
})

test('the source is the operator’s own, or the public URL, and never empty', () => {
  const publicUrl = 'https://posthorn.test'
  expect(eventOrigin({ POSTHORN_CLOUDEVENTS_SOURCE: 'urn:a:b', POSTHORN_PUBLIC_URL: publicUrl }).source).toBe('urn:a:b')
  expect(eventOrigin({ POSTHORN_PUBLIC_URL: publicUrl }).source).toBe(publicUrl)
  expect(eventOrigin({}).source).toBe('/posthorn')
})

test.each([
  'https://posthorn.example.com/a?b#c',
  'urn:example:billing',
  '/billing',
  'billing%20eu',
  'mailto:a@b.example',
])('%s is a source', (source) => {
  expect(parseEventSource(source)).toBe(source)
})

test.each(['', ' ', 'two words', 'bücher', 'a%2', 'a"b', 'a\r\nb', 'https://['])('%j is no source', (source) => {
  expect(() => parseEventSource(source)).toThrow('no URI')
})

/** What a receiver makes of a request in binary mode (HTTP binding §3.1). */
function fromBinary({ body, headers }: { body: string; headers: Record<string, string> }): unknown {
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith('ce-'))
    .map(([name, value]) => [name.slice('ce-'.length), decodeURIComponent(value)])
  return { ...Object.fromEntries(attributes), datacontenttype: headers['content-type'], data: JSON.parse(body) }
}
