/**
 * Prisma's schema engine as WebAssembly: draws up the SQL that leads from one `schema.prisma` to another, without a
 * database and without a download.
 *
 * The engine wants a connection before it does anything, so it is given one that only tells a version. Used for drafts
 * and tests, never to apply migrations: it cuts scripts at every `;`.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)
const schemaFile = 'schema.prisma'
/** The oldest PostgreSQL we promise to run on, as the engine asks for it: schema there, text, number. */
const server = {
  columnNames: ['exists', 'version', 'server_version_num'],
  columnTypes: [5, 7, 0], // boolean, text, int32 in Prisma's driver adapter numbering
  rows: [[true, 'PostgreSQL 15.0', 150_000]],
}
const noFilters = { externalTables: [], externalEnums: [] }

/** The parts of the package's interface that are used here. */
type SchemaEngine = {
  diff(parameters: {
    from: DiffSide
    to: DiffSide
    script: true
    exitCode: boolean
    filters: typeof noFilters
  }): Promise<{ stdout: string | null }>
  diagnoseMigrationHistory(input: {
    migrationsList: MigrationList
    optInToShadowDatabase: false
    filters: typeof noFilters
  }): Promise<{ editedMigrationNames: string[]; failedMigrationNames: string[]; history: unknown }>
  applyMigrations(input: {
    migrationsList: MigrationList
    filters: typeof noFilters
  }): Promise<{ appliedMigrationNames: string[] }>
  free(): void
}
type Glue = {
  __wbg_set_wasm(exports: object): void
  SchemaEngine: {
    new: (options: { datamodels: undefined }, log: () => void, adapter: object) => Promise<SchemaEngine>
  }
}
type WebAssembly = {
  compile(program: Uint8Array): Promise<object>
  instantiate(module: object, imports: Record<string, object>): Promise<{ exports: { __wbindgen_start(): void } }>
}
type DiffSide = { tag: 'empty' } | { tag: 'schemaDatamodel'; files: { path: string; content: string }[] }

/** Migrations in the engine's form. */
export type MigrationList = {
  baseDir: string
  lockfile: { path: string; content: string | null }
  shadowDbInitScript: string
  migrationDirectories: { path: string; migrationFile: { path: string; content: { tag: 'ok'; value: string } } }[]
}

/**
 * The SQL that makes a database of the schema `from` one of the schema `to`.
 *
 * @param from text of a `schema.prisma`; undefined for an empty database
 * @throws Error with Prisma's explanation when a schema is invalid
 */
export async function diffSchemas(from: string | undefined, to: string): Promise<string> {
  const engine = await openEngine(adapterOf({ queryRaw: async () => server }))
  try {
    const side = (content: string): DiffSide => ({ tag: 'schemaDatamodel', files: [{ path: schemaFile, content }] })
    const { stdout } = await engine.diff({
      from: from === undefined ? { tag: 'empty' } : side(from),
      to: side(to),
      script: true,
      exitCode: false,
      filters: noFilters,
    })
    return stdout ?? ''
  } finally {
    engine.free()
  }
}

/** What `prisma migrate deploy` would say and do: which migrations it sees as edited or failed, and which it applies. */
export async function deployWithPrisma(
  databaseUrl: string,
  migrationsList: MigrationList,
): Promise<{ edited: string[]; failed: string[]; history: unknown; applied: string[] }> {
  const { PrismaPg } = require('@prisma/adapter-pg')
  const connection = await new PrismaPg({ connectionString: databaseUrl }).connect()
  const engine = await openEngine(adapterOf(connection))
  try {
    const filters = noFilters
    const found = await engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters })
    const { appliedMigrationNames: applied } = await engine.applyMigrations({ migrationsList, filters })
    return { edited: found.editedMigrationNames, failed: found.failedMigrationNames, history: found.history, applied }
  } finally {
    engine.free()
    await connection.dispose()
  }
}

/** Once a process: the glue keeps views of the program's memory, so a second program behind it would read the first's. */
let loaded: Promise<Glue> | undefined

async function openEngine(adapter: object): Promise<SchemaEngine> {
  loaded ??= load()
  const { SchemaEngine } = await loaded
  return SchemaEngine.new({ datamodels: undefined }, () => undefined, adapter)
}

async function load(): Promise<Glue> {
  const script = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const glue: Glue = await import(pathToFileURL(script).href)
  // Node has it; the compiler knows it only as part of the browser.
  const { compile, instantiate }: WebAssembly = Reflect.get(globalThis, 'WebAssembly')
  const program = await compile(await readFile(script.replace(/\.js$/, '.wasm')))
  // What the glue exports is what the program imports.
  const { exports } = await instantiate(program, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(exports)
  exports.__wbindgen_start()
  return glue
}

/** A connection in the form that the engine calls: answers are wrapped, and a failure is `{ ok: false }`. */
function adapterOf(connection: {
  queryRaw(query: unknown): Promise<unknown>
  executeRaw?(query: unknown): Promise<unknown>
  executeScript?(script: string): Promise<unknown>
}): object {
  const ok = (value: unknown) => ({ ok: true, value })
  const common = { provider: 'postgres', adapterName: 'posthorn', errorRegistry: { consumeError: () => undefined } }
  const bound = {
    ...common,
    queryRaw: async (query: unknown) => ok(await connection.queryRaw(query)),
    executeRaw: async (query: unknown) => ok(await connection.executeRaw?.(query)),
    executeScript: async (script: string) => ok(await connection.executeScript?.(script)),
    startTransaction: async () => ({ ok: false, error: { kind: 'GenericJs', id: 0 } }),
    getConnectionInfo: () => ok({ schemaName: 'public', supportsRelationJoins: true }),
    dispose: async () => ok(undefined),
  }
  return { ...common, connect: async () => ok(bound), connectToShadowDb: async () => ok(bound) }
}
