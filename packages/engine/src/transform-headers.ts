/**
 * What a request says of the transform that made its data. It is kept with the attempt, like the form of the body, so that
 * what was sent can be made again and be proven to be the same: nothing else is stored of it.
 */
import { createHash } from 'node:crypto'

/** Names the transform by its hash. */
const transformHeader = 'posthorn-transform'
/** RFC 9530: a digest of the body as it is sent. */
const digestHeader = 'content-digest'
/** Hexadecimal digits of a hash: 128 bits. */
const hashLength = 32

/** The beginning of the SHA-256 of a transform, in hex. */
export function transformHash(transform: string): string {
  return createHash('sha256').update(transform).digest('hex').slice(0, hashLength)
}

/** @param body what the transform has made, in the form in which it is sent */
export function transformHeaders(transform: string, body: string): Record<string, string> {
  return { [transformHeader]: transformHash(transform), [digestHeader]: digestOf(body) }
}

/** The hash of the transform that a request was made with; undefined when it was made without one. */
export function transformHashOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  const hash = headers[transformHeader]
  return typeof hash === 'string' ? hash : undefined
}

/** Whether a request had this body. */
export function hadBody(headers: Readonly<Record<string, unknown>>, body: string): boolean {
  return headers[digestHeader] === digestOf(body)
}

function digestOf(body: string): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}
