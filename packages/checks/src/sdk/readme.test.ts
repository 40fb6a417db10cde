/** The code of the SDK's README, run as one program against a server that was started. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { readDocument } from '../docs/documents.ts'
import { installedFolder } from './installed.ts'
import { startServed } from './serving.ts'

const run = promisify(execFile)
const page = 'packages/sdk/README.md'

test(`the code of ${page} runs, one block after the other`, { timeout: 60_000 }, async () => {
  await using served = await startServed()
  await using folder = await installedFolder()
  const blocks = readDocument(page).blocks.filter(({ language }) => language === 'js')
  const code = blocks.map(({ lines }) => lines.map(({ text }) => text).join('\n'))
  expect(code.length).toBeGreaterThan(3)
  await writeFile(join(folder.path, 'readme.mjs'), code.join('\n'))
  const { execPath, env } = inject('machine')
  const { stdout } = await run(execPath, ['readme.mjs'], {
    cwd: folder.path,
    env: { ...env, POSTHORN_URL: served.origin, POSTHORN_API_KEY: served.adminKey },
  })
  expect(stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^evt_\S+ 0$/),
    expect.stringMatching(/^Acme /),
    'acme',
    '0 0',
    '0',
    expect.stringMatching(/^404 There is no tenant "nobody"\. \S+ \[\]$/),
  ])
})
