/** A disk that is soon full: a file system of a certain size in memory, mounted in a folder. For that one must be root. */
import { execFile } from 'node:child_process'
import { mkdir, rm, statfs, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** @throws what `mount` says where it is refused */
export async function mountSmallDisk(folder: string, bytes: number): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true })
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0755`, 'posthorn-faults', folder])
  return {
    async [Symbol.asyncDispose]() {
      await run('umount', [folder])
    },
  }
}

/** Moves the write-ahead log of a cluster that is stopped to a disk, with its owner. */
export async function moveLog(cluster: string, disk: string): Promise<void> {
  const [from, to] = [join(cluster, 'pg_wal'), join(disk, 'pg_wal')]
  await run('cp', ['-a', from, to])
  await rm(from, { recursive: true })
  await symlink(to, from)
}

/** Fills a disk with a file until so many bytes are left, or none, because others write to it meanwhile. */
export async function fillDisk(disk: string, file: string, leftBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(disk)
  try {
    await writeFile(join(disk, file), Buffer.alloc(Math.max(0, bavail * bsize - leftBytes), 'x'))
  } catch (error) {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC'
    if (!isFull) throw error
  }
}
