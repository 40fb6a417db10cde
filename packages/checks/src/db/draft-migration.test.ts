import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { draftMigration } from './draft-migration.ts'

const now = new Date('2026-12-24T18:30:05.123Z')
const committed = `
datasource db {
  provider = "postgresql"
}
model Tenant {
  id String @id
  @@map("tenant")
}
`
const changed = committed.replace('@@map', 'nickname String?\n  @@map')

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'posthorn-draft-'))
  await mkdir(join(root, 'prisma', 'migrations'), { recursive: true })
  await git('init', '--quiet')
})

afterEach(async () => {
  await rm(root, { recursive: true })
})

test('a changed schema becomes a draft that says it is one', async () => {
  await commitThenWrite(changed)
  expect(await draftMigration(root, 'add_nickname', now)).toBe(
    'prisma/migrations/20261224183005_add_nickname/migration.sql',
  )
  const draft = await readFile(join(root, 'prisma/migrations/20261224183005_add_nickname/migration.sql'), 'utf8')
  expect(draft).toMatch(/^-- DRAFT/)
  expect(draft).toContain('ALTER TABLE "tenant" ADD COLUMN     "nickname" TEXT;')
  expect(draft).not.toContain('CREATE TABLE')
})

test('an unchanged schema gives no draft', async () => {
  await commitThenWrite(committed.replace('model', '/// Only a comment is new.\nmodel'))
  await expect(draftMigration(root, 'nothing', now)).rejects.toMatchObject({ code: 'nothing_changed' })
  expect(await readdir(join(root, 'prisma', 'migrations'))).toEqual([])
})

test.each(['', 'x', 'Add', 'add-it', '../up', 'a'.repeat(61)])('the name %j is refused', async (name) => {
  await commitThenWrite(changed)
  await expect(draftMigration(root, name, now)).rejects.toMatchObject({ code: 'name_invalid' })
})

test('a schema that Prisma does not understand is told in its words', async () => {
  await commitThenWrite(committed.replace('String', 'Strung'))
  await expect(draftMigration(root, 'broken', now)).rejects.toMatchObject({
    code: 'schema_invalid',
    message: expect.stringContaining('Strung'),
  })
})

test('without a committed schema there is nothing to compare with', async () => {
  await writeFile(join(root, 'prisma', 'schema.prisma'), committed)
  await expect(draftMigration(root, 'too_early', now)).rejects.toMatchObject({ code: 'not_committed' })
})

async function commitThenWrite(schema: string): Promise<void> {
  const path = join(root, 'prisma', 'schema.prisma')
  await writeFile(path, committed)
  await git('add', '.')
  await git('-c', 'user.name=test', '-c', 'user.email=test@example.test', 'commit', '--quiet', '--message', 'first')
  await writeFile(path, schema)
}

async function git(...args: string[]): Promise<void> {
  await promisify(execFile)('git', args, { cwd: root })
}
