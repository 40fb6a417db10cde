import type { Documentation } from '../documentation.ts'
import type { DocumentedEventType } from '../source.ts'

/** Event types by name: in the same order in whatever order they are told. */
export function byName({ source }: Documentation): DocumentedEventType[] {
  return source.event_types.toSorted((a, b) => (a.event_type.name < b.event_type.name ? -1 : 1))
}
