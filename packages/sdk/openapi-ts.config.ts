/** How `openapi-ts` makes the types of the client: of the document alone, into a folder that git ignores. */
import { defineConfig } from '@hey-api/openapi-ts'

export default defineConfig({
  input: '../../docs/openapi.json',
  output: { path: 'src/generated', clean: true, entryFile: false },
  plugins: ['@hey-api/typescript'],
  logs: { level: 'error', file: false },
})
