/** What every page and every artifact is made from. */
import type { Branding } from './branding.ts'
import type { Examples } from './examples/examples.ts'
import type { DocsSource, DocumentedEventType } from './source.ts'

export type Documentation = {
  readonly source: DocsSource
  readonly branding: Branding
  /**
   * Where the site stands, without a slash at the end: `https://docs.acme.example/webhooks`. Identifiers of schemas and
   * the feed need whole addresses; pages link to one another by relative ones.
   */
  readonly baseUrl: string
  /** Examples of one version; made once and kept. */
  examplesOf(eventType: string, version: number): Examples
}

/** The version that receivers get today; undefined while an event type has no schema. */
export function latestVersion({ versions }: DocumentedEventType): DocumentedEventType['versions'][number] | undefined {
  return versions.at(-1)
}
