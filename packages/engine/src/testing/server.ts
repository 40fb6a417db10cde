/**
 * The PostgreSQL of a test run, with a migrated template database to copy.
 *
 * Given a connection string it is that server (PostgreSQL 15 or later, a role that may create databases), and nothing is
 * left behind there. Otherwise an embedded one is started in a temporary folder, in memory where there is room, with
 * durability turned off: the databases do not outlive the run. Folders of runs that were killed are removed by the next.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { EmbeddedPostgresError, type Host, removeAbandoned, startEmbeddedPostgres } from '../db/embedded-postgres.ts'
import { migrate } from '../db/migrate.ts'
import { ensurePartitions } from '../db/partitions.ts'
import { closeDatabase } from '../db/sql/close-database.ts'
import { countSessions } from '../db/sql/count-sessions.ts'
import { createDatabase } from '../db/sql/create-database.ts'
import { dropDatabase } from '../db/sql/drop-database.ts'
import { lockCopying } from '../db/sql/lock-copying.ts'
import { selectDatabases } from '../db/sql/select-databases.ts'
import { installJobs } from '../jobs.ts'
import { folderPlaces, folderPrefix, makeTestFolder } from './folders.ts'

/** A folder without a server is left alone for this long: its run may be about to start one. */
const startingMs = 600_000
/** Autovacuum may sit in the template for a moment; PostgreSQL waits 5 s for it and then refuses the copy. */
const copiesTriedMax = 5
/** So often (about half a second) we ask whether a session has noticed that its client left. Those that stay are ended. */
const goodbyeAskedMax = 500
const embeddedSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '512MB',
  log_checkpoints: 'off',
}

/** What a worker needs to know to copy the template. */
export type TestServer = {
  /** The server, through a database that tests do not use. */
  readonly url: string
  readonly template: string
  /** What the names of all databases of this run begin with. */
  readonly prefix: string
}

export type TestDatabase = AsyncDisposable & { readonly url: string }

/** Starts or reaches the server and makes the template: migrated, with pg-boss's tables and the partitions around now. */
export async function openTestServer(
  host: Host,
  options: { databaseUrl: string | undefined; now: Date },
): Promise<TestServer & { close(): Promise<void> }> {
  const prefix = `posthorn_test_${randomBytes(4).toString('hex')}`
  const template = `${prefix}_template`
  const { databaseUrl, now } = options
  const server = databaseUrl ? givenServer(databaseUrl, prefix) : await embeddedServer(host)
  try {
    await makeTemplate(server.url, template, now)
  } catch (error) {
    await server.close()
    throw error
  }
  return { ...server, template, prefix }
}

/** A database of this run; disposing drops it, whoever is still connected. */
export async function copyDatabase(server: TestServer, template = server.template): Promise<TestDatabase> {
  const name = `${server.prefix}_${randomBytes(8).toString('hex')}`
  await withClient(server.url, async (client) => {
    await lockCopying(client)
    await copy(client, name, template)
  })
  return {
    url: atDatabase(server.url, name),
    async [Symbol.asyncDispose]() {
      await withClient(server.url, async (client) => {
        await sessionsToEnd(client, name)
        await dropDatabase(client, name)
      })
    },
  }
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/**
 * A pool that has just ended has said goodbye, but its sessions may not have heard it yet. Ending them by force at that
 * moment is an error that nobody listens for any more; so they are given a moment.
 */
async function sessionsToEnd(client: pg.Client, database: string): Promise<void> {
  for (let asked = 0; asked < goodbyeAskedMax; asked += 1) {
    if ((await countSessions(client, database)) === 0) return
  }
}

type Server = { url: string; close(): Promise<void> }

function givenServer(url: string, prefix: string): Server {
  const close = () =>
    withClient(url, async (client) => {
      for (const name of await selectDatabases(client, prefix)) await dropDatabase(client, name)
    })
  return { url, close }
}

async function embeddedServer(host: Host): Promise<Server> {
  for (const folder of folderPlaces) await removeKilledRuns(folder, host)
  const dataDir = await makeTestFolder()
  const server = await startEmbeddedPostgres({ dataDir, settings: embeddedSettings, ...host })
  const close = async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { url: server.url, close }
}

async function removeKilledRuns(folder: string, host: Host): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const dataDir = join(folder, name)
    const entry = name.startsWith(folderPrefix) ? await stat(dataDir).catch(() => undefined) : undefined
    if (entry === undefined || entry.uid !== host.uid) continue
    const mayBeStarting = !existsSync(join(dataDir, 'cluster', 'postmaster.pid'))
    if (mayBeStarting && Date.now() - entry.mtimeMs < startingMs) continue
    await removeAbandoned(dataDir, host).catch((error: unknown) => {
      if (!(error instanceof EmbeddedPostgresError)) throw error // that run goes on
    })
  }
}

async function makeTemplate(serverUrl: string, template: string, now: Date): Promise<void> {
  await withClient(serverUrl, (client) => createDatabase(client, template))
  const url = atDatabase(serverUrl, template)
  await migrate(url)
  await installJobs(url)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  try {
    await ensurePartitions(pool, { now })
  } finally {
    await pool.end()
  }
  await withClient(serverUrl, (client) => closeDatabase(client, template))
}

async function copy(client: pg.Client, name: string, template: string): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await createDatabase(client, name, template)
    } catch (error) {
      const isInUse = error instanceof pg.DatabaseError && error.code === '55006'
      if (!isInUse || tried === copiesTriedMax) throw error
    }
  }
}

/** The same server and role, another database. */
function atDatabase(url: string, name: string): string {
  const moved = new URL(url)
  moved.pathname = `/${name}`
  return moved.href
}
