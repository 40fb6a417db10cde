/** The name servers of this network: one, which says what the test wants. `/etc/resolv.conf` names it, as anywhere. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Where name servers listen. */
export const nameServerPort = 53

/** @throws when nothing can be mounted */
export async function useOurNameServer(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-network-'))
  const file = join(folder, 'resolv.conf')
  try {
    await writeFile(file, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
    // Seen by this process and its children alone: the mounts are those of a namespace of its own.
    await promisify(execFile)('mount', ['--bind', file, '/etc/resolv.conf'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
