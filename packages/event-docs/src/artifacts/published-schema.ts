/**
 * The schemas as they are published: the author's own, at an address that never changes and is its `$id`. What is in a
 * versioned file comes from the version alone, which never changes either: no description of the event type, no example
 * that was made up here.
 */
import { canonical } from '@posthorn/contract'
import type { Artifact, Artifacts, MakeArtifact } from '../artifact.ts'
import { byName } from '../by-name.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import { givenExamplesOf } from '../examples/examples-of.ts'
import type { DocumentedEventType } from '../source.ts'
import { addresses, whole } from './addresses.ts'
import { jsonArtifact, jsonText, sha256 } from './json.ts'
import { schemaDocument, UnusableSchema, without } from './schema-document.ts'

export const dialect = 'https://json-schema.org/draft/2020-12/schema'
export const schemaContentType = 'application/schema+json'
/** Changes when a program that read the index before can no longer do so. */
export const schemaIndexFormat = 'posthorn-schemas/1'

export type EventTypeVersion = DocumentedEventType['versions'][number]

/** Why the schema of a version cannot be published; undefined when it can. */
export function schemaFault({ schema }: EventTypeVersion): string | undefined {
  try {
    schemaDocument(schema)
    return undefined
  } catch (error) {
    if (error instanceof UnusableSchema) return error.message
    throw error
  }
}

/** The schema of `data`. Where the author's cannot be published, one that everything fits, with the reason. */
export function publishedSchema(documentation: Documentation, version: EventTypeVersion): Record<string, unknown> {
  const { event_type: type, version: number, schema } = version
  const fault = schemaFault(version)
  const head = { $schema: dialect, $id: whole(documentation, addresses.schema(type, number)) }
  const title = `${type}, version ${number}`
  if (fault !== undefined) return { ...head, title, description: `Anything: the schema cannot be published, ${fault}` }
  const given = givenExamplesOf(version)
  const examples = given.length > 0 ? { examples: given } : {}
  const description = `What is in data of an event ${type}.`
  // Local references and anchors belong to the schema itself, so they mean the same under another name.
  return { ...head, title, description, ...without(schema, ['$schema', '$id']), ...examples }
}

/** The schema of the whole body, around that of `data`. */
export function publishedEventSchema(documentation: Documentation, version: EventTypeVersion) {
  const { event_type: type, version: number } = version
  return {
    $schema: dialect,
    $id: whole(documentation, addresses.eventSchema(type, number)),
    title: `${type}, version ${number}: the whole body`,
    description: `The body of a delivery of ${type}.`,
    ...eventSchema({ const: type }, { $ref: whole(documentation, addresses.schema(type, number)) }),
  }
}

/** `{"type","timestamp","data"}`. Members that are added later must not break a receiver, so it is open. */
export function eventSchema(type: object, data: object) {
  return {
    type: 'object',
    required: ['type', 'timestamp', 'data'],
    properties: {
      type: { type: 'string', description: 'The event type', ...type },
      timestamp: { type: 'string', format: 'date-time', description: 'When it happened, which may be long ago' },
      data,
    },
  }
}

/** All schemas, and the index of them. */
export function schemaArtifacts(documentation: Documentation): Artifacts {
  const artifacts = new Map<string, MakeArtifact>([
    [addresses.schemaIndex, () => jsonArtifact(schemaIndex(documentation))],
    [addresses.envelope, () => jsonArtifact(envelopeSchema(documentation), schemaContentType)],
  ])
  for (const eventType of documentation.source.event_types) {
    for (const version of eventType.versions) {
      const { event_type: type, version: number } = version
      const ofData = () => schemaArtifact(publishedSchema(documentation, version))
      artifacts.set(addresses.schema(type, number), () => ({ ...ofData(), immutable: true }))
      const ofBody = () => schemaArtifact(publishedEventSchema(documentation, version))
      artifacts.set(addresses.eventSchema(type, number), () => ({ ...ofBody(), immutable: true }))
      // The same file under a second address, so its `$id` is the first one.
      if (version === latestVersion(eventType)) artifacts.set(addresses.schema(type, 'latest'), ofData)
    }
  }
  return artifacts
}

function schemaArtifact(schema: object): Artifact {
  return jsonArtifact(schema, schemaContentType)
}

function envelopeSchema(documentation: Documentation) {
  return {
    $schema: dialect,
    $id: whole(documentation, addresses.envelope),
    title: 'The body of every delivery',
    description:
      'What data holds depends on type. Ignore members that you do not know, and accept types that you do not know.',
    ...eventSchema({}, { description: 'By the schema of the event type' }),
    examples: byName(documentation.source)
      .slice(0, 1)
      .map(({ event_type }) => ({ type: event_type.name, timestamp: '2026-01-01T12:00:00.000Z', data: {} })),
  }
}

function schemaIndex(documentation: Documentation) {
  return {
    format: schemaIndexFormat,
    base_url: documentation.baseUrl,
    envelope_url: whole(documentation, addresses.envelope),
    event_types: byName(documentation.source).map(({ event_type, versions }) => ({
      name: event_type.name,
      status: event_type.status,
      group: event_type.group,
      latest_version: versions.at(-1)?.version ?? 0,
      latest_url: versions.length === 0 ? null : whole(documentation, addresses.schema(event_type.name, 'latest')),
      versions: versions.map((version) => ({
        version: version.version,
        created_at: version.created_at,
        url: whole(documentation, addresses.schema(event_type.name, version.version)),
        event_url: whole(documentation, addresses.eventSchema(event_type.name, version.version)),
        sha256: sha256(jsonText(publishedSchema(documentation, version))),
        source_sha256: sourceHash(version),
      })),
    })),
  }
}

/** Of what the author wrote, wherever it is published. */
export function sourceHash(version: EventTypeVersion): string {
  return sha256(schemaFault(version) === undefined ? canonical(version.schema) : 'unusable')
}
