/** Writes the table of operations beside the types that `openapi-ts` has made (package.json, `generate`). */
import { readFileSync, writeFileSync } from 'node:fs'
import { operationsText } from './operations-text.ts'

const document = new URL('../../../../docs/openapi.json', import.meta.url)
const target = new URL('../generated/operations.gen.ts', import.meta.url)

writeFileSync(target, operationsText(JSON.parse(readFileSync(document, 'utf8'))))
