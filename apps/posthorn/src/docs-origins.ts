/**
 * Where the documentation of events comes from: an installation, a file, a site that is published. Whatever is there may
 * be broken or hostile: what is read has an end, and is told to be what it should be.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isReservedEventType, type Observations } from '@posthorn/contract'
import {
  type Branding,
  brandingDefault,
  type DocsSource,
  readBranding,
  readObservations,
  readSource,
  sourceFormat,
} from '@posthorn/event-docs'
import { createPosthorn } from '@posthorn/sdk'

/** What one answer, or a published file, may be at the most, in bytes. */
const answerBytesMax = 64 * 1024 * 1024
const publishedBytesMax = 16 * 1024 * 1024
/** One request for a published file, and all of them together. */
const publishedMsMax = 30_000
const allPublishedMsMax = 10 * 60_000
const pageSize = 250
/** Elements of a list: so many event types, or versions of one, nobody documents. */
const elementsMax = 10_000

/** It could not be done. The message says what to do. */
export class DocsError extends Error {
  override readonly name = 'DocsError'
}

export type Origin = {
  /** An installation's address, or a file that was exported. */
  from: string
  /** For an installation. */
  apiKey: string | undefined
  stop: AbortSignal
}

export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/**
 * Reads the event types of an installation, or an exported file.
 *
 * @throws DocsError, DocsSourceError, PosthornError
 */
export async function loadSource(origin: Origin): Promise<DocsSource> {
  const { from, apiKey, stop } = origin
  if (!isAddress(from)) return readSource(await readJson(from))
  if (apiKey === undefined)
    throw new DocsError('POSTHORN_API_KEY is not set; give a key that may read event types (role viewer)')
  const { eventTypes, meta } = clientOf(from, apiKey)
  const call = { signal: stop }
  const found: DocsSource['event_types'] = []
  const types = everyElement(`${from}: event types`, (cursor) =>
    eventTypes.list({ limit: pageSize, ...cursor }, call).page(),
  )
  for await (const eventType of types) {
    // Posthorn's own event types are for the operator alone.
    if (isReservedEventType(eventType.name)) continue
    const versions: DocsSource['event_types'][number]['versions'] = []
    const all = everyElement(`${from}: versions of ${eventType.name}`, (cursor) =>
      eventTypes.listVersions(eventType.name, { order: 'asc', limit: pageSize, ...cursor }, call).page(),
    )
    for await (const version of all) versions.push(version)
    found.push({ event_type: eventType, versions })
  }
  found.sort((one, other) => (one.event_type.name < other.event_type.name ? -1 : 1))
  return readSource({ format: sourceFormat, meta: await meta(call), event_types: found })
}

/** @throws DocsError, DocsSourceError */
export async function loadBranding(file: string | undefined): Promise<Branding> {
  return file === undefined ? brandingDefault : readBranding(await readJson(file))
}

/**
 * What was really published, by event type.
 *
 * @throws DocsError for a file, which says nothing of it; DocsSourceError, PosthornError
 */
export async function loadObservations(
  { from, apiKey, stop }: Origin,
  source: DocsSource,
): Promise<Map<string, Observations>> {
  if (!isAddress(from) || apiKey === undefined)
    throw new DocsError('--observations asks an installation; give its address with --from')
  const { eventTypes } = clientOf(from, apiKey)
  const observations = new Map<string, Observations>()
  for (const { event_type } of source.event_types)
    observations.set(
      event_type.name,
      readObservations(await eventTypes.observations(event_type.name, { signal: stop })),
    )
  return observations
}

/**
 * Reads files of a published site: of its address, or of its folder.
 *
 * @throws DocsError, from what it answers with
 */
export function publishedFiles(against: string, stop: AbortSignal): (path: string) => Promise<string> {
  if (!isAddress(against)) return (path) => readText(join(against, ...path.split('/')))
  const all = AbortSignal.any([stop, AbortSignal.timeout(allPublishedMsMax)])
  return async (path) => {
    const url = new URL(path, against.endsWith('/') ? against : `${against}/`)
    try {
      const response = await fetch(url, { signal: AbortSignal.any([all, AbortSignal.timeout(publishedMsMax)]) })
      if (!response.ok) throw new DocsError(`${url} answered ${response.status}. Is it the root of the documentation?`)
      return Buffer.from(await bounded(`${url}`, response, publishedBytesMax).arrayBuffer()).toString('utf8')
    } catch (error) {
      stop.throwIfAborted()
      if (error instanceof DocsError) throw error
      throw new DocsError(`${url} could not be read: ${reasonOf(error)}`)
    }
  }
}

type Listed<T> = { readonly data: readonly T[]; readonly next_cursor: string | null }

/** @throws DocsError when what is answered is no list, or never ends */
async function* everyElement<T>(
  what: string,
  page: (cursor: { cursor?: string }) => Promise<Listed<T>>,
): AsyncGenerator<T, void> {
  let cursor: string | undefined
  let count = 0
  do {
    const answered: unknown = await page(cursor === undefined ? {} : { cursor })
    if (!isListed<T>(answered))
      throw new DocsError(`${what}: the answer is no list of Posthorn's. Is the address right?`)
    const { data, next_cursor } = answered
    yield* data
    count += data.length
    const isEndless = next_cursor !== null && (data.length === 0 || count > elementsMax)
    if (isEndless) throw new DocsError(`${what}: the list never ends, or has more than ${elementsMax} elements`)
    cursor = next_cursor ?? undefined
  } while (cursor !== undefined)
}

/** What the elements are is looked at when all of them are there. */
function isListed<T>(value: unknown): value is Listed<T> {
  if (value === null || typeof value !== 'object') return false
  const { data, next_cursor } = value as Record<string, unknown>
  return (
    Array.isArray(data) &&
    data.every((one) => one !== null && typeof one === 'object') &&
    (next_cursor === null || typeof next_cursor === 'string')
  )
}

function clientOf(url: string, apiKey: string) {
  return createPosthorn({
    url,
    apiKey,
    fetch: async (address, init) => bounded(`${address}`, await fetch(address, init), answerBytesMax),
  })
}

/** The same answer, which fails when it has more bytes. */
function bounded(url: string, response: Response, bytesMax: number): Response {
  let bytes = 0
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw new DocsError(`${url} is larger than ${bytesMax} bytes`)
      controller.enqueue(chunk)
    },
  })
  // An answer without content has no body.
  if (response.body === null) return response
  const { status, headers } = response
  return new Response(response.body.pipeThrough(counted), { status, headers })
}

async function readJson(file: string): Promise<unknown> {
  const text = await readText(file)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DocsError(`${file} is no JSON: ${reasonOf(error)}`)
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new DocsError(`${file} cannot be read: ${reasonOf(error)}`)
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Of `fetch` the cause says more.
  return error.cause instanceof Error ? error.cause.message : error.message
}
