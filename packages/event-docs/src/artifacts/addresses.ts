/** Where every file stands below the root of the site: what links to it asks here. */
import type { Documentation } from '../documentation.ts'

export const addresses = {
  schemaIndex: 'schemas/index.json',
  envelope: 'schemas/envelope.json',
  /** Of `data`. */
  schema: (type: string, version: number | 'latest') => `schemas/${type}/${version}.json`,
  /** Of the whole body. */
  eventSchema: (type: string, version: number) => `schemas/${type}/${version}.event.json`,
  examples: 'examples',
  example: (type: string, file: string) => `examples/${type}/${file}.json`,
  signedExample: (type: string, file: string) => `examples/${type}/${file}.signed.json`,
  openapi: 'openapi.json',
  asyncapi: 'asyncapi.yaml',
  typescript: 'types/typescript/',
  typescriptArchive: 'types/typescript.tgz',
  go: 'types/go/',
  python: 'types/python/',
  testVectors: 'test-vectors.json',
  manifest: 'webhooks.json',
  ipRanges: 'ip-ranges.json',
  changelog: 'changelog.json',
  feed: 'changelog.atom',
  summary: 'llms.txt',
  everything: 'llms-full.txt',
  /** Pages. */
  eventPage: (type: string) => `events/${type}.html`,
  changelogPage: 'changelog.html',
} as const

/** The whole address of a path. */
export function whole({ baseUrl }: Pick<Documentation, 'baseUrl'>, path: string): string {
  return `${baseUrl}/${path}`
}
