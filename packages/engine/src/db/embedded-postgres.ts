/**
 * A real PostgreSQL 18 from a registry package, for people who have no server at hand: `posthorn demo` and the tests.
 *
 * What is promised: the cluster listens on 127.0.0.1 only and asks for a random password; committed data survives
 * everything that PostgreSQL survives (nothing of its durability is turned off unless the caller does so); the server
 * runs in a process group of its own, so Ctrl+C in a terminal does not stop it before its users have drained; and a
 * server that outlived its killed parent is stopped before the folder is used again.
 *
 * The folder: `cluster/` is PostgreSQL's own, `password` (mode 0600) opens it, `server.log` is what the server wrote.
 * `cluster/` appears by a rename, so it is never half initialised.
 *
 * Limits: Linux and macOS on x64 and arm64. PostgreSQL refuses to run as root; for root it runs as the operating
 * system's user `postgres` (see embedded-postgres-host.ts).
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  chmod,
  chown,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded-postgres-error.ts'
import {
  type Binaries,
  commandOf,
  type Host,
  isReachable,
  type OsUser,
  parentOf,
  postgresBinaries,
  run,
  serverUser,
} from './embedded-postgres-host.ts'
import { createDatabase } from './sql/create-database.ts'

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded-postgres-error.ts'
export { type Host, reachableDataDir } from './embedded-postgres-host.ts'

/** The superuser and the database that `url` leads to. */
const clusterName = 'posthorn'
const passwordBytes = 24
const startDeadlineMs = 60_000
/** After this long a fast shutdown becomes an immediate one: the next start replays the log, nothing is lost. */
const stopDeadlineMs = 30_000
const pollMs = 20
/** A taken port moves on to the next one; after so many the system chooses, as often again. */
const portsTriedMax = 20
const portMax = 65_535
/** How long the children of a killed postmaster may take to notice that it is gone. */
const childrenPatienceMs = 10_000
/** A bigger log is moved to `server.log.1` at the next start. */
const logBytesMax = 10 * 1024 * 1024
const logTailLength = 2_000

/** A placeholder setting on the server's command line: the pid of the process that started it. */
const ownerSetting = 'posthorn.owner'
/** What every start says; the caller's settings come after these and win. */
const defaultSettings = { timezone: 'UTC', log_timezone: 'UTC' }

export type EmbeddedPostgresOptions = Host & {
  /** Kept between starts. Created when missing; its cluster is initialised when there is none yet. */
  dataDir: string
  /** The first port to try. 0 or undefined: any free one. */
  port?: number
  /** Server settings (`postgresql.conf` names) for this run, such as `max_connections`. */
  settings?: Readonly<Record<string, string>>
}

export type EmbeddedPostgres = {
  /** With the superuser's password: not for logs. */
  url: string
  port: number
  /** Such as `18.4`. */
  version: string
  /** The postmaster's. */
  pid: number
  /** Fast shutdown: open transactions are rolled back, committed ones are kept. Resolves when the process is gone. May be called again. */
  stop(): Promise<void>
}

/**
 * Initialises the folder when it is new, stops an orphan of an earlier run, starts the server and waits until it
 * accepts connections.
 *
 * @throws EmbeddedPostgresError by code; each message says what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = await serverUser(options)
  const binaries = await postgresBinaries(user)
  const dataDir = await preparedFolder(options.dataDir, user)
  const cluster = join(dataDir, 'cluster')
  await stopOrphan(cluster, binaries, user)
  const hasCluster = await isFolder(cluster)
  const password = await keptPassword(dataDir, hasCluster)
  const sync = options.settings?.['fsync'] !== 'off'
  if (!hasCluster) await initialise({ dataDir, binaries, user, password, sync })
  await assertSameVersion(cluster, binaries.version)

  const { child, port } = await startOnFreePort({ dataDir, cluster, binaries, user, options })
  const stop = stopper(child)
  const url = (database: string) =>
    `postgres://${clusterName}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
  try {
    await ensureDatabase(url('postgres'))
  } catch (error) {
    await stop()
    throw new EmbeddedPostgresError(
      'connection_refused',
      `PostgreSQL started but did not let us in. If ${join(dataDir, 'password')} was changed, restore it; otherwise move the folder away to begin a new one.`,
      { cause: error },
    )
  }
  return { url: url(clusterName), port, version: binaries.version, pid: pidOf(child), stop }
}

/**
 * Removes the folder of an earlier run, if it is there, and stops the server of a killed one that may still run on it.
 *
 * @throws EmbeddedPostgresError `already_running` when the process that started the server is alive
 */
export async function removeAbandoned(dataDir: string, host: Host): Promise<void> {
  if (!(await isFolder(dataDir))) return
  const user = await serverUser(host)
  await stopOrphan(join(await realpath(dataDir), 'cluster'), await postgresBinaries(user), user)
  await rm(dataDir, { recursive: true, force: true })
}

/**
 * Stops a server that still runs on this cluster although the process that started it is gone. Its command line names
 * that process, and whose child it is now tells whether it lives: a process that lost its parent is given another one.
 */
async function stopOrphan(cluster: string, binaries: Binaries, user: OsUser): Promise<void> {
  const server = await livingServer(cluster)
  if (server === undefined) return removeReusedPid(cluster)
  if ((await parentOf(server.pid)) === server.owner) {
    throw new EmbeddedPostgresError(
      'already_running',
      `Process ${server.owner} runs the database in ${cluster}. Stop it first, or use another folder.`,
    )
  }
  const stop = (mode: string) =>
    run(binaries.pgCtl, ['stop', `--pgdata=${cluster}`, `--mode=${mode}`, `--timeout=${stopDeadlineMs / 1000}`], {
      user,
    })
  try {
    await stop('fast').catch(() => stop('immediate'))
  } catch (error) {
    if ((await livingServer(cluster)) === undefined) return
    throw new EmbeddedPostgresError(
      'orphan_stays',
      `PostgreSQL (process ${server.pid}) of an earlier run does not stop. Stop it by hand, then start again.`,
      { cause: error },
    )
  }
}

/**
 * PostgreSQL knows a stale pid file, except when the pid has come again and belongs to another process of the same user
 * (after a reboot, or in a container): then it refuses to start. A process that is no PostgreSQL at all proves it stale.
 */
async function removeReusedPid(cluster: string): Promise<void> {
  const [pid] = await pidFile(cluster)
  const command = await commandOf(Number(pid))
  if (command !== undefined && !command.includes('postgres')) await rm(join(cluster, 'postmaster.pid'), { force: true })
}

/** The process in `postmaster.pid`, if that is a living PostgreSQL of this very cluster that we started. */
async function livingServer(cluster: string): Promise<{ pid: number; owner: number } | undefined> {
  const [pidLine] = await pidFile(cluster)
  const pid = Number(pidLine)
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  const command = await commandOf(pid)
  const [, owner] = command?.split(`/postgres -D ${cluster} -c ${ownerSetting}=`) ?? []
  return owner === undefined ? undefined : { pid, owner: Number.parseInt(owner, 10) }
}

/** `postmaster.pid`: pid, folder, start time, port, socket folder, address, shared memory, status. */
async function pidFile(cluster: string): Promise<string[]> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')
  return text.split('\n').map((line) => line.trim())
}

/** Makes the folder if need be. Answers its real path, which is how a server that runs on it is recognised. */
async function preparedFolder(dataDir: string, user: OsUser): Promise<string> {
  try {
    // The server's user passes through to `cluster/`; nobody but the owner can list the folder.
    await mkdir(dataDir, { recursive: true, mode: user.isOther ? 0o711 : 0o700 })
    if (user.isOther) await chmod(dataDir, 0o711)
    const path = await realpath(dataDir)
    if (!user.isOther || (await isReachable(path))) return path
  } catch (error) {
    throw new EmbeddedPostgresError('folder_unusable', `The data folder ${dataDir} cannot be written.`, {
      cause: error,
    })
  }
  throw new EmbeddedPostgresError(
    'folder_unreachable',
    `PostgreSQL runs as the user ${user.name}, who cannot reach ${dataDir}. Use a folder that everyone may pass through, or do not start as root.`,
  )
}

async function isFolder(path: string): Promise<boolean> {
  return lstat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  )
}

/** The folder's password, made on the first start. Written beside and linked, so that two starts at once agree on one. */
async function keptPassword(dataDir: string, hasCluster: boolean): Promise<string> {
  const path = join(dataDir, 'password')
  const kept = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw new EmbeddedPostgresError('folder_unusable', `${path} cannot be read: the folder belongs to another user.`, {
      cause: error,
    })
  })
  if (kept !== undefined) return kept.trim()
  if (hasCluster) {
    throw new EmbeddedPostgresError(
      'password_missing',
      `${path} is missing, so the database beside it cannot be opened. Restore it, or move the folder away to begin a new one.`,
    )
  }
  const fresh = `${path}.${randomUUID()}`
  await writeFile(fresh, randomBytes(passwordBytes).toString('base64url'), { mode: 0o600, flag: 'wx' })
  await link(fresh, path).catch(ignoreExisting)
  await rm(fresh)
  return (await readFile(path, 'utf8')).trim()
}

/** Runs `initdb` on a folder of another name and renames it, so that a start cut short leaves no half a cluster. */
async function initialise(options: {
  dataDir: string
  binaries: Binaries
  user: OsUser
  password: string
  sync: boolean
}): Promise<void> {
  const { dataDir, binaries, user, password } = options
  const unfinished = join(dataDir, `cluster.${randomUUID()}`)
  const passwordFile = join(dataDir, `password.${randomUUID()}`)
  try {
    await mkdir(unfinished, { mode: 0o700 })
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' })
    if (user.isOther) {
      await chown(unfinished, user.uid, user.gid)
      await chown(passwordFile, user.uid, user.gid)
    }
    // The builtin provider sorts and folds alike on every system, whatever its C library.
    await run(
      binaries.initdb,
      [
        `--pgdata=${unfinished}`,
        `--username=${clusterName}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-instructions',
        ...(options.sync ? [] : ['--no-sync']),
      ],
      { user },
    )
    await rename(unfinished, join(dataDir, 'cluster')).catch(ignoreExisting)
  } catch (error) {
    throw new EmbeddedPostgresError('initdb_failed', `A database could not be made in ${dataDir}: ${wordsOf(error)}`, {
      cause: error,
    })
  } finally {
    await rm(passwordFile, { force: true })
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function assertSameVersion(cluster: string, version: string): Promise<void> {
  const made = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '')).trim()
  if (made === version.split('.')[0]) return
  throw new EmbeddedPostgresError(
    'folder_other_version',
    `${cluster} belongs to PostgreSQL ${made || '(no version file)'}, this is ${version}. Move the folder away, or dump it with its own version first.`,
  )
}

type Start = {
  dataDir: string
  cluster: string
  binaries: Binaries
  user: OsUser
  options: EmbeddedPostgresOptions
}

/**
 * Starts the server on the first port that is free. Between our look and the server's bind another process may take the
 * port: then the server exits, the port is seen to be taken, and the next one is tried. When a postmaster was killed
 * (its pid file is still there), PostgreSQL refuses the folder until its children have noticed.
 */
async function startOnFreePort(start: Start): Promise<{ child: ChildProcess; port: number }> {
  const wasKilled = (await pidFile(start.cluster)).length > 1
  const patienceMs = wasKilled ? childrenPatienceMs : 0
  for (const wanted of portsToTry(start.options.port ?? 0)) {
    const port = await freePort(wanted)
    if (port === undefined) continue
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      const child = await startOn(port, start)
      if (child !== undefined) return { child, port }
      if ((await freePort(port)) === undefined) break
      // Another start on this folder may have been quicker: then that is the error.
      await stopOrphan(start.cluster, start.binaries, start.user)
      if (waitedMs >= patienceMs) throw await startFailure('start_failed', 'PostgreSQL did not start.', start)
      await delay(pollMs)
    }
  }
  throw new EmbeddedPostgresError('no_free_port', 'No free port was found on 127.0.0.1.')
}

function portsToTry(first: number): number[] {
  const inTurn = Array.from({ length: first === 0 ? 0 : portsTriedMax }, (_, index) => first + index)
  return [...inTurn.filter((port) => port <= portMax), ...Array.from({ length: portsTriedMax }, () => 0)]
}

async function startFailure(
  code: EmbeddedPostgresErrorCode,
  words: string,
  start: Start,
): Promise<EmbeddedPostgresError> {
  const log = join(start.dataDir, 'server.log')
  const text = await readFile(log, 'utf8').catch(() => '')
  return new EmbeddedPostgresError(code, `${words} The end of ${log}:\n${text.slice(-logTailLength)}`)
}

/** The port itself if it is free on 127.0.0.1 (0: some free port), else undefined. */
async function freePort(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : undefined
  } catch {
    return undefined
  } finally {
    server.close()
  }
}

/** Resolves with the process once it is ready for connections, or with undefined when it exited before. */
async function startOn(port: number, start: Start): Promise<ChildProcess | undefined> {
  // After a power cut the file of the killed server is still there, and pids come again.
  const stale = (await pidFile(start.cluster)).join()
  const child = await spawnServer(port, start)
  const pid = String(pidOf(child))
  for (let waitedMs = 0; waitedMs < startDeadlineMs; waitedMs += pollMs) {
    if (hasExited(child)) return undefined
    const lines = await pidFile(start.cluster)
    if (lines[0] === pid && lines[7] === 'ready' && lines.join() !== stale) return child
    await delay(pollMs)
  }
  await stopper(child)()
  throw await startFailure('start_timeout', `PostgreSQL was not ready after ${startDeadlineMs / 1000} s.`, start)
}

async function spawnServer(port: number, start: Start): Promise<ChildProcess> {
  const { dataDir, cluster, binaries, user, options } = start
  const settings = {
    [ownerSetting]: String(options.pid), // first: `livingServer` reads it there
    ...defaultSettings,
    ...options.settings,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = await openLog(dataDir)
  try {
    const child = spawn(binaries.postgres, ['-D', cluster, ...args], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: '/',
      env: { LC_ALL: 'C' },
      ...(user.isOther ? { uid: user.uid, gid: user.gid } : {}),
    })
    await once(child, 'spawn')
    return child
  } catch (error) {
    throw new EmbeddedPostgresError('start_failed', `${binaries.postgres} cannot be run: ${wordsOf(error)}`, {
      cause: error,
    })
  } finally {
    await log.close()
  }
}

async function openLog(dataDir: string): Promise<FileHandle> {
  const path = join(dataDir, 'server.log')
  const bytes = await stat(path).then(
    (entry) => entry.size,
    () => 0,
  )
  if (bytes > logBytesMax) await rename(path, `${path}.1`)
  return open(path, 'a', 0o600)
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one. */
function stopper(child: ChildProcess): () => Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (hasExited(child)) resolve()
    else child.once('exit', () => resolve())
  })
  let stopping: Promise<void> | undefined
  return () => {
    stopping ??= shutDown(child, gone)
    return stopping
  }
}

async function shutDown(child: ChildProcess, gone: Promise<void>): Promise<void> {
  const patience = new AbortController()
  child.kill('SIGINT')
  const lastResort = delay(stopDeadlineMs, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGQUIT'),
    () => undefined,
  )
  await gone
  patience.abort()
  await lastResort
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new EmbeddedPostgresError('start_failed', 'PostgreSQL could not be started.')
  return child.pid
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await createDatabase(client, clusterName).catch((error: unknown) => {
      if (!hasCode(error, '42P04')) throw error // duplicate_database: a kept folder
    })
  } finally {
    await client.end()
  }
}

function ignoreExisting(error: unknown): void {
  if (!hasCode(error, 'EEXIST') && !hasCode(error, 'ENOTEMPTY')) throw error
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
