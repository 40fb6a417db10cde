/** Event types that nobody but Posthorn itself publishes or changes. */
import { Problem, reservedEventTypePrefix } from '@posthorn/contract'

/**
 * The refusal of one.
 *
 * @param pointer where it stands in the request
 */
export function eventTypeReserved(name: string, pointer: string): Problem {
  return new Problem(
    'event_type_reserved',
    `Event types that begin with "${reservedEventTypePrefix}" are published by Posthorn itself, and ${JSON.stringify(name)} is one. Choose another name; to receive these, subscribe to them in the operator's tenant.`,
    { errors: [{ pointer, detail: `begins with ${reservedEventTypePrefix}` }] },
  )
}
