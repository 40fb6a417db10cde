/** Names of event types: their form, and that no two differ only in case. */
import { eventTypeNamePattern, formSentence, limits, Problem } from '@posthorn/contract'

const nameForm = new RegExp(eventTypeNamePattern, 'u')

export function isEventTypeName(text: string): boolean {
  return text.length <= limits.nameLengthMax && nameForm.test(text)
}

/** @param pointer where it stands in the request */
export function eventTypeNameRefused(pointer: string): Problem {
  return new Problem(
    'invalid_request',
    'The name of an event type is segments of letters, digits, _ and - with dots between them (invoice.paid), at most 128 characters.',
    { errors: [{ pointer, detail: formSentence(eventTypeNamePattern) ?? 'does not fit' }] },
  )
}

export function eventTypeNotFound(name: string): Problem {
  return new Problem('event_type_not_found', `There is no event type ${JSON.stringify(name)}.`)
}

/**
 * The refusal of a name that another one has in other letters.
 *
 * @param pointer where it stands in the request
 */
export function eventTypeNameTaken(name: string, existing: string, pointer: string): Problem {
  return new Problem(
    'event_type_name_taken',
    `There is an event type ${JSON.stringify(existing)}, and ${JSON.stringify(name)} differs from it only in case: people and generated code would take one for the other. Use ${JSON.stringify(existing)}, or choose another name.`,
    { errors: [{ pointer, detail: `differs only in case from ${existing}` }] },
  )
}
