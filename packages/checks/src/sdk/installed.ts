/** A folder in which programs find what they would have installed: the SDK, and `pg`. */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sdk = dirname(dirname(fileURLToPath(import.meta.resolve('@posthorn/sdk'))))
const pg = fileURLToPath(new URL('../../../engine/node_modules/pg', import.meta.url))

export async function installedFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'posthorn-installed-'))
  await mkdir(join(path, 'node_modules/@posthorn'), { recursive: true })
  await symlink(sdk, join(path, 'node_modules/@posthorn/sdk'))
  await symlink(pg, join(path, 'node_modules/pg'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
