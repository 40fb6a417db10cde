/** The client and the document: one is made of the other, and neither is older. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { operationsText } from './generate/operations-text.ts'
import { operations } from './generated/operations.gen.ts'

const run = promisify(execFile)
const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const generated = join(packageFolder, 'src/generated')
const documentFile = fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url))
const generator = fileURLToPath(new URL('../bin/run.js', import.meta.resolve('@hey-api/openapi-ts')))
const stale = 'docs/openapi.json has changed: run `pnpm run generate`'

test('the generated types and the table of operations are those of docs/openapi.json', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sdk-generated-'))
  try {
    await run(execPath, [generator, '--file', 'openapi-ts.config.ts', '--output', folder], {
      cwd: packageFolder,
      env: {},
    })
    const kept = await readFile(join(generated, 'types.gen.ts'), 'utf8')
    expect(kept === (await readFile(join(folder, 'types.gen.ts'), 'utf8')), stale).toBe(true)
    expect((await readdir(generated)).toSorted()).toEqual(['operations.gen.ts', 'types.gen.ts'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const table = await readFile(join(generated, 'operations.gen.ts'), 'utf8')
  expect(table === operationsText(JSON.parse(await readFile(documentFile, 'utf8'))), stale).toBe(true)
})

test('every operation of the API has a name in the SDK, and each name is an operation', async () => {
  const face = await readFile(join(packageFolder, 'src/posthorn.ts'), 'utf8')
  const called = new Set([...face.matchAll(/\b(?:run|list|prepare)\(\s*(?:base,\s*)?'(\w+)'/g)].map(([, name]) => name))
  expect(
    Object.keys(operations).filter((name) => !called.has(name)),
    'give it a method in packages/sdk/src/posthorn.ts',
  ).toEqual([])
})

test('an operation without an id is refused, with its place', () => {
  expect(() => operationsText({ paths: { '/v1/things': { get: {} } } })).toThrow('get /v1/things has no operationId')
})
