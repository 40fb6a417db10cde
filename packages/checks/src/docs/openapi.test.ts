import { expect, test } from 'vitest'
import { readCheckout } from './documents.ts'
import { openapiPath, openapiText } from './openapi.ts'

test('docs/openapi.json is the document that the API serves', async () => {
  const shown = readCheckout().get(openapiPath)
  expect(shown, 'Run: node packages/checks/src/docs/main.ts openapi').toBe(await openapiText())
})
