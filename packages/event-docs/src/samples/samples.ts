/**
 * Code samples for those who receive: each a file of its own below `packages/event-docs/samples`, and each with what is
 * known of it. `samples/results.json` says which were run against the published requests, with what, and of which bytes:
 * a sample that was changed since counts as one that was never run.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import results from '../../samples/results.json' with { type: 'json' }
import { type Language, languageNames, type SampleEntry, sampleEntries } from './manifest.ts'

export type SampleRun =
  | {
      readonly ran: true
      /** `Python 3.11` */
      readonly with: string
      /** What its install command brought: `flask 3.1.3`. Empty where that is not known, or nothing. */
      readonly libraries: readonly string[]
      /** How many of the published requests it judged. */
      readonly requests: number
      /**
       * Names of requests that it judges otherwise than the vectors, because of the library or the server behind it: it
       * takes a header that is not well-formed, beside a right signature, or refuses a body that is no JSON.
       */
      readonly differs: readonly string[]
    }
  | { readonly ran: false; readonly why: string }

export type Sample = {
  readonly id: string
  readonly language: Language
  readonly languageName: string
  readonly framework: string
  readonly usesLibrary: boolean
  readonly title: string
  readonly install: string | undefined
  readonly start: string
  readonly toolchain: string
  readonly fileName: string
  readonly text: string
  readonly run: SampleRun
}

/** What a run found out, as it is kept. */
export type KeptResult = {
  /** Of the sample's bytes, when it ran. */
  readonly sha256: string
  readonly with: string
  readonly libraries: readonly string[]
  readonly requests: number
  readonly differs: readonly string[]
}
export type KeptResults = Readonly<Record<string, KeptResult>>

const folder = fileURLToPath(new URL('../../samples', import.meta.url))

export const samples: readonly Sample[] = sampleEntries.map((entry) => readSample(entry, results))

/** A sample with its text and what the results know of it. */
export function readSample(entry: SampleEntry, kept: KeptResults): Sample {
  const { id, language, framework, usesLibrary, file, install, start, toolchain } = entry
  const text = readFileSync(`${folder}/${file}`, 'utf8')
  const languageName = languageNames[language]
  const title = `${languageName}, ${framework}${usesLibrary ? '' : ', no library'}`
  const fileName = entry.savedAs ?? basename(file)
  const run = runOf(entry, text, kept)
  return { id, language, languageName, framework, usesLibrary, title, install, start, toolchain, fileName, text, run }
}

/** Names the bytes of a sample. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function runOf({ id, toolchain, packages }: SampleEntry, text: string, kept: KeptResults): SampleRun {
  const result = Object.hasOwn(kept, id) ? kept[id] : undefined
  if (result === undefined)
    return { ran: false, why: `not all that it needs was at hand: ${[toolchain, ...packages].join(', ')}` }
  if (result.sha256 !== hashOf(text)) return { ran: false, why: 'it was changed since it was last run' }
  const { libraries, requests, differs } = result
  return { ran: true, with: result.with, libraries, requests, differs }
}
