/** What every page and every artifact is made from. */
import type { EventTypeVersion, Observations } from '@posthorn/contract'
import type { Branding } from './branding.ts'
import type { Examples } from './examples/examples.ts'
import { examplesOf } from './examples/examples-of.ts'
import { type Explanations, readExplanations } from './explanations.ts'
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
}

/** Begins a documentation. Nothing is made before it is asked for. */
export function createDocumentation(
  given: Pick<Documentation, 'source' | 'branding' | 'baseUrl' | 'apiUrl' | 'observations'>,
): Documentation {
  const made = new Map<string, Examples>()
  const versions = new Map<string, EventTypeVersion>(
    given.source.event_types.flatMap(({ event_type, versions }) =>
      versions.map((version) => [`${event_type.name} ${version.version}`, version] as const),
    ),
  )
  return {
    ...given,
    explanations: readExplanations(),
    examplesOf(eventType, number) {
      const key = `${eventType} ${number}`
      const known = made.get(key)
      if (known !== undefined) return known
      const version = versions.get(key)
      const examples = version === undefined ? { examples: [], warnings: [] } : examplesOf(version)
      made.set(key, examples)
      return examples
    },
  }
}

/** The version that receivers get today; undefined while an event type has no schema. */
export function latestVersion({ versions }: DocumentedEventType): DocumentedEventType['versions'][number] | undefined {
  return versions.at(-1)
}
