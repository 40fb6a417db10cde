/**
 * Vitest's global set-up: one PostgreSQL for the whole run, with a migrated template that `createTestDatabase` copies.
 *
 * With `DATABASE_URL` the run uses that server (PostgreSQL 15 or later, a role that may create databases) and leaves
 * nothing behind. Without it an embedded one is started in a temporary folder, in memory where there is room, with
 * durability turned off: the databases do not outlive the run. Folders of runs that were killed are removed by the next.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { EmbeddedPostgresError, type Host, removeAbandoned, startEmbeddedPostgres } from '../db/embedded-postgres.ts'
import { migrate } from '../db/migrate.ts'
import { ensurePartitions } from '../db/partitions.ts'
import { closeDatabase } from '../db/sql/close-database.ts'
import { createDatabase } from '../db/sql/create-database.ts'
import { dropDatabase } from '../db/sql/drop-database.ts'
import { selectDatabases } from '../db/sql/select-databases.ts'
import { installJobs } from '../jobs.ts'
import { atDatabase, withClient } from './database.ts'

const folderPrefix = 'posthorn-test-'
/**
 * A test database is 700 files. On a disk's file system, making and removing so many again and again was seen to slow
 * down from 30 to 700 ms a database; in memory it stays at 30.
 */
const memoryFolder = '/dev/shm'
const memoryBytesMin = 2 * 1024 ** 3
/** A folder without a server is left alone for this long: its run may be about to start one. */
const startingMs = 600_000
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

let finish: () => Promise<void> = async () => undefined

export async function setup(project: TestProject): Promise<void> {
  const prefix = `posthorn_test_${randomBytes(4).toString('hex')}`
  const template = `${prefix}_template`
  const given = process.env['DATABASE_URL']
  const server = given === undefined || given === '' ? await embeddedServer() : givenServer(given, prefix)
  finish = server.finish
  try {
    await makeTemplate(server.url, template)
  } catch (error) {
    await finish()
    throw error
  }
  project.provide('postgres', { url: server.url, template, prefix })
}

export async function teardown(): Promise<void> {
  await finish()
}

type Server = { url: string; finish(): Promise<void> }

function givenServer(url: string, prefix: string): Server {
  const finish = () =>
    withClient(url, async (client) => {
      for (const name of await selectDatabases(client, prefix)) await dropDatabase(client, name)
    })
  return { url, finish }
}

async function embeddedServer(): Promise<Server> {
  const host: Host = { uid: process.getuid?.() ?? 0, pid: process.pid, env: process.env }
  for (const folder of [memoryFolder, tmpdir()]) await removeKilledRuns(folder, host)
  const dataDir = await mkdtemp(join(await temporaryFolder(), folderPrefix))
  const server = await startEmbeddedPostgres({ dataDir, settings: embeddedSettings, ...host })
  const finish = async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { url: server.url, finish }
}

async function temporaryFolder(): Promise<string> {
  const memory = await statfs(memoryFolder).catch(() => undefined)
  return memory !== undefined && memory.bavail * memory.bsize >= memoryBytesMin ? memoryFolder : tmpdir()
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

async function makeTemplate(serverUrl: string, template: string): Promise<void> {
  await withClient(serverUrl, (client) => createDatabase(client, template))
  const url = atDatabase(serverUrl, template)
  await migrate(url)
  await installJobs(url)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  try {
    await ensurePartitions(pool, { now: new Date() })
  } finally {
    await pool.end()
  }
  await withClient(serverUrl, (client) => closeDatabase(client, template))
}
