/** The delivery by which guides show something: of the first event type that is sent and has an example. */
import { byName } from '../by-name.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import type { Example } from '../examples/examples.ts'

export type Sample = { readonly name: string; readonly example: Example }

export function firstSample({ source, examplesOf }: Documentation): Sample | undefined {
  for (const eventType of byName(source)) {
    const { name, status } = eventType.event_type
    const version = latestVersion(eventType)
    const [example] = version === undefined || status === 'archived' ? [] : examplesOf(name, version.version).examples
    if (example !== undefined) return { name, example }
  }
  return undefined
}
