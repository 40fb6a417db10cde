/** The page of one event type: of its newest version, or of an older one. */
import type { EventTypeVersion } from '@posthorn/contract'
import { addresses } from '../artifacts/addresses.ts'
import { changelogOf } from '../artifacts/changelog.ts'
import { codeNames } from '../artifacts/code/code-names.ts'
import { exampleFiles } from '../artifacts/example-files.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import type { Example } from '../examples/examples.ts'
import {
  type Block,
  code,
  codeBlock,
  heading,
  link,
  list,
  note,
  type Page,
  paragraph,
  paragraphsOf,
  type Row,
  type Span,
  say,
  type Tab,
  table,
} from '../page/blocks.ts'
import { curlOf, publishedSecret, type SignedDelivery, signedDelivery } from '../signed-delivery.ts'
import type { DocumentedEventType } from '../source.ts'
import { counted } from '../words.ts'
import { changeBlocks, verdictMark } from './change-blocks.ts'
import { firstLineOf } from './events.ts'
import { fieldRows } from './field-rows.ts'
import { headerProtections } from './header-protections.ts'
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
        say`This is version ${number}, which is no longer sent. Today's is ${link(`${eventPagePath(name)}.html`, `version ${latest.version}`)}.`,
      ),
    )
  if (status === 'archived') blocks.push(note('warning', say`This event type is archived. It is no longer sent.`))
  blocks.push(
    ...(description === null
      ? [say`It has not been described yet when this event is sent.`]
      : paragraphsOf(description)),
  )
  if (version === undefined) blocks.push(...withoutSchema())
  else {
    blocks.push(heading(2, 'Payload'), ...payloadBlocks(documentation, version))
    blocks.push(...deliveryBlocks(documentation, eventType, version))
  }
  if (number === undefined) blocks.push(...observationBlocks(documentation.observations?.get(name)))
  if (eventType.versions.length > 0) blocks.push(heading(2, 'Versions'), ...versionBlocks(documentation, eventType))
  if (version !== undefined)
    blocks.push(heading(2, 'Machine-readable files'), fileList(documentation, eventType, version))
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
    say`This event type has no schema yet: its \`data\` can be anything. Around it is the same [envelope](requests.html#body) as for every event: \`type\`, \`timestamp\` and \`data\`.`,
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
    row('timestamp', 'string', 'When the event happened: RFC 3339, in UTC.'),
  ]
}

function payloadBlocks({ fieldsOf }: Documentation, { event_type: name, version, schema }: EventTypeVersion): Block[] {
  const fields = fieldsOf(name, version)
  const blocks: Block[] = []
  if (fields.warnings.length > 0)
    blocks.push(
      note(
        'warning',
        say`Not all of the schema can be shown as a table. The JSON Schema below is authoritative.`,
        list(...fields.warnings.map((warning) => [warning])),
      ),
    )
  if (fields.root !== undefined)
    blocks.push(
      say`Every field is present unless it is marked as optional.`,
      table(`Fields of ${name}`, columns, [...envelopeRows(name), ...fieldRows(fields.root)], 'fields'),
    )
  const source = codeBlock('json', JSON.stringify(schema, undefined, 2), `JSON Schema of data, version ${version}`)
  blocks.push(fields.renderable ? { kind: 'details', summary: 'JSON Schema of data', blocks: [source] } : source)
  return blocks
}

function deliveryBlocks(
  documentation: Documentation,
  eventType: DocumentedEventType,
  version: EventTypeVersion,
): Block[] {
  const { name } = eventType.event_type
  const { examples, warnings } = documentation.examplesOf(name, version.version)
  const blocks: Block[] = [heading(2, 'Sample delivery')]
  if (warnings.length > 0) blocks.push(note('warning', list(...warnings.map((warning) => [warning]))))
  const [first] = examples
  if (first === undefined) return [...blocks, say`There is no example that fits the schema.`]
  const delivery = signedDelivery(documentation, name, first)
  const isLatest = version === latestVersion(eventType)
  const [file] = isLatest ? exampleFiles(documentation, eventType) : []
  return [
    ...blocks,
    ...bodyBlocks(documentation, name, examples),
    say`Line breaks and spaces are added here for reading; the body is sent without them.`,
    headerTable(delivery, examples.length > 1 ? first.name : undefined),
    say`The signature is valid for the public test secret ${code(publishedSecret)}. Your subscription has a secret of its own.${
      file === undefined ? '' : ' '
    }${file === undefined ? '' : link(addresses.signedExample(name, file.file), 'The request as a file, byte for byte')}`,
    heading(2, 'Send this sample to your receiver'),
    say`Start your receiver with ${code(`WEBHOOK_SECRET=${publishedSecret}`)} and paste this into another terminal. It signs the sample for the current time. Set \`RECEIVER_URL\` if your receiver is not at \`http://127.0.0.1:8080/webhooks\`.`,
    codeBlock('sh', curlOf(delivery, 'fresh'), 'Signed request by curl'),
  ]
}

/** @param example its name, where there are several */
function headerTable({ headers }: SignedDelivery, example: string | undefined): Block {
  const rows = headers.map(({ name, value, protection }) => ({
    cells: [[code(name)], [code(value)], headerProtections[protection]],
  }))
  const caption = `Headers of the sample delivery${example === undefined ? '' : ` (${example})`}`
  return table(caption, ['Header', 'Value', 'Signed?'], rows)
}

function bodyBlocks(documentation: Documentation, name: string, examples: readonly Example[]): Block[] {
  const tabs: Tab[] = examples.map((example) => {
    const { body } = signedDelivery(documentation, name, example)
    return {
      name: example.name,
      blocks: [
        codeBlock('json', JSON.stringify(JSON.parse(body), undefined, 2), `Body: ${example.name}`),
        ...(example.generated ? [say`This example was generated from the schema; it holds nobody's data.`] : []),
      ],
    }
  })
  const [only] = tabs
  if (tabs.length === 1 && only !== undefined) return [...only.blocks]
  return [{ kind: 'tabs', label: 'Example', tabs }]
}

/** With more versions than this, older ones are folded. */
const versionsShownMax = 5

function versionBlocks(documentation: Documentation, eventType: DocumentedEventType): Block[] {
  const { name } = eventType.event_type
  const latest = latestVersion(eventType)?.version
  const own = { ...documentation, source: { ...documentation.source, event_types: [eventType] } }
  const versions = changelogOf(own)
    .toSorted((one, other) => other.version - one.version)
    .map((entry) => {
      const path = eventPagePath(name, entry.version === latest ? undefined : entry.version)
      const title = link(`${path}.html`, `Version ${entry.version}`)
      return [paragraph(title, `, ${entry.at.slice(0, 10)} `, verdictMark(entry)), ...changeBlocks(entry)]
    })
  const older = versions.slice(versionsShownMax)
  if (older.length === 0) return versions.flat()
  const summary = counted(older.length, 'older version')
  return [...versions.slice(0, versionsShownMax).flat(), { kind: 'details', summary, blocks: older.flat() }]
}

function fileList(documentation: Documentation, eventType: DocumentedEventType, version: EventTypeVersion): Block {
  const { name } = eventType.event_type
  const isLatest = version === latestVersion(eventType)
  const examples = isLatest ? exampleFiles(documentation, eventType) : []
  const stem = codeNames(documentation).get(name)?.stem ?? ''
  return list(
    [
      'JSON Schema of ',
      link(addresses.schema(name, version.version), 'data'),
      ' and of ',
      link(addresses.eventSchema(name, version.version), 'the whole body'),
    ],
    ...examples.map(({ file, example }) => [
      link(addresses.example(name, file), `${example.name} as JSON`),
      ', and ',
      link(addresses.signedExample(name, file), 'as a signed request'),
    ]),
    ...(isLatest
      ? [
          [link(addresses.typescriptArchive, 'TypeScript types'), ' of all events, this one among them'],
          [
            'Types of ',
            code('data'),
            ' for ',
            link(addresses.goEvent(stem), 'Go'),
            ' and ',
            link(addresses.pythonEvent(stem), 'Python'),
            '; what tells all events apart is in ',
            link(addresses.goEvents, 'events.go'),
            ' and ',
            link(addresses.pythonEvents, '__init__.py'),
          ],
        ]
      : []),
  )
}
