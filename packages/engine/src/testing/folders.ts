/**
 * Folders of a run of tests, in memory where there is room: databases are many files that do not outlive the run. What
 * runs that were killed have left is removed by the next (see server.ts).
 */
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the names of all of them begin with. */
export const folderPrefix = 'posthorn-test-'
/**
 * A test database is 700 files. On a disk's file system, making and removing so many again and again was seen to slow
 * down from 30 to 700 ms a database; in memory it stays at 30.
 */
const memoryFolder = '/dev/shm'
const memoryBytesMin = 2 * 1024 ** 3

/** Where they can be. */
export const folderPlaces: readonly string[] = [memoryFolder, tmpdir()]

export async function makeTestFolder(): Promise<string> {
  const memory = await statfs(memoryFolder).catch(() => undefined)
  const hasRoom = memory !== undefined && memory.bavail * memory.bsize >= memoryBytesMin
  return mkdtemp(join(hasRoom ? memoryFolder : tmpdir(), folderPrefix))
}

/** A folder of a test's own that is removed with all it holds. A database's user can reach it too. */
export async function createTestFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await makeTestFolder()
  // Started as root, the database belongs to another user, who must be able to pass.
  await chmod(path, 0o711)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
