/**
 * The events as an AsyncAPI 3.0 document, from the point of view of who sends. The address of the one channel is unknown:
 * each subscriber has its own. Schemas are told in the words of draft 7, which is what every tool must understand.
 */
import { isObject } from '@posthorn/contract'
import { stringify } from 'yaml'
import { byName } from '../by-name.ts'
import { headerFacts } from '../delivery-facts.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import { documentedEvent } from '../signed-delivery.ts'
import type { DocumentedEventType } from '../source.ts'
import { addresses, whole } from './addresses.ts'
import { type CodeName, codeNames } from './code/code-names.ts'
import { exampleFiles } from './example-files.ts'
import { aboutDeliveries, dataSchema, nameIn, versionOf } from './openapi.ts'
import { eventSchema } from './published-schema.ts'
import { leadSomewhere, without, withSubschemas } from './schema-document.ts'

export function asyncapiText(documentation: Documentation): string {
  // In quotes nothing is taken for a time, a number or a merge, whatever version of YAML its reader speaks.
  const quotes = { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' } as const
  return stringify(asyncapiDocument(documentation), { ...quotes, aliasDuplicateObjects: false, lineWidth: 0 })
}

function asyncapiDocument(documentation: Documentation) {
  const names = codeNames(documentation)
  const named = byName(documentation.source).map((eventType) => ({ eventType, base: nameIn(names, eventType).base }))
  return {
    asyncapi: '3.0.0',
    info: {
      title: `Events of ${documentation.branding.name}`,
      version: versionOf(documentation),
      description: aboutDeliveries(documentation),
      externalDocs: { url: `${documentation.baseUrl}/` },
    },
    defaultContentType: 'application/json',
    channels: {
      receiver: {
        address: null,
        title: 'A receiver',
        description: 'The URL of a subscription, which its customer chooses',
        messages: Object.fromEntries(
          named.map(({ base }) => [`${base}Event`, { $ref: `#/components/messages/${base}Event` }]),
        ),
      },
    },
    operations: Object.fromEntries(
      named.map(({ eventType, base }) => [
        `send${base}`,
        {
          action: 'send',
          channel: { $ref: '#/channels/receiver' },
          summary: eventType.event_type.name,
          messages: [{ $ref: `#/channels/receiver/messages/${base}Event` }],
          bindings: { http: { method: documentation.source.meta.delivery.method, bindingVersion: '0.3.0' } },
        },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        named.map(({ eventType, base }) => [`${base}Event`, messageOf(documentation, eventType, { base })]),
      ),
      schemas: {
        DeliveryHeaders: headersSchema(),
        ...Object.fromEntries(named.map(({ eventType, base }) => [`${base}Data`, dataIn(eventType, base)])),
      },
    },
  }
}

function messageOf(documentation: Documentation, eventType: DocumentedEventType, { base }: Pick<CodeName, 'base'>) {
  const { event_type } = eventType
  const examples = exampleFiles(documentation, eventType).map(({ file, example }) => ({
    name: file,
    summary: example.name,
    payload: documentedEvent(event_type.name, example),
  }))
  return {
    name: event_type.name,
    title: event_type.name,
    ...(event_type.description === null ? {} : { description: event_type.description }),
    ...(event_type.group === null ? {} : { tags: [{ name: event_type.group }] }),
    ...(event_type.status === 'archived' ? { 'x-deprecated': true } : {}),
    externalDocs: { url: whole(documentation, addresses.eventPage(event_type.name)) },
    contentType: 'application/json',
    headers: { $ref: '#/components/schemas/DeliveryHeaders' },
    payload: eventSchema({ const: event_type.name }, { $ref: `#/components/schemas/${base}Data` }),
    ...(examples.length === 0 ? {} : { examples }),
    'x-event-version': latestVersion(eventType)?.version ?? 0,
  }
}

function headersSchema() {
  const properties = headerFacts.map(({ name, description, example }) => [
    name,
    { type: 'string', description, examples: [example] },
  ])
  return {
    type: 'object',
    required: headerFacts.filter(({ always }) => always).map(({ name }) => name),
    properties: Object.fromEntries(properties),
  }
}

function dataIn(eventType: DocumentedEventType, base: string): Record<string, unknown> {
  const place = `#/components/schemas/${base}Data`
  const schema = draft7(dataSchema(latestVersion(eventType)?.schema, place))
  // A reference may have led into what draft 7 says in another place, or not at all.
  return leadSomewhere(schema, place) ? schema : { description: 'Not described: draft 7 of JSON Schema cannot say it.' }
}

/** Newer keywords than draft 7 has; what says less without them is still true. */
const newer = ['unevaluatedProperties', 'unevaluatedItems', 'minContains', 'maxContains', 'dependentSchemas']

function draft7(schema: Record<string, unknown>): Record<string, unknown> {
  // "At least none" is no demand, and without that word it would be one.
  const left = schema['minContains'] === 0 ? [...newer, 'contains'] : newer
  const plain = withSubschemas(without(schema, left), (part) => (isObject(part) ? draft7({ ...part }) : part))
  const { prefixItems, items, dependentRequired, properties, $ref, ...others } = plain
  const rest = {
    ...others,
    // The official parser copies by assignment, which a member of this name would turn against it.
    ...(isObject(properties) ? { properties: without(properties, ['__proto__']) } : {}),
    ...(isObject(dependentRequired) ? { dependencies: dependentRequired } : {}),
    ...(Array.isArray(prefixItems)
      ? { items: prefixItems, ...(items === undefined ? {} : { additionalItems: items }) }
      : {}),
    ...(!Array.isArray(prefixItems) && items !== undefined ? { items } : {}),
  }
  if ($ref === undefined) return rest
  // Beside a reference draft 7 reads nothing else.
  return Object.keys(rest).length === 0 ? { $ref } : { allOf: [{ $ref }, rest] }
}
