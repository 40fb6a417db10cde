/**
 * The published requests as they would be if they had been signed now.
 *
 * A server has no clock that a test can set, and the vectors are years old. So every timestamp of a request is moved by
 * the same time, and every signature in it is made anew: by the same secret, over the same content with the moved
 * timestamp. What the vector does to a signature (cuts its end, changes a character, writes it in hexadecimal) is done to
 * the new one. Whether the result still is what the vector means is told by `verify`, which must give the same code.
 */
import { createHmac } from 'node:crypto'
import vectors from '@posthorn/signing/vectors.json' with { type: 'json' }

export type RequestVector = (typeof vectors.requests)[number]

export type FreshRequest = {
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

/** The tolerance of every sample. */
const toleranceSeconds = 300
/** Between signing and judging time goes by: what is at the edge stays on its side of it. */
const slackSeconds = 30
const secondsBackMax = 60

/** Every vector that a server with the usual tolerance can be sent: HTTP takes blanks off the ends of a value. */
export const requestVectors: readonly RequestVector[] = vectors.requests.filter(
  ({ tolerance_seconds, headers }) =>
    tolerance_seconds === toleranceSeconds && headers.every(([, value = '']) => value === value.trim()),
)

/** The request of a vector, signed so that it means the same when it is judged at `nowSeconds` or shortly after. */
export function freshRequest(vector: RequestVector, nowSeconds: number): FreshRequest {
  for (let back = 0; back < secondsBackMax; back += 1) {
    const fresh = movedBy(vector, nowSeconds - vector.now + slackOf(vector) - back)
    if (fresh !== undefined) return fresh
  }
  throw new Error(`"${vector.name}" cannot be signed anew`)
}

export function bodyOf({ body, body_base64 }: { body?: string; body_base64?: string }): Buffer {
  return body === undefined ? Buffer.from(body_base64 ?? '', 'base64') : Buffer.from(body)
}

/** Being judged later makes a request older: what is just young enough, or just too far ahead, needs room. */
function slackOf({ now, expected }: RequestVector): number {
  if (expected.code === 'timestamp_too_new') return slackSeconds
  const isOldest = expected.valid && expected.timestamp !== undefined && now - expected.timestamp >= toleranceSeconds
  return isOldest ? slackSeconds : 0
}

/** Undefined when a new signature looks the same after what the vector does to it: another second gives another one. */
function movedBy(vector: RequestVector, seconds: number): FreshRequest | undefined {
  const body = bodyOf(vector)
  const headerOf = (name: string) => vector.headers.find(([key = '']) => key.toLowerCase() === name)?.[1]
  const timestamp = headerOf('webhook-timestamp') ?? ''
  const own = { id: headerOf('webhook-id') ?? '', timestamp, moved: movedTimestamp(timestamp, seconds), body }
  const renewals = [...publishedRenewals(seconds), ...secrets.map((secret) => renewal(secret, own))]

  const headers: [string, string][] = []
  for (const [name = '', value = ''] of vector.headers) {
    if (/^webhook-timestamp$/i.test(name)) headers.push([name, movedTimestamp(value, seconds)])
    else if (/^webhook-signature$/i.test(name)) {
      const renewed = renewedSignatures(value, renewals)
      if (renewed === undefined) return undefined
      headers.push([name, renewed])
    } else headers.push([name, value])
  }
  return { headers, body }
}

/** The forms in which vectors write a time; only the first is right. */
const timestampForms: readonly ((seconds: number) => string)[] = [
  (seconds) => String(seconds),
  (seconds) => `${seconds}000`,
  (seconds) => `${seconds}.0`,
  (seconds) => `0${seconds}`,
  (seconds) => `+${seconds}`,
  (seconds) => `0x${seconds.toString(16)}`,
  (seconds) => new Date(seconds * 1000).toISOString().replace('.000', ''),
]

function movedTimestamp(text: string, seconds: number): string {
  if (text === '') return text
  for (const form of timestampForms) {
    for (const known of [Number(text), ...vectors.signatures.map(({ timestamp }) => timestamp)]) {
      if (Number.isInteger(known) && known < 1e11 && form(known) === text) return form(known + seconds)
    }
  }
  throw new Error(`the vectors write a time as "${text}", which has to be moved`)
}

type Renewal = { readonly old: string; readonly fresh: string }
type Signed = { readonly id: string; readonly timestamp: string; readonly moved: string; readonly body: Buffer }

const secrets = [
  ...new Set([
    ...vectors.signatures.filter(({ scheme }) => scheme === 'v1').map(({ secret }) => secret),
    ...vectors.requests.flatMap((request) => request.secrets),
  ]),
]

function renewal(secret: string, { id, timestamp, moved, body }: Signed): Renewal {
  return { old: hmacOf(secret, id, timestamp, body), fresh: hmacOf(secret, id, moved, body) }
}

/** The published signatures: requests that were changed on the way still carry one of them. */
function publishedRenewals(seconds: number): Renewal[] {
  return vectors.signatures
    .filter(({ scheme }) => scheme === 'v1')
    .map((vector) => {
      const { id, timestamp, secret } = vector
      const body = bodyOf(vector)
      return renewal(secret, { id, timestamp: String(timestamp), moved: String(timestamp + seconds), body })
    })
}

function hmacOf(secret: string, id: string, timestamp: string, body: Buffer): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
}

function renewedSignatures(value: string, renewals: readonly Renewal[]): string | undefined {
  const parts = value.split(/([ \t,]|v1=)/)
  const renewed = parts.map((part) => renewedPart(part, renewals))
  return renewed.some((part) => part === undefined) ? undefined : renewed.join('')
}

/** What a vector made of an old signature, made of the fresh one; other parts stay as they are. */
function renewedPart(part: string, renewals: readonly Renewal[]): string | undefined {
  if (part.length < 16) return part
  for (const { old, fresh } of renewals) {
    if (part === old) return fresh
    for (const edit of [...wholeEdits, ...editsOfCharacters(old, part), cutTo(part.length)]) {
      if (edit(old) !== part) continue
      return edit(fresh) === fresh ? undefined : edit(fresh)
    }
  }
  return part
}

type Edit = (signature: string) => string

const wholeEdits: readonly Edit[] = [
  (signature) => signature.replaceAll('+', '-').replaceAll('/', '_'),
  (signature) => Buffer.from(signature, 'base64').toString('hex'),
]

function cutTo(length: number): Edit {
  return (signature) => signature.slice(0, length)
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The change of one character, as bits: the same bits of another character are changed likewise. */
function editsOfCharacters(old: string, changed: string): Edit[] {
  if (old.length !== changed.length) return []
  const places = [...old].flatMap((character, at) => (character === changed[at] ? [] : [at]))
  const [at] = places
  if (at === undefined || places.length > 1) return []
  const bits = alphabet.indexOf(old.charAt(at)) ^ alphabet.indexOf(changed.charAt(at))
  return [
    (signature) =>
      signature.slice(0, at) + alphabet.charAt(alphabet.indexOf(signature.charAt(at)) ^ bits) + signature.slice(at + 1),
  ]
}
