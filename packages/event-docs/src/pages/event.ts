/** The page of one event type: of its newest version, or of an older one. */
import type { EventTypeVersion } from '@posthorn/contract'
import { changelogOf } from '../artifacts/changelog.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import type { Example } from '../examples/examples.ts'
import {
  type Block,
  code,
  codeBlock,
  heading,
  link,
  list,
  mark,
  note,
  type Page,
  paragraph,
  paragraphsOf,
  prose,
  type Row,
  type Span,
  type Spans,
  say,
  type Tab,
  table,
} from '../page/blocks.ts'
import { schemaFields } from '../schema-fields/schema-fields.ts'
import { sinceVersions } from '../schema-fields/since.ts'
import { curlOf, type HeaderProtection, publishedSecret, signedDelivery } from '../signed-delivery.ts'
import type { DocumentedEventType } from '../source.ts'
import { changeBlocks, verdictMark } from './change-blocks.ts'
import { firstLineOf } from './events.ts'
import { fieldRows } from './field-rows.ts'
import { observationBlocks } from './observation-blocks.ts'

/** Path without the ending. */
export function eventPagePath(name: string, version?: number): string {
  return version === undefined ? `events/${name}` : `events/${name}/v${version}`
}

/** @param number an older version; the newest when left out */
export function eventPage(documentation: Documentation, eventType: DocumentedEventType, number?: number): Page {
  const { name, description, group, status } = eventType.event_type
  const latest = latestVersion(eventType)
  const version = number === undefined ? latest : eventType.versions.find((one) => one.version === number)
  const blocks: Block[] = []
  if (number !== undefined && latest !== undefined && number !== latest.version)
    blocks.push(
      note(
        'warning',
        say`This is version ${number}. What is sent today is ${link(`${eventPagePath(name)}.html`, `version ${latest.version}`)}.`,
      ),
    )
  if (status === 'archived') blocks.push(note('warning', say`This event type is archived: it is no longer sent.`))
  blocks.push(...(description === null ? [say`Nobody has described yet when it is sent.`] : paragraphsOf(description)))
  if (version === undefined) blocks.push(...withoutSchema())
  else {
    blocks.push(heading(2, 'Payload'), ...payloadBlocks(eventType, version))
    blocks.push(...deliveryBlocks(documentation, name, version))
  }
  if (number === undefined) blocks.push(...observationBlocks(documentation.observations?.get(name)))
  if (eventType.versions.length > 0) blocks.push(heading(2, 'Versions'), ...versionBlocks(documentation, eventType))
  if (version !== undefined) blocks.push(heading(2, 'For programs'), programList(name, version, version === latest))
  return {
    path: eventPagePath(name, number),
    title: number === undefined ? name : `${name}, version ${number}`,
    summary: firstLineOf(description) || `The event type ${name}.`,
    marks: [
      ...(group === null ? [] : [{ text: group, tone: 'plain' as const }]),
      ...(number === undefined && version !== undefined
        ? [{ text: `version ${version.version}`, tone: 'plain' as const }]
        : []),
      ...(status === 'archived' ? [{ text: 'archived', tone: 'warning' as const }] : []),
    ],
    blocks,
  }
}

function withoutSchema(): Block[] {
  return [
    heading(2, 'Payload'),
    say`There is no schema of its \`data\` yet, so anything may stand there. The envelope is that of all events: \`type\`, \`timestamp\` and \`data\`.`,
  ]
}

const columns = ['Field', 'Type', 'Description']

function envelopeRows(name: string): Row[] {
  const row = (field: string, type: string, ...description: Span[]): Row => ({
    id: field,
    cells: [[code(field)], [type], description],
  })
  return [
    row('type', 'string', 'Always ', code(name), '.'),
    row('timestamp', 'string', 'When it happened, RFC 3339 in UTC.'),
  ]
}

function payloadBlocks(eventType: DocumentedEventType, version: EventTypeVersion): Block[] {
  const { name } = eventType.event_type
  const since = sinceVersions(eventType.versions.filter((one) => one.version <= version.version))
  const fields = schemaFields(version.schema, { since })
  const blocks: Block[] = []
  if (fields.warnings.length > 0)
    blocks.push(
      note(
        'warning',
        say`Not all of the schema can be shown as a table. The schema below has the last word.`,
        list(...fields.warnings.map((warning) => [warning])),
      ),
    )
  if (fields.root !== undefined)
    blocks.push(
      say`A field is always there, unless it is marked.`,
      table(`Fields of ${name}`, columns, [...envelopeRows(name), ...fieldRows(fields.root)]),
    )
  const source = codeBlock(
    'json',
    JSON.stringify(version.schema, undefined, 2),
    `JSON Schema of data, version ${version.version}`,
  )
  blocks.push(fields.renderable ? { kind: 'details', summary: 'JSON Schema', blocks: [source] } : source)
  return blocks
}

const protections: Readonly<Record<HeaderProtection, Spans>> = {
  signed: [mark('signed', 'good')],
  signature: ['the signature'],
  unsigned: [mark('not signed')],
}

function deliveryBlocks(documentation: Documentation, name: string, version: EventTypeVersion): Block[] {
  const { examples, warnings } = documentation.examplesOf(name, version.version)
  const blocks: Block[] = [heading(2, 'Sample delivery')]
  if (warnings.length > 0) blocks.push(note('warning', list(...warnings.map((warning) => [warning]))))
  const [first] = examples
  if (first === undefined) return [...blocks, say`There is no example that fits the schema.`]
  const delivery = signedDelivery(documentation, name, first)
  return [
    ...blocks,
    say`Header and body as they are sent. The signature is valid, by the published secret ${code(publishedSecret)}, which protects nothing; yours is another.`,
    table(
      'Headers of the sample delivery',
      ['Header', 'Value', 'Protection'],
      [
        ...delivery.headers.map(({ name: header, value, protection }) => ({
          cells: [[code(header)], [code(value)], protections[protection]],
        })),
      ],
    ),
    bodyBlock(documentation, name, examples),
    heading(2, 'Send this sample to your receiver'),
    say`Start your receiver with ${code(`WEBHOOK_SECRET=${publishedSecret}`)}, put its address into \`RECEIVER_URL\`, and paste this. It signs anew with the time of now.`,
    codeBlock('sh', curlOf(delivery, 'fresh'), 'Signed request by curl'),
  ]
}

function bodyBlock(documentation: Documentation, name: string, examples: readonly Example[]): Block {
  const tabs: Tab[] = examples.map((example) => {
    const { body } = signedDelivery(documentation, name, example)
    return {
      name: example.name,
      blocks: [
        ...(example.generated ? [say`Made up from the schema; it fits, and is nobody's data.`] : []),
        codeBlock('json', JSON.stringify(JSON.parse(body), undefined, 2), `Body: ${example.name}`),
      ],
    }
  })
  const [only] = tabs
  if (tabs.length === 1 && only !== undefined) return { kind: 'details', summary: only.name, blocks: only.blocks }
  return { kind: 'tabs', label: 'Example', tabs }
}

function versionBlocks(documentation: Documentation, eventType: DocumentedEventType): Block[] {
  const { name } = eventType.event_type
  const latest = latestVersion(eventType)?.version
  return changelogOf({ ...documentation, source: { ...documentation.source, event_types: [eventType] } }).flatMap(
    (entry) => {
      const path = eventPagePath(name, entry.version === latest ? undefined : entry.version)
      const title = link(`${path}.html`, `Version ${entry.version}`)
      return [paragraph(title, `, ${entry.at.slice(0, 10)} `, verdictMark(entry)), ...changeBlocks(entry)]
    },
  )
}

function programList(name: string, { version }: EventTypeVersion, isLatest: boolean): Block {
  return list(
    [link(`schemas/${name}/${version}.json`, 'JSON Schema'), ` of this version`],
    ...(isLatest
      ? [[link('types/typescript.tgz', 'TypeScript types'), ', where it is one of ', code('WebhookEvent')]]
      : []),
    prose`The markdown of this page ends with \`.md\` in place of \`.html\`.`,
  )
}
