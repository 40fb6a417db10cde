/** Types of all events for TypeScript: a union that `type` tells apart, as a package that can be installed from the site. */

import { once } from '@posthorn/json-schema'
import type { Artifact, Artifacts, MakeArtifact } from '../../artifact.ts'
import type { Documentation } from '../../documentation.ts'
import { addresses, whole } from '../addresses.ts'
import { jsonText } from '../json.ts'
import { archive } from './archive.ts'
import type { CodeMaker } from './code-maker.ts'
import { type CodeName, codeNames, uniqueNames } from './code-names.ts'
import { codeSchema, commentText } from './code-schema.ts'
import type { DocsWarning } from './code-warning.ts'
import { type Generated, type GeneratedType, generate } from './generating.ts'
import type { Piece } from './piece.ts'

export function typescriptArtifacts(
  documentation: Documentation,
  maker: CodeMaker,
): { artifacts: Artifacts; warnings: () => Promise<readonly DocsWarning[]> } {
  const generated = once(() => generateTypes(documentation, maker))
  const files: [name: string, text: () => string | Promise<string>, contentType: string][] = [
    ['index.d.ts', async () => declarations(documentation, await generated()), 'text/plain; charset=utf-8'],
    ['index.js', () => program(documentation), 'text/javascript; charset=utf-8'],
    ['package.json', () => jsonText(manifest(documentation)), 'application/json'],
    ['README.md', () => readme(documentation), 'text/markdown; charset=utf-8'],
  ]
  const artifacts = new Map<string, MakeArtifact>(
    files.map(([name, text, contentType]) => [
      `${addresses.typescript}${name}`,
      async (): Promise<Artifact> => ({ contentType, body: await text() }),
    ]),
  )
  artifacts.set(addresses.typescriptArchive, async () => {
    const entries: { path: string; text: string }[] = []
    for (const [name, text] of files) entries.push({ path: `package/${name}`, text: await text() })
    return { contentType: 'application/gzip', body: archive(entries) }
  })
  return { artifacts, warnings: async () => (await generated()).warnings }
}

function generateTypes(documentation: Documentation, maker: CodeMaker): Promise<Generated> {
  const names = codeNames(documentation)
  const own = [...names.values()].flatMap(({ base }) => [`${base}Event`, `${base}Data`])
  const uniqueName = uniqueNames([...own, ...ownNames])
  return generate(documentation, maker, {
    artifact: addresses.typescript,
    pieceOf: (schema, name, type) => pieceOf(schema, { name, type, uniqueName }),
    finished: (text, { base }) => (text.includes(`export interface ${base}Event {`) ? indented(text) : undefined),
  })
}

/** What the file declares beside the events. */
const ownNames = ['WebhookEvent', 'WebhookEventMap', 'WebhookEventType', 'UnknownWebhookEvent', 'AnyWebhookEvent']

/** To a compiler every object has these, so no literal would be of a type in which they are something else. */
const inherited: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype))

function pieceOf(
  schema: unknown,
  { name, type, uniqueName }: { name: CodeName; type: string; uniqueName: (wanted: string) => string },
): Piece {
  const { definitions } = codeSchema(schema, {
    rootName: `${name.base}Data`,
    prefix: name.base,
    uniqueName,
    canName: (member) => !inherited.has(member),
    anything: { tsType: 'unknown' },
    // Beside a reference its generator would make a second type of the same.
    reference: (target) => ({ allOf: [target] }),
    tuple: (places) => ({ items: places, minItems: places.length, maxItems: places.length }),
    values: (values) => ({ enum: values }),
    extensible: (values) => ({ tsType: openUnion(values) }),
  })
  // A title is the name that a type gets.
  const $defs = Object.fromEntries([...definitions].map(([title, definition]) => [title, { ...definition, title }]))
  const properties = {
    type: { const: type },
    timestamp: { type: 'string', description: 'When it happened: ISO 8601, in UTC' },
    data: { $ref: `#/$defs/${name.base}Data` },
  }
  const title = `${name.base}Event`
  const required = ['type', 'timestamp', 'data']
  return { language: 'typescript', name: title, schema: { title, type: 'object', required, properties, $defs } }
}

/** Values that are known are offered by an editor, and others are allowed. */
function openUnion(values: readonly unknown[]): string {
  const texts = values.filter((value) => typeof value === 'string')
  const literals = values.filter((value) => value === null || ['number', 'boolean'].includes(typeof value))
  const known = [...texts, ...literals].map((value) => JSON.stringify(value))
  const others =
    texts.length > 0 ? ['(string & {})'] : literals.some((one) => typeof one === 'number') ? ['number'] : []
  return known.length === values.length ? `(${[...known, ...others].join(' | ')})` : 'unknown'
}

/** The generator breaks lines and indents nothing. */
function indented(text: string): string {
  let depth = 0
  const lines = text.split('\n').map((line) => {
    const isRemark = line.startsWith('/**') || line.startsWith(' *')
    if (!isRemark && /^[}\])]/.test(line)) depth = Math.max(depth - 1, 0)
    const indentedLine = line === '' ? '' : `${'  '.repeat(depth)}${line}`
    if (!isRemark && line.endsWith('{')) depth += 1
    return indentedLine
  })
  return lines.join('\n').trim()
}

function declarations(documentation: Documentation, { types }: Generated): string {
  const brand = commentText(documentation.branding.name)
  const interfaces = types.map(({ name }) => `${name.base}Event`)
  const union = interfaces.length === 0 ? ' never' : interfaces.map((each) => `\n  | ${each}`).join('')
  const members = types.map(({ type, name }) => `  ${JSON.stringify(type)}: ${name.base}Event`)
  return `/** The events of ${brand.replaceAll('\n', ' ')}, made from the schemas at ${whole(documentation, addresses.schemaIndex)} */

/** Every event that is known. Tell them apart by \`type\`. */
export type WebhookEvent =${union}

/** The events by the name of their type. */
export interface WebhookEventMap {
${members.join('\n')}
}

/** The name of an event type that is known. */
export type WebhookEventType = keyof WebhookEventMap

/** An event of a type that was added after these declarations were made. Answer 2xx, and do nothing else. */
export interface UnknownWebhookEvent {
  type: string
  timestamp: string
  data: unknown
}

/** What a verified body is, once it was parsed. */
export type AnyWebhookEvent = WebhookEvent | UnknownWebhookEvent

/** The names of all event types that are known. */
export declare const eventTypes: readonly WebhookEventType[]

/** Whether an event is of a type that is known. Afterwards \`event.type\` tells what \`event.data\` is. */
export declare function isKnownEvent(event: AnyWebhookEvent): event is WebhookEvent

${types.map(declarationOf).join('\n\n')}
`
}

function declarationOf({ name, type, eventType, code, reason }: GeneratedType): string {
  const remark = remarkOf(eventType.event_type)
  if (code !== undefined) return `${remark}${code}`
  return `${remark}export interface ${name.base}Event {
  type: ${JSON.stringify(type)}
  /** When it happened: ISO 8601, in UTC */
  timestamp: string
  /** Not described: ${commentText(reason ?? '').replaceAll('\n', ' ')} */
  data: unknown
}`
}

function remarkOf({ description, status }: GeneratedType['eventType']['event_type']): string {
  const lines = description === null ? [] : commentText(description).split('\n')
  if (status === 'archived') lines.push('@deprecated It is not sent any more.')
  const said = lines.filter((line, index) => line !== '' || index > 0)
  return said.length === 0 ? '' : `/**\n${said.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n`
}

function program(documentation: Documentation): string {
  const names = documentation.source.event_types.map(({ event_type }) => event_type.name).toSorted()
  return `export const eventTypes = Object.freeze(${JSON.stringify(names, null, 2)})

const known = new Set(eventTypes)

export function isKnownEvent(event) {
  return known.has(event.type)
}
`
}

/** Its version grows with every version of a schema. */
function manifest(documentation: Documentation) {
  const versions = documentation.source.event_types.reduce((sum, { versions: own }) => sum + own.length, 0)
  return {
    name: packageNameOf(documentation),
    version: `1.${versions}.0`,
    description: `Types of the events of ${documentation.branding.name}`,
    homepage: `${documentation.baseUrl}/`,
    type: 'module',
    sideEffects: false,
    exports: { '.': { types: './index.d.ts', default: './index.js' } },
    files: ['index.d.ts', 'index.js'],
  }
}

function packageNameOf({ branding }: Documentation): string {
  const plain = branding.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return `${plain === '' ? 'event' : plain}-webhook-events`
}

function readme(documentation: Documentation): string {
  const name = packageNameOf(documentation)
  const [first] = documentation.source.event_types.map(({ event_type }) => event_type.name).toSorted()
  return `# ${name}

Types of the events that ${commentText(documentation.branding.name).replaceAll('\n', ' ')} sends, made from [their schemas](${whole(documentation, addresses.schemaIndex)}).

\`\`\`sh
npm install ${whole(documentation, addresses.typescriptArchive)}
\`\`\`

Verify the signature of the raw body first, then:

\`\`\`ts
import { type AnyWebhookEvent, isKnownEvent } from '${name}'

const event: AnyWebhookEvent = JSON.parse(body)
if (isKnownEvent(event)) {
  switch (event.type) {
    case ${JSON.stringify(first ?? 'invoice.paid')}:
      console.log(event.data)
      break
  }
}
\`\`\`

Times are text (ISO 8601): that is what \`JSON.parse\` gives. Members and event types may be added at any time, so ignore
what you do not know, and answer 2xx.
`
}
