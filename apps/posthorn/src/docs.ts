/**
 * `posthorn docs`: exports the event types of an installation, builds the documentation of them as a static site, and
 * checks against a published one whether receivers would break.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isReservedEventType, type Observations } from '@posthorn/contract'
import {
  type Branding,
  brandingDefault,
  type CheckResult,
  checkAgainst,
  createDocumentation,
  type DocsSource,
  type DocsSourceError,
  openSite,
  readBranding,
  readPublished,
  readSource,
  sourceFormat,
} from '@posthorn/event-docs'
import { createPosthorn } from '@posthorn/sdk'

/** What a site's file may be at the most, in bytes, when a published one is read. */
const publishedBytesMax = 16 * 1024 * 1024
const publishedMsMax = 30_000

/** It could not be done. The message says what to do. */
export class DocsError extends Error {
  override readonly name = 'DocsError'
}

export type Origin = {
  /** An installation's address, or a file that was exported. */
  from: string
  /** For an installation. */
  apiKey: string | undefined
}

/**
 * Reads the event types of an installation, or an exported file.
 *
 * @throws DocsError, DocsSourceError
 */
export async function loadSource({ from, apiKey }: Origin): Promise<DocsSource> {
  if (!isAddress(from)) return readSource(await readJson(from))
  if (apiKey === undefined)
    throw new DocsError('POSTHORN_API_KEY is not set; give a key that may read event types (role viewer)')
  const client = createPosthorn({ url: from, apiKey })
  const eventTypes: DocsSource['event_types'] = []
  for await (const eventType of client.eventTypes.list({ limit: 250 })) {
    // Posthorn's own event types are for the operator alone.
    if (isReservedEventType(eventType.name)) continue
    const versions: DocsSource['event_types'][number]['versions'] = []
    for await (const version of client.eventTypes.listVersions(eventType.name, { order: 'asc', limit: 250 }))
      versions.push(version)
    eventTypes.push({ event_type: eventType, versions })
  }
  eventTypes.sort((one, other) => (one.event_type.name < other.event_type.name ? -1 : 1))
  return readSource({ format: sourceFormat, meta: await client.meta(), event_types: eventTypes })
}

/** @throws DocsError, DocsSourceError */
export async function loadBranding(file: string | undefined): Promise<Branding> {
  return file === undefined ? brandingDefault : readBranding(await readJson(file))
}

/**
 * What was really published, by event type.
 *
 * @throws DocsError for a file, which says nothing of it
 */
export async function loadObservations(
  { from, apiKey }: Origin,
  source: DocsSource,
): Promise<Map<string, Observations>> {
  if (!isAddress(from) || apiKey === undefined)
    throw new DocsError('--observations asks an installation; give its address with --from')
  const client = createPosthorn({ url: from, apiKey })
  const observations = new Map<string, Observations>()
  for (const { event_type } of source.event_types)
    observations.set(event_type.name, await client.eventTypes.observations(event_type.name))
  return observations
}

export type BuildOptions = {
  source: DocsSource
  branding: Branding
  out: string
  baseUrl: string
  apiUrl: string | undefined
  observations?: ReadonlyMap<string, Observations> | undefined
}

/**
 * Writes the site into a folder. It is made beside it and put in its place when all of it is there: a build that ends in
 * the middle leaves the folder as it was.
 *
 * @throws DocsError when the folder holds something that is no site of ours
 */
export async function buildDocs({ out, apiUrl, observations, ...given }: BuildOptions): Promise<{
  files: number
  warnings: readonly string[]
}> {
  const folder = resolve(out)
  await refuseForeign(folder)
  const documentation = createDocumentation({
    ...given,
    ...(apiUrl === undefined ? {} : { apiUrl }),
    ...(observations === undefined ? {} : { observations }),
  })
  await using site = openSite(documentation)
  const fresh = `${folder}.new`
  await rm(fresh, { recursive: true, force: true })
  async function write(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const made = await site.files.get(path)?.()
      const target = join(fresh, ...path.split('/'))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, made?.body ?? '')
    }
  }
  // Types of languages are made in a thread of their own; the others need not wait for them.
  const paths = [...site.files.keys()]
  await Promise.all([true, false].map((are) => write(paths.filter((path) => path.startsWith('types/') === are))))
  await writeFile(join(fresh, markFile), `${sourceFormat}\n`)
  const old = `${folder}.old`
  await rm(old, { recursive: true, force: true })
  await rename(folder, old).catch(ignoreMissing)
  await rename(fresh, folder)
  await rm(old, { recursive: true, force: true })
  return { files: site.files.size, warnings: await site.warnings() }
}

/** Says that a folder was made here, and may be replaced. */
const markFile = '.posthorn-docs'

async function refuseForeign(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR') throw new DocsError(`${folder} is a file; name a folder`)
    throw error
  })
  if (entries.length > 0 && !entries.includes(markFile))
    throw new DocsError(`${folder} holds files that no build of ours has made; name another folder, or empty this one`)
}

/** @throws DocsError when it cannot be written */
export async function exportSource(source: DocsSource, file: string): Promise<void> {
  await mkdir(dirname(resolve(file)), { recursive: true })
  await writeFile(file, `${JSON.stringify(source, undefined, 2)}\n`)
}

/**
 * Holds event types against a published site: its address, or its folder.
 *
 * @throws DocsError, PublishedDocsError
 */
export async function checkDocs(source: DocsSource, against: string): Promise<CheckResult> {
  const published = await readPublished((path) => loadPublished(against, path))
  return checkAgainst(published, createDocumentation({ source, branding: brandingDefault, baseUrl: '' }))
}

async function loadPublished(against: string, path: string): Promise<string> {
  if (!isAddress(against)) return readText(join(against, ...path.split('/')))
  const url = new URL(path, against.endsWith('/') ? against : `${against}/`)
  const response = await fetch(url, { signal: AbortSignal.timeout(publishedMsMax) }).catch((error: unknown) => {
    throw new DocsError(`${url} could not be read: ${error instanceof Error ? error.message : String(error)}`)
  })
  if (!response.ok) throw new DocsError(`${url} answered ${response.status}. Is it the root of the documentation?`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > publishedBytesMax) throw new DocsError(`${url} is larger than ${publishedBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function readJson(file: string): Promise<unknown> {
  const text = await readText(file)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DocsError(`${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new DocsError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/** Faults of a source, as lines. */
export function linesOf(error: DocsSourceError): readonly string[] {
  return error.faults.map(({ pointer, detail }) => `${pointer === '' ? 'the document' : pointer} ${detail}`)
}
