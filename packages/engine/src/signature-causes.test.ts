import { createHmac } from 'node:crypto'
import type { SignatureCause } from '@posthorn/contract'
import { formatPublicKey, generateKeyPair, parsePrivateKey, parseSecret, signedHeaders } from '@posthorn/signing'
import { expect, test } from 'vitest'
import { type CheckedRequest, diagnose, explainComputed } from './signature-causes.ts'

const key = Buffer.alloc(36, 7)
const expired = Buffer.alloc(36, 8)
const others = Buffer.alloc(36, 9)
const text = key.toString('base64')
const id = 'evt_1'
const timestamp = 1_764_115_200
const receivedAt = new Date(timestamp * 1000 + 2_000)
const sent =
  '{"type":"a","timestamp":"2026-11-26T00:00:00.000Z","data":{"n":1.0,"name":"Zoë 😀","url":"http://a/b","b":1,"a":2}}'
const data = '{"n":1.0,"name":"Zoë 😀","url":"http://a/b","b":1,"a":2}'

type Given = Partial<Omit<CheckedRequest, 'headers'>> & { headers?: Record<string, string | undefined> }

function headersBy(secret: Uint8Array, body = sent): Record<string, string> {
  return { ...signedHeaders({ id, timestamp, body }, [parseSecret(Buffer.from(secret).toString('base64'))]) }
}

function requestOf({ headers = {}, ...given }: Given): CheckedRequest {
  const all = Object.entries({ ...headersBy(key), ...headers }).filter(([, value]) => value !== undefined)
  return {
    headers: Object.fromEntries(all) as Record<string, string>,
    body: sent,
    receivedAt,
    secrets: [
      { key, subscriptionId: 'mine', isCurrent: true, isOther: false },
      { key: expired, subscriptionId: 'mine', isCurrent: false, isOther: false },
      { key: others, subscriptionId: 'other', isCurrent: true, isOther: true },
    ],
    publicKeys: [],
    sent: { body: sent, timestamps: [String(timestamp)] },
    ...given,
  }
}

function hmac(
  secret: string | Uint8Array,
  content: string,
  encoding: 'base64' | 'hex' | 'base64url' = 'base64',
): string {
  return createHmac('sha256', secret).update(content).digest(encoding)
}

const signature = (value: string) => ({ 'webhook-signature': value })
const whole = `${id}.${timestamp}.${sent}`

test('a request that is in order is valid, whatever the case of its headers', () => {
  const { 'webhook-id': one, ...rest } = headersBy(key)
  const headers = { 'webhook-id': undefined, 'Webhook-Id': one, ...rest, accept: '*/*' }
  expect(diagnose(requestOf({ headers }))).toMatchObject({ authentic: true, cause: null })
})

test('a signature by a key pair counts as well', () => {
  const { privateKey, publicKey } = generateKeyPair((size) => Buffer.alloc(size, 3))
  const headers = signedHeaders({ id, timestamp, body: sent }, [parsePrivateKey(privateKey)])
  const publicKeys = [publicKey]
  expect(formatPublicKey(parsePrivateKey(privateKey))).toBe(publicKey)
  expect(diagnose(requestOf({ headers: { ...headers }, publicKeys })).authentic).toBe(true)
  expect(diagnose(requestOf({ headers: { ...headers } })).cause).toBe('unknown_scheme')
  expect(diagnose(requestOf({ headers: { ...headers }, publicKeys, body: `${sent}\n` })).cause).toBe(
    'body_trailing_space',
  )
})

const cases: [SignatureCause, string, Given][] = [
  ['missing_header', 'the id is missing', { headers: { 'webhook-id': undefined } }],
  ['missing_header', 'the signature is empty', { headers: signature('') }],
  ['renamed_header', 'a header has underscores', { headers: { 'webhook-id': undefined, WEBHOOK_ID: id } }],
  ['malformed_header', 'the timestamp is a date', { headers: { 'webhook-timestamp': '2026-11-26T00:00:00Z' } }],
  ['malformed_header', 'the signature is cut off', { headers: signature('v1,abc') }],
  ['signature_encoding', 'the signature is in hex', { headers: signature(`v1,${hmac(key, whole, 'hex')}`) }],
  ['signature_encoding', 'the signature is bare hex', { headers: signature(hmac(key, whole, 'hex')) }],
  ['unknown_scheme', 'the scheme is another one', { headers: signature('v9,abc') }],
  ['timestamp_in_ms', 'the timestamp is in milliseconds', { headers: { 'webhook-timestamp': `${timestamp}000` } }],
  ['timestamp_too_old', 'it is received late', { receivedAt: new Date((timestamp + 301) * 1000) }],
  ['timestamp_too_new', 'the clock is behind', { receivedAt: new Date((timestamp - 301) * 1000) }],
  [
    'timestamp_changed',
    'the timestamp is of another attempt',
    { headers: { 'webhook-timestamp': String(timestamp + 5) }, sent: { body: sent, timestamps: [String(timestamp)] } },
  ],
  ['secret_expired', 'the secret was rotated', { headers: headersBy(expired) }],
  ['secret_of_other_subscription', 'the secret is that of another', { headers: headersBy(others) }],
  ['secret_with_prefix', 'the secret was used as text', { headers: signature(`v1,${hmac(`whsec_${text}`, whole)}`) }],
  ['secret_not_decoded', 'the secret was used as base64 text', { headers: signature(`v1,${hmac(text, whole)}`) }],
  [
    'secret_not_decoded',
    'the prefix was decoded too',
    { headers: signature(`v1,${hmac(Buffer.from(`whsec_${text}`, 'base64'), whole)}`) },
  ],
  ['signed_body_only', 'only the body was signed', { headers: signature(`v1,${hmac(key, sent)}`) }],
  ['signed_without_id', 'the id was not signed', { headers: signature(`v1,${hmac(key, `${timestamp}.${sent}`)}`) }],
  ['body_missing', 'the body is empty', { body: '' }],
  ['body_truncated', 'the body is cut off', { body: sent.slice(0, 60) }],
  ['body_reserialized', 'the JSON was written again', { body: JSON.stringify(JSON.parse(sent)) }],
  ['body_reserialized', 'the JSON was written prettily', { body: JSON.stringify(JSON.parse(sent), null, 2) }],
  ['body_reserialized', 'its members were sorted', { body: JSON.stringify(sortedJson(JSON.parse(sent))) }],
  ['body_reserialized', 'its letters were escaped', { body: sent.replace('ë', '\\u00eb') }],
  ['body_reserialized', 'its slashes were escaped', { body: sent.replaceAll('/', '\\/') }],
  ['body_stringified', 'it was made a JSON string', { body: JSON.stringify(sent) }],
  ['body_data_only', 'only the data is left', { body: data }],
  ['body_trailing_space', 'a line break was added', { body: `${sent}\n` }],
  ['body_trailing_space', 'a CRLF was added', { body: `${sent}\r\n` }],
  ['body_byte_order_mark', 'a byte order mark was added', { body: `\ufeff${sent}` }],
  ['body_encoding', 'it was read as Latin 1', { body: Buffer.from(sent).toString('latin1') }],
  ['body_unicode_form', 'it was normalised', { body: sent.normalize('NFD') }],
  ['body_changed', 'a value is another one', { body: sent.replace('"b":1', '"b":2') }],
  ['event_unknown', 'the id is of no event', { headers: { 'webhook-id': 'evt_2' }, sent: null }],
  ['no_match', 'the signature is any', { headers: signature(`v1,${hmac('any', whole)}`) }],
]

test.each(cases)('%s is found when %s', (cause, _what, given) => {
  const request = requestOf(given)
  const diagnosis = diagnose(request)
  expect(diagnosis.cause).toBe(cause)
  expect(diagnosis.subscriptionId).toBe(cause === 'secret_of_other_subscription' ? 'other' : null)
  const shown = JSON.stringify(diagnosis)
  const secrets = [key, expired, others].flatMap((one) => [one.toString('base64'), one.toString('hex')])
  for (const hidden of [...secrets, hmac(key, whole), hmac(key, whole, 'hex')]) expect(shown).not.toContain(hidden)
})

test.each<[SignatureCause, string, string]>([
  ['body_trailing_space', 'a line break was added', `${sent}\n`],
  ['body_byte_order_mark', 'a byte order mark was added', `\ufeff${sent}`],
  ['body_encoding', 'it was read as Latin 1', Buffer.from(sent).toString('latin1')],
  ['body_unicode_form', 'it was normalised', sent.normalize('NFD')],
  ['body_stringified', 'it was made a JSON string', JSON.stringify(sent)],
])('%s is found without knowing what was sent, when %s', (cause, _what, body) => {
  expect(diagnose(requestOf({ body, sent: null })).cause).toBe(cause)
})

test('line ends that an editor changed are found', () => {
  const lines = '{\n "a": 1\n}'
  const headers = headersBy(key, lines)
  expect(diagnose(requestOf({ headers, body: lines.replaceAll('\n', '\r\n'), sent: null })).cause).toBe(
    'body_line_endings',
  )
})

test.each<[SignatureCause | null, string]>([
  [null, `v1,${hmac(key, whole)}`],
  [null, hmac(key, whole)],
  ['signature_encoding', hmac(key, whole, 'hex')],
  ['signature_encoding', 'what is that?'],
  ['secret_of_other_subscription', hmac(others, whole)],
  ['secret_expired', hmac(expired, whole)],
  ['no_match', hmac('any', whole)],
  ['no_match', Buffer.alloc(32).toString('base64')],
  ['no_match', hmac(others, `${id}.${timestamp}.${sent}\n`)],
  ['secret_with_prefix', hmac(`whsec_${text}`, whole, 'hex')],
  ['secret_not_decoded', hmac(text, whole)],
  ['signed_body_only', hmac(key, sent)],
  ['body_trailing_space', hmac(key, `${id}.${timestamp}.${sent}\n`)],
  ['body_reserialized', hmac(key, `${id}.${timestamp}.${JSON.stringify(JSON.parse(sent))}`)],
])('%s is said of what the code of a receiver computes: %s', (cause, computed) => {
  const explained = explainComputed(computed, requestOf({}))
  expect(explained.cause).toBe(cause)
  expect(explained.subscriptionId).toBe(cause === 'secret_of_other_subscription' ? 'other' : null)
})

function sortedJson(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sortedJson(one)]),
  )
}
