/** `pnpm db:dump` and `pnpm db:diff <name>`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { copyDatabase, openTestServer } from '@posthorn/engine/testing'
import { DraftError, draftMigration } from './draft-migration.ts'
import { dumpSchema } from './dump-schema.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const [command, ...names] = process.argv.slice(2)

if (command === 'dump' && names.length === 0) await dump()
else if (command === 'diff' && names.length <= 1) await diff(names[0] ?? '')
else fail('usage: pnpm db:dump | pnpm db:diff <name>')

async function dump(): Promise<void> {
  const host = { uid: process.getuid?.() ?? 0, pid: process.pid, env: process.env }
  const server = await openTestServer(host, { databaseUrl: process.env['DATABASE_URL'], now: new Date() })
  try {
    await using database = await copyDatabase(server)
    await writeFile(join(root, 'prisma/schema.sql'), await dumpSchema(database.url))
  } finally {
    await server.close()
  }
  process.stdout.write('wrote prisma/schema.sql\n')
}

async function diff(name: string): Promise<void> {
  try {
    process.stdout.write(`wrote ${await draftMigration(root, name, new Date())}\n`)
  } catch (error) {
    if (!(error instanceof DraftError)) throw error
    fail(error.message)
  }
}

function fail(words: string): void {
  process.stderr.write(`${words}\n`)
  process.exitCode = 1
}
