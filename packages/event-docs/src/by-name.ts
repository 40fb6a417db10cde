/** The order in which things stand: the same on every machine, whatever its language. */
import type { DocsSource, DocumentedEventType } from './source.ts'

/** Event types by name, in whatever order they are told. */
export function byName({ event_types }: Pick<DocsSource, 'event_types'>): DocumentedEventType[] {
  return event_types.toSorted((a, b) => compareTexts(a.event_type.name, b.event_type.name))
}

/** By code units. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
