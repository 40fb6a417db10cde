/**
 * The events as an OpenAPI 3.1 document that has only `webhooks`: each is a request that the receiver answers, with the
 * headers that come, the body, examples, and what each answer brings about.
 */

import { byName } from '../by-name.ts'
import { headerFacts, patienceStatuses, retryAfterSecondsMax } from '../delivery-facts.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import { documentedEvent } from '../signed-delivery.ts'
import type { DocumentedEventType } from '../source.ts'
import { exactDuration } from '../words.ts'
import { addresses, whole } from './addresses.ts'
import { type CodeName, codeNames } from './code/code-names.ts'
import { exampleFiles } from './example-files.ts'
import { dialect, eventSchema } from './published-schema.ts'
import { relocated, UnusableSchema } from './schema-document.ts'

/** Where the documented requests go to; somebody has to be named there. */
const receiver = { url: 'https://receiver.example', description: 'Your receiver, at the URL of the subscription' }

export function openapiDocument(documentation: Documentation) {
  const { branding, source } = documentation
  const names = codeNames(documentation)
  const named = byName(documentation.source).map((eventType) => ({ eventType, name: nameIn(names, eventType) }))
  return {
    openapi: '3.1.1',
    info: {
      title: `Events of ${branding.name}`,
      version: versionOf(documentation),
      description: aboutDeliveries(documentation),
    },
    jsonSchemaDialect: dialect,
    externalDocs: { url: `${documentation.baseUrl}/`, description: 'The same for people' },
    servers: [receiver],
    security: [],
    tags: groupsOf(documentation).map((name) => ({ name })),
    webhooks: Object.fromEntries(
      named.map(({ eventType, name }) => [
        eventType.event_type.name,
        { post: operationOf(documentation, eventType, name) },
      ]),
    ),
    components: {
      schemas: Object.fromEntries(named.flatMap(({ eventType, name }) => schemasOf(eventType, name))),
      parameters: Object.fromEntries(headerFacts.map((header) => [header.name, parameterOf(header)])),
    },
    'x-delivery': {
      timeout_ms: source.meta.delivery.timeout_ms,
      retry_schedule_seconds: source.meta.delivery.retry_schedule_seconds,
      disabled_after_hours: source.meta.delivery.disabled_after_hours,
      tolerance_seconds: source.meta.signature.tolerance_seconds,
    },
  }
}

/** The day of the newest version: it changes when what is described does. */
export function versionOf({ source }: Documentation): string {
  const days = source.event_types.flatMap(({ event_type, versions }) => [
    event_type.created_at.slice(0, 10),
    ...versions.map(({ created_at }) => created_at.slice(0, 10)),
  ])
  return days.toSorted().at(-1) ?? '1'
}

/** The headings under which event types stand, by name. */
export function groupsOf({ source }: Documentation): string[] {
  return [...new Set(source.event_types.flatMap(({ event_type }) => event_type.group ?? []))].toSorted()
}

export function nameIn(names: ReadonlyMap<string, CodeName>, { event_type }: DocumentedEventType): CodeName {
  const name = names.get(event_type.name)
  if (name === undefined) throw new Error(`no name was given to ${event_type.name}`)
  return name
}

export function aboutDeliveries({ branding, source }: Documentation): string {
  const { signature, delivery } = source.meta
  const schedule = delivery.retry_schedule_seconds.map(exactDuration).join(', ')
  return [
    `Every event is sent by ${delivery.method} to the URL of each subscription that wants it, as \`{"type","timestamp","data"}\`.`,
    `${branding.name} signs by Standard Webhooks (${signature.standard}): verify the raw body before anything else, and allow ${signature.tolerance_seconds} s between the clocks.`,
    `Answer 2xx within ${delivery.timeout_ms / 1000} s. ${schedule === '' ? 'What is not answered so is not sent again' : `What is not answered so is sent again after ${schedule}`}.`,
    'The same event may come more than once, and events may come in another order than they happened. Ignore members and event types that you do not know.',
  ].join('\n\n')
}

function operationOf(documentation: Documentation, eventType: DocumentedEventType, { base }: CodeName) {
  const { event_type } = eventType
  const version = latestVersion(eventType)
  const files = exampleFiles(documentation, eventType)
  const examples = files.map(({ file, example }) => [
    file,
    { summary: example.name, value: documentedEvent(event_type.name, example) },
  ])
  return {
    operationId: `on${base}`,
    summary: event_type.name,
    ...(event_type.description === null ? {} : { description: event_type.description }),
    ...(event_type.group === null ? {} : { tags: [event_type.group] }),
    ...(event_type.status === 'archived' ? { deprecated: true } : {}),
    externalDocs: { url: whole(documentation, addresses.eventPage(event_type.name)) },
    parameters: headerFacts.filter(isParameter).map(({ name }) => ({ $ref: `#/components/parameters/${name}` })),
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { $ref: `#/components/schemas/${base}Event` },
          ...(examples.length === 0 ? {} : { examples: Object.fromEntries(examples) }),
        },
      },
    },
    responses: responsesOf(documentation),
    'x-event-version': version?.version ?? 0,
  }
}

/** OpenAPI says that a parameter of this name is ignored: the media type is said with the body. */
function isParameter({ name }: { name: string }): boolean {
  return name !== 'content-type'
}

function parameterOf({ name, description, always, example, protection }: (typeof headerFacts)[number]) {
  const isSigned = protection === 'unsigned' ? ' Not part of what is signed.' : ''
  return {
    name,
    in: 'header',
    required: always,
    description: `${description}.${isSigned}`,
    schema: { type: 'string' },
    example,
  }
}

function responsesOf({ source }: Documentation) {
  const { delivery } = source.meta
  const disabling =
    delivery.disabled_after_hours === null
      ? ''
      : ` A subscription that nothing but fails for ${delivery.disabled_after_hours} hours is disabled.`
  const attempts = delivery.retry_schedule_seconds.length + 1
  return {
    '2XX': {
      description: `Delivered. The body of the answer is not read for anything; ${delivery.timeout_ms / 1000} s are allowed.`,
    },
    '410': {
      description:
        'Failed, and no attempt follows. The subscription is disabled: nothing more is sent to it until somebody resumes it.',
    },
    '429': {
      description: `Failed. It is sent again by the schedule, no earlier than \`Retry-After\` asks for (at most ${retryAfterSecondsMax / 3600} hours), and everything else for this subscription waits as long. The same is true of ${patienceStatuses.filter((status) => status !== 429).join(', ')}.`,
      headers: {
        'Retry-After': { description: 'Seconds, or an HTTP date', schema: { type: 'string' }, example: '120' },
      },
    },
    default: {
      description: `Failed. It is sent again by the schedule, ${attempts} attempts in all. A redirect (3xx) is not followed and counts as a failure, and so does no answer within ${delivery.timeout_ms / 1000} s.${disabling}`,
    },
  }
}

function schemasOf(eventType: DocumentedEventType, { base }: CodeName): [string, object][] {
  const { event_type } = eventType
  const data = `#/components/schemas/${base}Data`
  return [
    [`${base}Event`, { title: event_type.name, ...eventSchema({ const: event_type.name }, { $ref: data }) }],
    [`${base}Data`, dataSchema(latestVersion(eventType)?.schema, data)],
  ]
}

/** The schema at its place in a larger document; one that everything fits, where it cannot be laid there. */
export function dataSchema(schema: unknown, place: string): Record<string, unknown> {
  if (schema === undefined) return { description: 'Not described.' }
  try {
    return relocated(schema, place)
  } catch (error) {
    if (error instanceof UnusableSchema) return { description: `Not described: ${error.message}.` }
    throw error
  }
}
