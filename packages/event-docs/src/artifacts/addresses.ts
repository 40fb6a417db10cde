/** Where every file stands below the root of the site: what links to it asks here. */
import type { Documentation } from '../documentation.ts'
import type { GuidePath } from '../guides.ts'

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
  /** What looks at `type`, beside a file for each event type. */
  goEvents: 'types/go/events.go',
  goEvent: (stem: string) => `types/go/event_${stem}_data.go`,
  python: 'types/python/',
  pythonEvents: 'types/python/webhook_events/__init__.py',
  pythonEvent: (stem: string) => `types/python/webhook_events/${stem}_event.py`,
  testVectors: 'test-vectors.json',
  listen: 'listen.mjs',
  manifest: 'webhooks.json',
  ipRanges: 'ip-ranges.json',
  changelog: 'changelog.json',
  feed: 'changelog.atom',
  summary: 'llms.txt',
  everything: 'llms-full.txt',
  /** Pages. */
  eventPage: (type: string) => `events/${type}.html`,
  /** The same as Markdown. */
  eventText: (type: string) => `events/${type}.md`,
  guideText: (path: GuidePath) => `${path}.md`,
  changelogPage: 'changelog.html',
} as const

/** The whole address of a path. */
export function whole({ baseUrl }: Pick<Documentation, 'baseUrl'>, path: string): string {
  return `${baseUrl}/${path}`
}
