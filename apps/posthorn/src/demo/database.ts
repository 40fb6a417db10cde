/**
 * The demo's database: the one of `DATABASE_URL`, or an embedded PostgreSQL in a folder of its own.
 *
 * Two folders: `fresh` belongs to one run and is emptied by the next; `kept` is what `--keep` goes on with. The first
 * `--keep` adopts what the run before it left, so one need not have known in advance.
 */
import { access, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { prepareDemoDatabase } from '@posthorn/engine'
import { type Host, reachableDataDir, removeAbandoned, startEmbeddedPostgres } from '@posthorn/engine/embedded-postgres'

export type DemoDatabase = { url: string; text: string; stop(): Promise<void> }

export type DemoDatabaseOptions = {
  /** The operator's own server, or undefined for the embedded one. */
  url: string | undefined
  dataDir: string
  keep: boolean
  host: Host
  migrate(url: string): Promise<unknown>
}

/** Starts or opens the database and brings it to this version's schema; empty unless `keep` is set. */
export async function openDemoDatabase(options: DemoDatabaseOptions): Promise<DemoDatabase> {
  const { keep, migrate } = options
  if (options.url !== undefined) {
    const url = options.url
    await prepareDemoDatabase(url, keep, () => migrate(url))
    return { url, text: `${hostOf(url)} (DATABASE_URL)`, stop: async () => undefined }
  }
  const server = await startEmbeddedPostgres({ ...options.host, dataDir: await chosenFolder(options) })
  try {
    await prepareDemoDatabase(server.url, keep, () => migrate(server.url))
  } catch (error) {
    await server.stop()
    throw error
  }
  const text = `PostgreSQL ${server.version}, embedded, port ${server.port}${keep ? ', kept' : ''}`
  return { url: server.url, text, stop: server.stop }
}

async function chosenFolder({ dataDir, keep, host }: DemoDatabaseOptions): Promise<string> {
  const folder = await reachableDataDir(dataDir, host)
  const fresh = join(folder, 'fresh')
  const kept = join(folder, 'kept')
  if (!keep) {
    if (await exists(fresh)) await removeAbandoned(fresh, host)
    return fresh
  }
  if (!(await exists(kept)) && (await exists(fresh))) {
    // A server that outlived its killed parent still writes there: start and stop it once, so that it has ended.
    await (await startEmbeddedPostgres({ ...host, dataDir: fresh })).stop()
    await rename(fresh, kept)
  }
  return kept
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Where a server is, without the password. */
function hostOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `PostgreSQL at ${hostname}:${port || '5432'}${pathname}`
}
