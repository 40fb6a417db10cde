/** Installs Debian packages that tests need, such as a browser, where that can be done. */
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A package list and 300 MB on a slow line. */
const installMsMax = 8 * 60_000
/** Two test files may want something at the same time, and only one may install. */
const lockFile = join(tmpdir(), 'posthorn-debian-packages.lock')
const script = 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"'

/** Whose process it is: what `process` says of it. */
export type Host = { uid: number; env: Readonly<Record<string, string | undefined>> }

/** Resolves with why they could not be installed, or with undefined when they are there. */
export async function installDebianPackages(
  packages: readonly string[],
  { uid, env }: Host,
): Promise<string | undefined> {
  if (uid !== 0) return 'not root, so nothing was installed'
  const options = { timeout: installMsMax, env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
  try {
    await run('flock', [lockFile, 'sh', '-c', script, 'sh', ...packages], options)
    return undefined
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return `apt-get: ${text.split('\n').slice(0, 3).join(' ')}`
  }
}
