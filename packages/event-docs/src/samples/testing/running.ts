/** Runs one sample, from its file to what is to be kept of it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SampleEntry } from '../manifest.ts'
import { hashOf, type KeptResult, readSample } from '../samples.ts'
import type { Environment } from './children.ts'
import { judgeCommand, judgeServer } from './judging.ts'
import { prepare } from './toolchains.ts'

export type Outcome =
  | { readonly came: 'right'; readonly result: KeptResult }
  /** It could not be built or started, or judged otherwise than it may. */
  | { readonly came: 'wrong'; readonly faults: readonly string[] }
  | { readonly came: 'skipped'; readonly why: string }

/** Where what samples need is kept between runs. */
export const cacheFolder = fileURLToPath(new URL('../../../node_modules/.cache/samples', import.meta.url))

export async function runSample(entry: SampleEntry, env: Environment): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), `posthorn-sample-${entry.id}-`))
  try {
    const prepared = await prepare({ entry, folder, cache: cacheFolder, env })
    if (!prepared.isReady) return { came: 'skipped', why: prepared.why }
    const judge = entry.language === 'shell' ? judgeCommand : judgeServer
    const { requests, differs, faults } = await judge(prepared, entry)
    if (faults.length > 0) return { came: 'wrong', faults: faults.map((what) => `with ${prepared.with}: ${what}`) }
    const sha256 = hashOf(readSample(entry, {}).text)
    const { with: version, libraries } = prepared
    return { came: 'right', result: { sha256, with: version, libraries, requests, differs: differs.toSorted() } }
  } catch (error) {
    return { came: 'wrong', faults: [error instanceof Error ? error.message : String(error)] }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
