/**
 * `pnpm db:diff <name>`: the draft of the next migration, from what has changed in `schema.prisma` since the last commit.
 *
 * A draft, because Prisma sees only part of the schema: partitions, CHECK constraints, partial indexes and storage
 * settings are added by hand.
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { diffSchemas } from './schema-engine.ts'

const namePattern = /^[a-z][a-z0-9_]{1,59}$/
const schemaPath = 'prisma/schema.prisma'
const heading = `-- DRAFT, made from schema.prisma by \`pnpm db:diff\`. Before you commit it: read every statement, add what Prisma cannot
-- say (partitions, CHECK constraints, partial indexes, storage settings), make it lower case and say why, run
-- \`pnpm db:dump\`, and remove these three lines. On a live database: no long lock, no rewrite of event, delivery, attempt.

`

/** Why there is no draft. The message is one line for the person at the terminal. */
export class DraftError extends Error {
  override readonly name = 'DraftError'
  readonly code: 'name_invalid' | 'not_committed' | 'schema_invalid' | 'nothing_changed'

  constructor(code: DraftError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * Writes the draft and answers its path, relative to the checkout.
 *
 * @throws DraftError
 */
export async function draftMigration(root: string, name: string, now: Date): Promise<string> {
  if (!namePattern.test(name)) {
    throw new DraftError(
      'name_invalid',
      'A name is 2 to 60 lower-case letters, digits and _: `pnpm db:diff add_replay_target`',
    )
  }
  const before = await committed(root)
  const after = await readFile(join(root, schemaPath), 'utf8')
  const statements = await diffSchemas(before, after).catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error)
    throw new DraftError('schema_invalid', `Prisma does not understand ${schemaPath}:\n${words}`, { cause: error })
  })
  if (!hasStatement(statements)) {
    throw new DraftError(
      'nothing_changed',
      `${schemaPath} says the same as in the last commit: there is nothing to migrate`,
    )
  }
  const time = now.toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const path = join('prisma', 'migrations', `${time}_${name}`)
  await mkdir(join(root, path))
  await writeFile(join(root, path, 'migration.sql'), heading + statements, { flag: 'wx' })
  return join(path, 'migration.sql')
}

async function committed(root: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['show', `HEAD:${schemaPath}`], { cwd: root })
    return stdout
  } catch (error) {
    throw new DraftError('not_committed', `${schemaPath} is not in the last commit of ${root}: commit it first`, {
      cause: error,
    })
  }
}

/** Prisma answers a comment when there is nothing to do. */
function hasStatement(script: string): boolean {
  return script.split('\n').some((line) => line.trim() !== '' && !line.startsWith('--'))
}
