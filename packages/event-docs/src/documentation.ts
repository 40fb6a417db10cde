/** What every page and every artifact is made from. */
import type { Observations } from '@posthorn/contract'
import type { Branding } from './branding.ts'
import type { Examples } from './examples/examples.ts'
import { examplesOf } from './examples/examples-of.ts'
import { type Explanations, readExplanations } from './explanations.ts'
import { lastOf } from './last-of.ts'
import { eachField, type SchemaFields } from './schema-fields/fields.ts'
import { schemaFields } from './schema-fields/schema-fields.ts'
import { sinceVersions } from './schema-fields/since.ts'
import type { DocsSource, DocumentedEventType } from './source.ts'

export type Documentation = {
  readonly source: DocsSource
  readonly branding: Branding
  /**
   * Where the site stands, without a slash at the end: `https://docs.acme.example/webhooks`. Identifiers of schemas and
   * the feed need whole addresses; pages link to one another by relative ones.
   */
  readonly baseUrl: string
  /** Where the API answers, without `/v1`, for the calls that pages show. Left out when it is not known. */
  readonly apiUrl?: string
  readonly explanations: Explanations
  /** What was really published, by event type: for the operator alone, and left out of what customers read. */
  readonly observations?: ReadonlyMap<string, Observations>
  /** Examples of one version; made once and kept. */
  examplesOf(eventType: string, version: number): Examples
  /** The schema of one version as fields, each with the version that it is there since. The last few are kept. */
  fieldsOf(eventType: string, version: number): SchemaFields
  /** What is needed of them once more when their page is made; kept. */
  outlineOf(eventType: string, version: number): SchemaOutline
}

export type SchemaOutline = {
  /** Of every field below `data`, each once. */
  readonly paths: readonly string[]
  readonly warnings: readonly string[]
}

/** Fields of a large catalogue at once would be gigabytes. */
const fieldsKept = 8

/** Begins a documentation. Nothing is made before it is asked for. */
export function createDocumentation(
  given: Pick<Documentation, 'source' | 'branding' | 'baseUrl' | 'apiUrl' | 'observations'>,
): Documentation {
  const versionsOf = new Map(given.source.event_types.map(({ event_type, versions }) => [event_type.name, versions]))
  const find = (eventType: string, number: number) =>
    versionsOf.get(eventType)?.find(({ version }) => version === number)
  const lastFields = lastOf<SchemaFields>(fieldsKept)
  const outlines = new Map<string, SchemaOutline>()
  function fieldsOf(eventType: string, number: number): SchemaFields {
    const key = `${eventType} ${number}`
    return lastFields(key, () => {
      const before = versionsOf.get(eventType)?.filter(({ version }) => version <= number) ?? []
      const fields = schemaFields(find(eventType, number)?.schema ?? true, { since: sinceVersions(before) })
      outlines.set(key, outline(fields))
      return fields
    })
  }
  return {
    ...given,
    explanations: readExplanations(),
    examplesOf: keptForEach((eventType, number) => {
      const version = find(eventType, number)
      return version === undefined ? { examples: [], warnings: [] } : examplesOf(version)
    }),
    fieldsOf,
    outlineOf: (eventType, number) => outlines.get(`${eventType} ${number}`) ?? outline(fieldsOf(eventType, number)),
  }
}

function outline({ root, warnings }: SchemaFields): SchemaOutline {
  const paths = root === undefined ? [] : [...new Set([...eachField(root)].map(({ path }) => path))].slice(1)
  return { paths, warnings }
}

function keptForEach<T>(make: (eventType: string, version: number) => T): (eventType: string, version: number) => T {
  const kept = new Map<string, T>()
  return (eventType, version) => {
    const key = `${eventType} ${version}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const made = make(eventType, version)
    kept.set(key, made)
    return made
  }
}

/** The version that receivers get today; undefined while an event type has no schema. */
export function latestVersion({ versions }: DocumentedEventType): DocumentedEventType['versions'][number] | undefined {
  return versions.at(-1)
}
