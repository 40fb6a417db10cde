/** The first page: what these webhooks are, the facts at a glance, and where to go on. */
import { limits, type SignatureScheme } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import {
  type Block,
  code,
  external,
  heading,
  link,
  list,
  type Page,
  paragraph,
  paragraphsOf,
  prose,
  type Spans,
  say,
  table,
} from '../page/blocks.ts'
import { bytesInWords, counted, durationInWords } from '../words.ts'
import { attemptsInWords } from './delivery.ts'

const schemeWords: Readonly<Record<SignatureScheme, string>> = {
  v1: 'HMAC-SHA256',
  v1a: 'Ed25519 for subscriptions that ask for it',
}

export function overviewPage({ source, branding, baseUrl }: Documentation): Page {
  const { meta, event_types } = source
  const active = event_types.filter(({ event_type }) => event_type.status === 'active').length
  // The one that every subscription has comes first.
  const schemes = meta.signature.schemes.toSorted().map((scheme) => schemeWords[scheme])
  const dataBytesMax = meta.limits['event_data_bytes_max'] ?? limits.eventDataBytesMax
  const facts: readonly (readonly [what: string, value: Spans])[] = [
    [
      'Request',
      prose`${code(meta.delivery.method)} over HTTPS with a JSON body, up to ${bytesInWords(dataBytesMax)} of event data`,
    ],
    [
      'Signature',
      [
        external(meta.signature.standard, 'Standard Webhooks'),
        `: ${schemes.join(', plus ')}. `,
        ...prose`[How to verify it](verify.html)`,
      ],
    ],
    ['Success', prose`Any status from 200 to 299 within ${durationInWords(meta.delivery.timeout_ms / 1000)}`],
    ['Retries', prose`${attemptsInWords(meta.delivery.retry_schedule_seconds)}. [The schedule](delivery.html#retries)`],
    ['Duplicates', prose`Possible: process each \`webhook-id\` [only once](responding.html#process-each-event-once)`],
    ['Order', prose`[Not guaranteed](responding.html#do-not-rely-on-order), unless a subscription is \`ordered\``],
    [
      'Sent from',
      meta.egress_addresses.length === 0
        ? prose`No fixed addresses: rely on the signature`
        : prose`[Published addresses](production.html#addresses) that you can allow in a firewall`,
    ],
    ['Event types', active === 0 ? ['None yet'] : [link('events.html', counted(active, 'event type'))]],
  ]
  const blocks: Block[] = [
    ...(branding.intro === undefined
      ? [
          say`${branding.name} sends a signed HTTP request to a URL of yours whenever something happens that you want to know about.`,
        ]
      : paragraphsOf(branding.intro)),
    heading(2, 'Start here'),
    list(
      prose`[Quickstart](quickstart.html): run a receiver that verifies signatures, and send it a signed event. Takes about five minutes.`,
      prose`[Event types](events.html): what is sent, when, and with which fields.`,
      prose`[Verifying signatures](verify.html): how it works, with code in your language.`,
      prose`[Testing](testing.html): try your receiver before anything depends on it.`,
      prose`[Going to production](production.html): a checklist.`,
    ),
    heading(2, 'At a glance'),
    table(
      'Facts at a glance',
      ['What', 'Value'],
      facts.map(([what, value]) => ({ cells: [[what], value] })),
      'list',
    ),
    heading(2, 'Machine-readable files'),
    list(
      prose`[openapi.json](openapi.json) (OpenAPI 3.1 with every webhook) and [asyncapi.yaml](asyncapi.yaml) (AsyncAPI 3)`,
      prose`[schemas/index.json](schemas/index.json): JSON Schemas of every version of every event type`,
      /^https?:/.test(baseUrl)
        ? prose`[TypeScript types](types/typescript.tgz): ${code(`npm install ${baseUrl}/types/typescript.tgz`)}`
        : prose`[TypeScript types](types/typescript.tgz) as an npm package`,
      prose`[test-vectors.json](test-vectors.json): requests that your verification must accept, and others that it must refuse`,
      prose`[webhooks.json](webhooks.json): the facts above, for programs`,
      prose`[llms.txt](llms.txt), for language models. Every page is also there as Markdown: put \`.md\` in place of \`.html\`.`,
    ),
  ]
  if (branding.portal !== undefined || branding.support !== undefined) {
    blocks.push(heading(2, 'Where to turn'))
    if (branding.portal !== undefined)
      blocks.push(paragraph('Manage your subscriptions in ', external(branding.portal, 'the portal'), '.'))
    if (branding.support !== undefined)
      blocks.push(paragraph('For help, contact ', external(branding.support, `${branding.name} support`), '.'))
  }
  return {
    path: 'index',
    title: `${branding.name} webhooks`,
    summary: `What ${branding.name} sends to your server, and how to receive it.`,
    marks: [],
    blocks,
  }
}
