/**
 * Helps to keep the documents as the code is: `openapi` writes docs/openapi.json, `tables` prints the rows that
 * docs/configuration.md should have.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './documents.ts'
import { openapiPath, openapiText } from './openapi.ts'
import { limitsRows, markdownRow, settingsRows } from './tables.ts'

const commands: Readonly<Record<string, () => Promise<string>>> = {
  async openapi() {
    await writeFile(join(root, openapiPath), await openapiText())
    return `wrote ${openapiPath}`
  },
  async tables() {
    const { serve, demo } = settingsRows()
    return [serve, demo, limitsRows()].map((rows) => rows.map(markdownRow).join('\n')).join('\n\n')
  },
}

const command = commands[process.argv[2] ?? '']
if (command === undefined) {
  process.stderr.write(`usage: node packages/checks/src/docs/main.ts ${Object.keys(commands).join(' | ')}\n`)
  process.exitCode = 2
} else {
  process.stdout.write(`${await command()}\n`)
}
