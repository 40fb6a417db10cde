/**
 * A PostgreSQL of a fault's own, as durable as in production, that can be killed and started again on the same port.
 *
 * Its folder is removed with it. Folders of runs that were killed are removed by the next run, with the server that may
 * still run in one and the small disk that may still be mounted there.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  EmbeddedPostgresError,
  type Host,
  removeAbandoned,
  startEmbeddedPostgres,
} from '@posthorn/engine/embedded-postgres'
import { prepareDatabase } from 'posthorn/serve'

const folderPrefix = 'posthorn-faults-'
/** A folder without a server is left alone for this long: its run may be about to start one. */
const startingMs = 600_000

export type OwnPostgres = AsyncDisposable & {
  /** The same at every start. */
  readonly url: string
  /** Sends the postmaster a signal: SIGKILL, or SIGQUIT, which is `pg_ctl stop -m immediate`. Resolves when it is gone. */
  kill(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void>
  /** Starts it again; what still runs of it is stopped first. */
  start(): Promise<void>
}

export type OwnPostgresOptions = {
  host: Host
  settings?: Readonly<Record<string, string>>
  /** Done between the first start, which makes the cluster, and the one that goes on. */
  rearrange?: (folder: { path: string; cluster: string }) => Promise<AsyncDisposable>
}

export async function startOwnPostgres(options: OwnPostgresOptions): Promise<OwnPostgres> {
  const { host, settings = {} } = options
  await removeKilledRuns(host)
  await using stack = new AsyncDisposableStack()
  const path = await temporaryFolder()
  stack.defer(() => rm(path, { recursive: true, force: true }))
  const dataDir = join(path, 'database')
  const start = (port: number) => startEmbeddedPostgres({ ...host, dataDir, port, settings })

  let server = await start(0)
  const { port, url } = server
  stack.defer(() => server.stop())
  await prepareDatabase(url, new Date())
  if (options.rearrange !== undefined) {
    await server.stop()
    stack.use(await options.rearrange({ path, cluster: join(dataDir, 'cluster') }))
    server = await start(port)
    // Stopped before what it stands on is put back.
    stack.defer(() => server.stop())
  }
  const parts = stack.move()
  return {
    url,
    async kill(signal) {
      process.kill(server.pid, signal)
      await server.stop()
    },
    async start() {
      await server.stop()
      server = await start(port)
      if (server.port !== port) throw new Error(`port ${port} was taken while PostgreSQL was down`)
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), folderPrefix))
  // Started as root, the database belongs to another user, who must be able to pass.
  await chmod(path, 0o711)
  return path
}

/** Removes what runs left behind that were killed. */
async function removeKilledRuns(host: Host): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const path = join(tmpdir(), name)
    const entry = name.startsWith(folderPrefix) ? await stat(path).catch(() => undefined) : undefined
    if (entry === undefined || entry.uid !== host.uid) continue
    const mayBeStarting = !existsSync(join(path, 'database', 'cluster', 'postmaster.pid'))
    if (mayBeStarting && Date.now() - entry.mtimeMs < startingMs) continue
    try {
      await removeAbandoned(join(path, 'database'), host)
      await promisify(execFile)('umount', [join(path, 'disk')]).catch(() => undefined) // seldom mounted
      await rm(path, { recursive: true, force: true })
    } catch (error) {
      if (!(error instanceof EmbeddedPostgresError)) throw error // that run goes on
    }
  }
}
