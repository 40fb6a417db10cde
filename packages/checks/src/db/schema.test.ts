/** The schema has four tellers: the migrations, schema.sql, schema.prisma and the lists of words in the contract. They agree. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  apiKeyRoles,
  attemptTriggers,
  auditActions,
  canceledReasons,
  credentialTypes,
  deliveryStates,
  disabledReasons,
  erasureStates,
  eventTypeStates,
  failureCodes,
  grantablePermissions,
  payloadFormats,
  portalCapabilities,
  replayChoices,
  replayOutcomes,
  replaySkipReasons,
  replayStates,
  signatureSchemes,
  subscriptionStates,
  systemEventTypes,
  validationModes,
} from '@posthorn/contract'
import { createEmptyDatabase, createTestDatabase, type TestDatabase, withClient } from '@posthorn/engine/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dumpSchema } from './dump-schema.ts'
import { deployWithPrisma, diffSchemas, type MigrationList } from './schema-engine.ts'

const prismaFolder = fileURLToPath(new URL('../../../../prisma', import.meta.url))

let migrated: TestDatabase

beforeAll(async () => {
  migrated = await createTestDatabase()
})

afterAll(async () => {
  await migrated[Symbol.asyncDispose]()
})

test('schema.sql is the dump of the migrated database', async () => {
  const kept = await readFile(join(prismaFolder, 'schema.sql'), 'utf8').catch(() => '')
  expect(await dumpSchema(migrated.url), 'the schema has changed: run `pnpm db:dump`').toBe(kept)
})

test('the dump shows a changed column, CHECK, index, storage setting and function, and refuses what it cannot show', async () => {
  await using database = await createTestDatabase()
  const before = (await dumpSchema(database.url)).split('\n')
  await withClient(database.url, (client) =>
    client.query(`
      alter table event add column added numeric(5, 2) not null default 1;
      alter table replay add constraint replay_rate check (rate_per_second > 0);
      create index event_added on event (added) where added > 1;
      alter table backlog set (fillfactor = 71);
      create function doubled(n int) returns int language sql as 'select 2 * n';
      create trigger replay_touched before update on replay for each row execute function suppress_redundant_updates_trigger();`),
  )
  const after = (await dumpSchema(database.url)).split('\n')
  expect(after.filter((line) => !before.includes(line))).toEqual([
    'CREATE OR REPLACE FUNCTION public.doubled(n integer)',
    ' RETURNS integer',
    ' LANGUAGE sql',
    'AS $function$select 2 * n$function$;',
    '  fillfactor = 71',
    '  added             numeric(5,2) NOT NULL DEFAULT 1,',
    'CREATE INDEX event_added ON event USING btree (added) WHERE added > 1::numeric;',
    '  CONSTRAINT replay_rate CHECK (rate_per_second > 0),',
    'CREATE TRIGGER replay_touched BEFORE UPDATE ON replay FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();',
  ])
  await withClient(database.url, (client) =>
    client.query(`create type mood as enum ('sad'); create view v as select 1`),
  )
  await expect(dumpSchema(database.url)).rejects.toThrow('relation v, type mood')
})

test('schema.prisma describes the migrated database: the same tables, columns, types, defaults, foreign keys and indexes', async () => {
  await using imagined = await createEmptyDatabase()
  const statements = await diffSchemas(undefined, await readFile(join(prismaFolder, 'schema.prisma'), 'utf8'))
  await withClient(imagined.url, (client) => client.query(statements))
  expect(await columnsOf(imagined.url)).toEqual(await columnsOf(migrated.url))
  expect(await keysOf(imagined.url)).toEqual(await keysOf(migrated.url))
  const indexes = await indexesOf(migrated.url)
  expect((await indexesOf(imagined.url)).filter((index) => !indexes.includes(index))).toEqual([])
})

test('Prisma itself finds every migration applied and unedited, and has nothing to do', async () => {
  await using database = await createTestDatabase()
  expect(await deployWithPrisma(database.url, await migrationList())).toEqual({
    edited: [],
    failed: [],
    history: null,
    applied: [],
  })
})

describe('lists of words', () => {
  /** The constraints that hold a column to a list, and the list. */
  const whole: Record<string, readonly string[]> = {
    audit_entry_action: auditActions,
    api_key_permissions: grantablePermissions,
    api_key_role: apiKeyRoles,
    attempt_failure_code: failureCodes,
    attempt_trigger: attemptTriggers,
    backlog_trigger: attemptTriggers,
    delivery_canceled_reason: canceledReasons,
    delivery_state: deliveryStates,
    event_type_state: eventTypeStates,
    event_type_validation: validationModes,
    erasure_state: erasureStates,
    portal_session_capabilities: portalCapabilities,
    replay_state: replayStates,
    replay_choice: replayChoices,
    replay_item_outcome: replayOutcomes,
    replay_item_skip_reason: replaySkipReasons,
    subscription_auth_type: credentialTypes,
    secret_scheme: signatureSchemes,
    subscription_disabled_reason: disabledReasons,
    subscription_payload_format: payloadFormats,
    subscription_state: subscriptionStates,
    system_event_type: systemEventTypes,
  }
  /** The constraints that name some words of a list. */
  const part: Record<string, readonly string[]> = {
    api_key_tenant_iff_role_tenant: apiKeyRoles,
    backlog_resume_only_behind_a_resend: attemptTriggers,
    delivery_delivered_has_time: deliveryStates,
    delivery_erased_is_final: deliveryStates,
    delivery_finished_iff_final: deliveryStates,
    erasure_completed_has_no_value: erasureStates,
    erasure_finished_iff_completed: erasureStates,
    delivery_only_canceled_has_reason: deliveryStates,
    replay_finished_iff_final: replayStates,
    replay_item_skipped_has_reason: replayOutcomes,
    replay_item_finished_iff_final: replayOutcomes,
    backlog_replay_has_trigger: attemptTriggers,
    secret_public_key_iff_v1a: signatureSchemes,
    subscription_disabled_has_reason: subscriptionStates,
  }

  test.each(Object.keys(whole))('%s allows exactly the words of the contract', async (name) => {
    expect((await wordsInChecks(migrated.url)).get(name)).toEqual(whole[name])
  })

  test.each(Object.keys(part))('%s names only words of the contract', async (name) => {
    expect(whole[name] ?? part[name]).toEqual(
      expect.arrayContaining((await wordsInChecks(migrated.url)).get(name) ?? ['?']),
    )
  })

  test('every CHECK that compares with words is held to a list', async () => {
    expect([...(await wordsInChecks(migrated.url)).keys()].sort()).toEqual(
      [...Object.keys(whole), ...Object.keys(part)].sort(),
    )
  })
})

/** The words compared with by `=`, `<>`, `in` or `<@` in each CHECK of our tables, by the constraint's name. */
async function wordsInChecks(url: string): Promise<Map<string, string[]>> {
  const checks = await rowsOf<{ name: string; definition: string }>(
    url,
    `select t.conname as name, pg_get_constraintdef(t.oid) as definition
     from pg_constraint t join pg_class c on c.oid = t.conrelid
     where t.contype = 'c' and c.relnamespace = 'public'::regnamespace and not c.relispartition`,
  )
  const compared = checks.filter(({ definition }) => /(=|<>) (ANY \(\(?ARRAY\[)?'|<@ ARRAY\['/.test(definition))
  return new Map(
    compared.map(({ name, definition }) => [
      name,
      [...definition.matchAll(/'([^']*)'::text/g)].map((match) => match[1] ?? ''),
    ]),
  )
}

/**
 * Prisma leaves lists nullable in the database, never stores null in them, and has its own words for an empty one. What
 * a generated column is made of stands in the migrations alone; to Prisma it is a default that the database knows.
 */
function columnsOf(url: string): Promise<object[]> {
  return rowsOf(
    url,
    `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
       case when t.typcategory = 'A' then null else a.attnotnull end as required,
       case when t.typcategory = 'A' or a.attgenerated <> '' then null else pg_get_expr(d.adbin, d.adrelid) end as default
     ${tables} join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       join pg_type t on t.oid = a.atttypid
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     order by c.relname collate "C", a.attname collate "C"`,
  )
}

function keysOf(url: string): Promise<object[]> {
  return rowsOf(
    url,
    `select t.conname as name, pg_get_constraintdef(t.oid) as definition
     ${tables} join pg_constraint t on t.conrelid = c.oid and t.contype in ('p', 'f')
     order by t.conname collate "C"`,
  )
}

async function indexesOf(url: string): Promise<string[]> {
  const query = `select replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') as index
    ${tables} join pg_index x on x.indrelid = c.oid`
  return (await rowsOf<{ index: string }>(url, query)).map((row) => row.index)
}

const tables = `
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public' and c.relkind in ('r', 'p')
    and not c.relispartition and c.relname <> '_prisma_migrations'`

async function rowsOf<Row extends object>(url: string, query: string): Promise<Row[]> {
  return withClient(url, async (client) => (await client.query<Row>(query)).rows)
}

/** The migrations as Prisma's command line hands them to its engine. */
async function migrationList(): Promise<MigrationList> {
  const baseDir = join(prismaFolder, 'migrations')
  const entries = await readdir(baseDir, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const migrationDirectories = await Promise.all(
    names.sort().map(async (path) => {
      const value = await readFile(join(baseDir, path, 'migration.sql'), 'utf8')
      return { path, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } }
    }),
  )
  const lockfile = {
    path: 'migration_lock.toml',
    content: await readFile(join(baseDir, 'migration_lock.toml'), 'utf8'),
  }
  return { baseDir, lockfile, shadowDbInitScript: '', migrationDirectories }
}
