/** What arrives: the body, the headers, and the other forms that a subscription may ask for. */
import type { PayloadFormat } from '@posthorn/contract'
import { headerFacts } from '../delivery-facts.ts'
import type { Documentation } from '../documentation.ts'
import {
  type Block,
  code,
  codeBlock,
  heading,
  link,
  mark,
  type Page,
  prose,
  type Row,
  type Spans,
  say,
  table,
} from '../page/blocks.ts'
import { documentedEvent } from '../signed-delivery.ts'
import { firstSample } from './first-sample.ts'
import { headerProtections } from './header-protections.ts'

const formatWords: Readonly<Record<PayloadFormat, Spans>> = {
  standard: prose`The body above: \`type\`, \`timestamp\` and \`data\`. This is the default.`,
  'cloudevents-structured': prose`A [CloudEvents 1.0](https://cloudevents.io) JSON body, \`application/cloudevents+json\`.`,
  'cloudevents-binary': prose`\`data\` alone as the body, and the attributes of CloudEvents in \`ce-\` headers, which the signature does **not** cover.`,
  raw: prose`\`data\` alone as the body. The event type is in the header \`posthorn-event-type\`, which the signature does **not** cover.`,
}

export function requestsPage(documentation: Documentation): Page {
  const { source, branding } = documentation
  const { delivery } = source.meta
  const sample = firstSample(documentation)
  const example = sample?.example ?? { name: '', value: {}, generated: true }
  const body = JSON.stringify(documentedEvent(sample?.name ?? 'invoice.paid', example), undefined, 2)
  return {
    path: 'requests',
    title: 'What a request looks like',
    summary: 'The body, every header that is sent, and which of them the signature protects.',
    marks: [],
    blocks: [
      say`Each event is sent as a ${code(delivery.method)} request with a JSON body in UTF-8, over HTTP/1.1, to the URL of every subscription that wants it.`,
      heading(2, 'Body'),
      codeBlock('json', body, 'The envelope of every event'),
      table('Members of the body', ['Member', 'Type', 'Meaning'], bodyRows(sample?.name), 'fields'),
      heading(2, 'Headers'),
      say`Only \`webhook-id\`, \`webhook-timestamp\` and the body are covered by the signature, so do not base decisions on any other header.`,
      table('Headers', ['Header', 'Signed?', 'Meaning'], headerRows(), 'fields'),
      say`A subscription can add custom headers and credentials of its own, and ${branding.name} can add headers to an event.`,
      heading(2, 'Test requests'),
      say`A [test event](testing.html#a-test-event) and the requests of the [receiver check](receiver-check.html) carry the header \`posthorn-test: 1\`. Their event did not happen.`,
      ...formatBlocks(delivery.payload_formats),
    ],
  }
}

function bodyRows(first: string | undefined): Row[] {
  return [
    {
      cells: [
        [code('type')],
        ['string'],
        first === undefined
          ? ['The event type.']
          : [
              ...prose`The event type, such as `,
              link(`events/${first}.html`, first),
              ...prose`. [All event types](events.html)`,
            ],
      ],
    },
    {
      cells: [
        [code('timestamp')],
        ['string'],
        prose`When the event happened: RFC 3339, in UTC. It stays the same when the event is sent again.`,
      ],
    },
    { cells: [[code('data')], ['any'], prose`What happened. Its fields are described on the page of the event type.`] },
  ]
}

function headerRows(): Row[] {
  return headerFacts.map(({ name, description, example, always, protection }) => ({
    cells: [
      [code(name)],
      headerProtections[protection],
      [...(always ? [] : [mark('sometimes'), ' ']), `${description}.`, { kind: 'break' }, 'Example: ', code(example)],
    ],
  }))
}

function formatBlocks(formats: readonly PayloadFormat[]): Block[] {
  if (formats.every((format) => format === 'standard')) return []
  return [
    heading(2, 'Other body formats'),
    say`A subscription can ask for another format with \`payload_format\`. \`data\` is the same, byte for byte, in all of them, and the signature always covers the body as it is sent. The header \`posthorn-payload-format\` names the format, unless it is the default.`,
    table(
      'Body formats',
      ['Format', 'What is sent'],
      formats.map((format) => ({ cells: [[code(format)], formatWords[format]] })),
      'list',
    ),
  ]
}
