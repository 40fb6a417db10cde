/**
 * Where a benchmark plays: an empty, migrated PostgreSQL 18 of its own in a temporary folder, as durable as in
 * production (`fsync` and `synchronous_commit` on, no other setting than the defaults).
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@posthorn/engine'
import { type Host, startEmbeddedPostgres } from '@posthorn/engine/embedded-postgres'
import { prepareDatabase } from 'posthorn/serve'

/** Connections for filling and counting. */
const poolSize = 4

export type Stage = AsyncDisposable & {
  readonly db: Database
  /** The server's process, whose children are its sessions; undefined when it is not ours. */
  readonly postgresPid: number | undefined
}

/** @param now Unix time in milliseconds */
export async function openStage(host: Host, now: () => number): Promise<Stage> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const server = await startEmbeddedPostgres({ ...host, dataDir: join(folder.path, 'database') })
  stack.defer(server.stop)
  const stage = stack.use(await prepareStage(server.url, now))
  const parts = stack.move()
  return { db: stage.db, postgresPid: server.pid, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

/** A stage on a database that somebody else made. */
export async function prepareStage(url: string, now: () => number): Promise<Stage> {
  await prepareDatabase(url, new Date(now()))
  const db = openDatabase({ url, poolSize })
  return { db, postgresPid: undefined, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() }
}

/** A new folder that is removed with all it holds. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'posthorn-bench-'))
  // Started as root, the database belongs to another user, who must be able to pass.
  await chmod(path, 0o711)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
