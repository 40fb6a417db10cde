/** Headers of requests and answers, as far as their reader may see them. The names are always shown. */
import { headerNameFault, redacted, soundsLikeCredential } from '@posthorn/engine'
import type { Reader } from '../reader.ts'

/** What a receiver says in these is about the answer and not about people. */
const harmlessAnswers = new Set([
  'age', 'allow', 'cache-control', 'cf-ray', 'connection', 'content-encoding', 'content-language', 'content-length',
  'content-type', 'date', 'etag', 'expires', 'keep-alive', 'last-modified', 'retry-after', 'server', 'transfer-encoding',
  'vary', 'via', 'x-powered-by', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'x-request-id',
]) // biome-ignore format: one list

/** What a subscription adds to its requests. */
export function customHeadersView(headers: Texts, reader: Reader): Record<string, string> {
  return shown(headers, (name) => reader.secrets || !soundsLikeCredential(name))
}

/** What the publisher of an event adds to its requests. It may be about people, as the data may. */
export function eventHeadersView(headers: Texts, reader: Reader): Record<string, string> {
  return shown(customHeadersView(headers, reader), () => reader.payloads)
}

/**
 * What was sent. A digest of the body would prove a guess of what it holds.
 *
 * @param ofEvent the names of the headers that the publisher gave; undefined when nobody knows them any more
 */
export function requestHeadersView(
  headers: Texts,
  reader: Reader,
  ofEvent: ReadonlySet<string> | undefined,
): Record<string, string> {
  const mayBeOfEvent = (name: string) =>
    ofEvent === undefined ? headerNameFault(name) === undefined : ofEvent.has(name)
  return shown(
    customHeadersView(headers, reader),
    (name) => reader.payloads || (name !== 'content-digest' && !mayBeOfEvent(name)),
  )
}

/** What was answered. */
export function responseHeadersView(headers: Texts, reader: Reader): Record<string, string> {
  return shown(headers, (name) => {
    return (reader.payloads || harmlessAnswers.has(name)) && (reader.secrets || !soundsLikeCredential(name))
  })
}

type Texts = Readonly<Record<string, string>>

function shown(headers: Texts, isShown: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isShown(name.toLowerCase()) ? value : redacted]),
  )
}
