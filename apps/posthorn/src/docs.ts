/**
 * `posthorn docs`: exports the event types of an installation, builds the documentation of them as a static site, and
 * checks against a published one whether receivers would break.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Observations } from '@posthorn/contract'
import {
  type Branding,
  brandingDefault,
  type CheckResult,
  checkAgainst,
  createDocumentation,
  type DocsSource,
  type DocsSourceError,
  openSite,
  readPublished,
  sourceFormat,
} from '@posthorn/event-docs'
import { publishedFiles } from './docs-origins.ts'
import { replaceFile, replaceFolder } from './site-folder.ts'

/** Files that are written at once. */
const writesMax = 16

export type BuildOptions = {
  source: DocsSource
  branding: Branding
  out: string
  baseUrl: string
  apiUrl: string | undefined
  observations?: ReadonlyMap<string, Observations> | undefined
  nowMs: number
  stop: AbortSignal
}

/**
 * Writes the site into a folder, which takes the place of the one before when all of it is there.
 *
 * @throws FolderError when the folder holds something that is no site of ours, or cannot be written; the reason of `stop`
 */
export async function buildDocs({ out, apiUrl, observations, nowMs, stop, ...given }: BuildOptions): Promise<{
  files: number
  warnings: readonly string[]
}> {
  const documentation = createDocumentation({
    ...given,
    ...(apiUrl === undefined ? {} : { apiUrl }),
    ...(observations === undefined ? {} : { observations }),
  })
  await using site = openSite(documentation)
  const paths = [...site.files.keys()]
  await replaceFolder(out, { mark: sourceFormat, nowMs }, async (folder) => {
    const failed = new AbortController()
    const ended = AbortSignal.any([stop, failed.signal])
    const folders = new Map<string, Promise<unknown>>()
    async function put(path: string, body: string | Uint8Array): Promise<void> {
      const target = join(folder, ...path.split('/'))
      const parent = dirname(target)
      const made = folders.get(parent) ?? mkdir(parent, { recursive: true })
      folders.set(parent, made)
      await made
      await writeFile(target, body)
    }
    /** The next file is made while some are being written. */
    async function write(some: readonly string[]): Promise<void> {
      const writing = new Set<Promise<void>>()
      try {
        for (const path of some) {
          ended.throwIfAborted()
          const made = await site.files.get(path)?.()
          const one = put(path, made?.body ?? '')
            .catch((error: unknown) => failed.abort(error))
            .finally(() => writing.delete(one))
          writing.add(one)
          if (writing.size >= writesMax) await Promise.race(writing)
        }
      } finally {
        // Nothing is written any more when the folder is taken into its place, or thrown away.
        await Promise.all(writing)
      }
    }
    // Types of languages are made in a thread of their own; the others need not wait for them. Nor does either go on
    // writing into a folder that the other has given up.
    const parts = [true, false].map((are) => write(paths.filter((path) => path.startsWith('types/') === are)))
    for (const part of parts) part.catch((error: unknown) => failed.abort(error))
    await Promise.allSettled(parts)
    ended.throwIfAborted()
  })
  return { files: paths.length, warnings: await site.warnings() }
}

/** @throws FolderError when it cannot be written */
export async function exportSource(source: DocsSource, file: string): Promise<void> {
  await replaceFile(file, `${JSON.stringify(source, undefined, 2)}\n`)
}

/**
 * Holds event types against a published site: its address, or its folder.
 *
 * @throws DocsError, PublishedDocsError
 */
export async function checkDocs(source: DocsSource, against: string, stop: AbortSignal): Promise<CheckResult> {
  const published = await readPublished(publishedFiles(against, stop))
  return checkAgainst(published, createDocumentation({ source, branding: brandingDefault, baseUrl: '' }))
}

/** Faults of a source, as lines. */
export function linesOf(error: DocsSourceError): readonly string[] {
  return error.faults.map(({ pointer, detail }) => `${pointer === '' ? 'the document' : pointer} ${detail}`)
}
