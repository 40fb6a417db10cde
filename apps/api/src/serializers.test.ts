import { expect, test } from 'vitest'
import { compileAll } from './serializers.ts'
import { startTestApi } from './testing/api.ts'

test('the schema of every answer can be compiled, although each is compiled when it is first needed', async () => {
  await using api = await startTestApi()
  expect((await api.ask('GET', '/healthz')).status).toBe(200)
  expect(compileAll()).toBeGreaterThan(50)
})
