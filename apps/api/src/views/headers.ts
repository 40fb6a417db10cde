/** Headers of requests and answers, as far as their reader may see them. The names are always shown. */
import { redacted } from '@posthorn/engine'
import type { Reader } from '../reader.ts'

/** Custom headers may carry credentials under a name of the customer's choice; such names sound like it. */
const credentialName =
  /authorization|cookie|token|secret|signature|passw|credential|session|api-?key|(^|[-_])(auth|key|pwd)([-_]|$)/
/** What a receiver says in these is about the answer and not about people. */
const harmlessAnswers = new Set([
  'age', 'allow', 'cache-control', 'cf-ray', 'connection', 'content-encoding', 'content-language', 'content-length',
  'content-type', 'date', 'etag', 'expires', 'keep-alive', 'last-modified', 'retry-after', 'server', 'transfer-encoding',
  'vary', 'via', 'x-powered-by', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'x-request-id',
]) // biome-ignore format: one list

/** What a subscription adds to its requests. */
export function customHeadersView(headers: Texts, reader: Reader): Record<string, string> {
  return shown(headers, (name) => reader.secrets || !credentialName.test(name))
}

/** What was sent. A digest of the body would prove a guess of what it holds. */
export function requestHeadersView(headers: Texts, reader: Reader): Record<string, string> {
  return shown(customHeadersView(headers, reader), (name) => reader.payloads || name !== 'content-digest')
}

/** What was answered. */
export function responseHeadersView(headers: Texts, reader: Reader): Record<string, string> {
  return shown(headers, (name) => {
    return (reader.payloads || harmlessAnswers.has(name)) && (reader.secrets || !credentialName.test(name))
  })
}

type Texts = Readonly<Record<string, string>>

function shown(headers: Texts, isShown: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isShown(name.toLowerCase()) ? value : redacted]),
  )
}
