/**
 * Puts a whole folder, or a whole file, in the place of the one before. What is new is made in a folder of its own beside
 * it, under a name that nobody else has, and takes the place when all of it is there. Whoever is killed on the way leaves
 * the old one whole: where it was, or in the folder beside it, from where the next one puts it back.
 */
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** It cannot be written there. The message says why, and what to do. */
export class FolderError extends Error {
  override readonly name = 'FolderError'
}

/** Says that a folder was made here, and may be replaced. */
const markFile = '.posthorn-docs'
/** What a build that was killed has left is taken for garbage after so long: the longest build takes minutes. */
const leftAfterMs = 24 * 3600 * 1000
/** How often somebody else may put something in the place before ours does. */
const swapsMax = 3

/**
 * Writes a folder as a whole, and leaves it as it was when `write` fails.
 *
 * @param nowMs tells what others are making now from what they have left
 * @param write gets the empty folder that will take the place
 * @throws FolderError; whatever `write` throws
 */
export async function replaceFolder(
  out: string,
  { mark, nowMs }: { mark: string; nowMs: number },
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await placeOf(out)
  await orRefused(folder, () => mkdir(dirname(folder), { recursive: true }))
  await putBack(folder)
  await refuseForeign(folder)
  const beside = await orRefused(folder, () => mkdtemp(`${besideOf(folder)}${nameOf(nowMs)}-`))
  try {
    const fresh = join(beside, 'new')
    await orRefused(folder, async () => {
      await mkdir(fresh)
      await write(fresh)
      await writeFile(join(fresh, markFile), `${mark}\n`)
    })
    await refuseForeign(folder)
    await orRefused(folder, () => swap(folder, beside))
  } finally {
    await putBack(folder)
    await rm(beside, { recursive: true, force: true })
    await removeLeft(folder, nowMs)
  }
}

/** Writes a file as a whole. A device or a pipe is written as it is. */
export async function replaceFile(out: string, text: string): Promise<void> {
  const file = await placeOf(out)
  await orRefused(file, async () => {
    await mkdir(dirname(file), { recursive: true })
    const isThere = await stat(file).catch(orMissing)
    if (isThere !== undefined && !isThere.isFile()) return writeFile(file, text)
    const beside = await mkdtemp(besideOf(file))
    try {
      await writeFile(join(beside, 'new'), text)
      await rename(join(beside, 'new'), file)
    } finally {
      await rm(beside, { recursive: true, force: true })
    }
  })
}

/** Where a link leads: the link itself stays. */
async function placeOf(out: string): Promise<string> {
  const path = resolve(out)
  return (await realpath(path).catch(orMissing)) ?? path
}

function besideOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.posthorn-`)
}

/** The time stands in the name, because the clock of a file system may be another one. */
function nameOf(nowMs: number): string {
  return nowMs.toString(36)
}

/** Between the two moves nothing is in the place. There is no single move that exchanges folders on every system. */
async function swap(folder: string, beside: string): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    const old = join(beside, turn === 1 ? 'old' : `old-${turn}`)
    await rename(folder, old).catch(orMissing)
    try {
      return await rename(join(beside, 'new'), folder)
    } catch (error) {
      if (turn === swapsMax || !['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw error
    }
  }
}

/** What a build had put aside when it was killed, or when it could not move its own into the place. */
async function putBack(folder: string): Promise<void> {
  if ((await stat(folder).catch(orMissing)) !== undefined) return
  for (const beside of await foldersBeside(folder)) {
    const old = join(beside, 'old')
    if (!(await isOurs(old))) continue
    await orRefused(folder, () => rename(old, folder))
    return
  }
}

async function removeLeft(folder: string, nowMs: number): Promise<void> {
  for (const beside of await foldersBeside(folder)) {
    const [time = ''] = beside.slice(besideOf(folder).length).split('-')
    if (nowMs - Number.parseInt(time, 36) > leftAfterMs) await rm(beside, { recursive: true, force: true })
  }
}

async function foldersBeside(folder: string): Promise<string[]> {
  const parent = dirname(folder)
  const start = basename(besideOf(folder))
  const names = (await readdir(parent).catch(orMissing)) ?? []
  return names.filter((name) => name.startsWith(start)).map((name) => join(parent, name))
}

async function isOurs(folder: string): Promise<boolean> {
  return (await readFile(join(folder, markFile)).catch(orMissing)) !== undefined
}

async function refuseForeign(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    if (codeOf(error) === 'ENOENT') return []
    if (codeOf(error) === 'ENOTDIR') throw new FolderError(`${folder} is a file; name a folder`)
    throw refusal(folder, error)
  })
  if (entries.length > 0 && !entries.includes(markFile))
    throw new FolderError(
      `${folder} holds files that no build of ours has made; name another folder, or empty this one`,
    )
}

async function orRefused<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refusal(path, error)
  }
}

function refusal(path: string, error: unknown): unknown {
  if (codeOf(error) === '') return error
  const hint = codeOf(error) === 'EBUSY' ? '. It is a mount point, which cannot be replaced; name a folder in it' : ''
  return new FolderError(`${path} cannot be written: ${(error as Error).message}${hint}`)
}

/** Of an error of the file system; empty for any other. */
function codeOf(error: unknown): string {
  const isOfSystem = error instanceof Error && 'syscall' in error && 'code' in error
  return isOfSystem && typeof error.code === 'string' ? error.code : ''
}

function orMissing(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error))) throw error
}
