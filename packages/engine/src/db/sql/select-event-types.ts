import { type Runner, run } from './statement.ts'

export type EventTypeRow = {
  name: string
  state: string
  validation: string
  latest_version: number
  key_pointers: Record<string, string>
}

/** The event types of these names that exist. Locks nothing; walks `event_type_pkey`. */
export function selectEventTypes(runner: Runner, names: readonly string[]): Promise<EventTypeRow[]> {
  return run<EventTypeRow>(runner, { name: 'select-event-types', text, values: [names] })
}

const text = `
select name, state, validation, latest_version, key_pointers
from event_type
where name = any($1::text[])`
