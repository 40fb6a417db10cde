/**
 * Gets what a sample needs beside its toolchain, once: what was got is kept for the next run, whole or not at all.
 */
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SampleEntry } from '../manifest.ts'
import { hashOf } from '../samples.ts'
import type { Ended } from './children.ts'

export type Got = { readonly isHere: true; readonly folder: string } | { readonly isHere: false; readonly why: string }

export type Getting = {
  /** Where everything that was got is kept. */
  readonly cache: string
  readonly entry: Pick<SampleEntry, 'id' | 'install'>
  /** What else decides on what is got: other text, other folder. */
  readonly salt: string
}

const lastWordsCharactersMax = 300

/**
 * The folder that `make` has filled, now or in an earlier run. It is moved to its place when it is whole, so a program that
 * remembers where it was installed must not be run from it.
 */
export async function getOnce({ cache, entry, salt }: Getting, make: (place: string) => Promise<Ended>): Promise<Got> {
  const name = `${entry.id}-${hashOf(`${entry.install} ${salt}`).slice(0, 16)}`
  const folder = join(cache, name)
  if (await isThere(folder)) return { isHere: true, folder }
  await mkdir(cache, { recursive: true })
  const place = await mkdtemp(join(cache, `${name}-`))
  try {
    const ended = await make(place)
    if (ended.exitCode !== 0) return { isHere: false, why: whyNotGot(entry, ended) }
    await rename(place, folder).catch(async (error: unknown) => {
      // Another run was faster, and has the same.
      if (!(await isThere(folder))) throw error
    })
    return { isHere: true, folder }
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

/** One line for whoever reads why a sample was not run. */
export function whyNotGot({ install }: Pick<SampleEntry, 'install'>, { isOverdue, output }: Ended): string {
  if (isOverdue) return `"${install}" took too long`
  const lastWords = output.trim().split('\n').at(-1)?.trim().slice(0, lastWordsCharactersMax)
  return `"${install}" failed: ${lastWords || 'without a word'}`
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
