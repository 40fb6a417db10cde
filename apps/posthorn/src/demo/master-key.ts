/**
 * The demo's master key: the one of the environment, or one of its own, made once for each data folder and kept there
 * beside the databases, so that `--keep` can open the secrets of the run before. Nobody but its user may read it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseMasterKeys, type World } from '@posthorn/engine'
import { type Host, reachableDataDir } from '@posthorn/engine/embedded-postgres'
import { DemoError } from './demo-error.ts'

const masterKeyBytes = 32
const fileName = 'master-key'
const ownerOnly = 0o600

export type DemoMasterKeyOptions = {
  given: readonly Uint8Array[] | undefined
  dataDir: string
  host: Host
  world: World
}

/** @throws DemoError when the file holds something else */
export async function demoMasterKeys({
  given,
  dataDir,
  host,
  world,
}: DemoMasterKeyOptions): Promise<readonly Uint8Array[]> {
  if (given !== undefined) return given
  const folder = await reachableDataDir(dataDir, host)
  const file = join(folder, fileName)
  await mkdir(folder, { recursive: true })
  const fresh = Buffer.from(world.randomBytes(masterKeyBytes)).toString('base64')
  // A file that is there is never written over: what it sealed could not be opened any more.
  await writeFile(file, `${fresh}\n`, { mode: ownerOnly, flag: 'wx' }).catch(unlessThere)
  try {
    return parseMasterKeys((await readFile(file, 'utf8')).trim())
  } catch (error) {
    throw new DemoError(`the master key in ${file} cannot be used. Delete ${folder} to begin anew.`, { cause: error })
  }
}

function unlessThere(error: unknown): void {
  const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
  if (!isThere) throw error
}
