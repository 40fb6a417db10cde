/** The documentation for programs that read Markdown (`llms.txt`): a list of what there is, and everything in one file. */
import type { Artifact } from '../artifact.ts'
import { byName } from '../by-name.ts'
import { headerFacts } from '../delivery-facts.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import { catalogues, guides } from '../guides.ts'
import { fenced, markdownLine } from '../page/markdown.ts'
import { curlOf, publishedSecret, signedDelivery } from '../signed-delivery.ts'
import type { DocumentedEventType } from '../source.ts'
import { addresses, whole } from './addresses.ts'
import { exampleFiles } from './example-files.ts'
import { aboutDeliveries } from './openapi.ts'
import { publishedSchema, schemaFault } from './published-schema.ts'

const contentType = 'text/markdown; charset=utf-8'

/** By the form of llmstxt.org: a heading, a summary, lists of links. */
export function summaryText(documentation: Documentation): Artifact {
  const link = (name: string, path: string, about: string) => `- [${name}](${whole(documentation, path)}): ${about}`
  const events = byName(documentation.source).map(({ event_type }) => {
    const archived = event_type.status === 'archived' ? 'Not sent any more. ' : ''
    const about = `${archived}${markdownLine(event_type.description ?? 'No description.')}`
    return link(event_type.name, addresses.eventText(event_type.name), about)
  })
  const pages = [...guides, ...catalogues].map(({ path, title, about }) =>
    link(title, addresses.guideText(path), about),
  )
  const body = `${headOf(documentation)}

## Guides

${pages.join('\n')}

## Events

${events.length === 0 ? 'None yet.' : events.join('\n')}

## For programs

${[
  link('Everything in one file', addresses.everything, 'this list with headers, schemas and examples'),
  link('Manifest', addresses.manifest, 'headers, signature schemes, schedule, limits and addresses as JSON'),
  link('JSON Schemas', addresses.schemaIndex, 'every version of every event type'),
  link('OpenAPI', addresses.openapi, 'OpenAPI 3.1 with webhooks'),
  link('AsyncAPI', addresses.asyncapi, 'AsyncAPI 3.0'),
  link('Types for TypeScript', addresses.typescriptArchive, 'a package that npm installs from this address'),
  link('Test vectors', addresses.testVectors, 'right and wrong signatures to test a verifier with'),
  link('listen', addresses.listen, 'a program for Node.js 20 that brings real events to your own machine'),
  link('IP ranges', addresses.ipRanges, 'where requests come from'),
  link('Types for Go', addresses.goEvents, 'beside it a file for each event type, linked from its page'),
  link('Types for Python', addresses.pythonEvents, 'likewise'),
  link('Changes', addresses.changelog, 'the changelog as JSON'),
].join('\n')}
`
  return { contentType, body }
}

export function everythingText(documentation: Documentation): Artifact {
  const headers = headerFacts.map(({ name, description, protection, always }) => {
    const said = protection === 'unsigned' ? 'not signed' : protection === 'signed' ? 'signed' : 'the signature itself'
    return `- \`${name}\` (${said}${always ? '' : ', not always there'}): ${description}.`
  })
  const body = `${headOf(documentation)}

## What comes with every delivery

${headers.join('\n')}

The signature is made over \`{webhook-id}.{webhook-timestamp}.{raw body}\`. The examples are signed with the secret
\`${publishedSecret}\`, which is public and protects nothing.

${byName(documentation.source)
  .map((eventType) => eventText(documentation, eventType))
  .join('\n\n')}
`
  return { contentType, body: `${body.trimEnd()}\n` }
}

function headOf(documentation: Documentation): string {
  const { branding } = documentation
  return `# Events of ${markdownLine(branding.name)}

> What ${markdownLine(branding.name)} sends to your receiver by HTTP, how it is signed, and what your answer brings about.

${aboutDeliveries(documentation)}`
}

function eventText(documentation: Documentation, eventType: DocumentedEventType): string {
  const { event_type } = eventType
  const version = latestVersion(eventType)
  const about = event_type.description === null ? [] : [markdownLine(event_type.description)]
  if (event_type.status === 'archived') about.push('It is not sent any more.')
  const [first] = exampleFiles(documentation, eventType)
  return [
    `## ${event_type.name}`,
    ...about,
    ...(version === undefined
      ? ['It has no schema yet.']
      : [`### Schema of \`data\`, version ${version.version}`, schemaText(documentation, version)]),
    ...(first === undefined
      ? []
      : ['### A signed delivery', deliveryText(documentation, event_type.name, first.example)]),
  ].join('\n\n')
}

function schemaText(documentation: Documentation, version: DocumentedEventType['versions'][number]): string {
  const fault = schemaFault(version)
  const warning = fault === undefined ? '' : `The schema cannot be used: ${markdownLine(fault)}.\n\n`
  return `${warning}${fenced('json', JSON.stringify(publishedSchema(documentation, version), null, 2))}`
}

function deliveryText(
  documentation: Documentation,
  type: string,
  example: Parameters<typeof signedDelivery>[2],
): string {
  const delivery = signedDelivery(documentation, type, example)
  const lines = delivery.headers.map(({ name, value }) => `${name}: ${value}`)
  const request = fenced('http', `POST / HTTP/1.1\n${lines.join('\n')}\n\n${delivery.body}`)
  return `${request}\n\nThe same with a fresh signature, to your own receiver:\n\n${fenced('sh', curlOf(delivery, 'fresh'))}`
}
