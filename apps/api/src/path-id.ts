import { type IdNoun, Problem, type ProblemCode, parseId, type Uuid } from '@posthorn/contract'

const notFound = {
  event: 'event_not_found',
  subscription: 'subscription_not_found',
  delivery: 'delivery_not_found',
  erasure: 'erasure_not_found',
  portal_session: 'portal_session_not_found',
  replay: 'replay_not_found',
  api_key: 'api_key_not_found',
  outbox_event: 'outbox_event_not_found',
} as const satisfies Partial<Record<IdNoun, ProblemCode>>

/**
 * The id in a path. What is no id of that noun cannot exist, so it is not found.
 *
 * @throws Problem `<noun>_not_found`
 */
export function pathId(noun: keyof typeof notFound, text: string): Uuid {
  const id = parseId(noun, text)
  if (id !== undefined) return id
  const words = noun.replace('api_key', 'API key').replace('_', ' ')
  const said = text === '' ? `The path ends where the id of the ${words} is missing.` : undefined
  throw new Problem(notFound[noun], said ?? `There is no ${words} ${JSON.stringify(text)}.`)
}

/** Ids in a filter or a body, whose form the schema has checked; an id beyond 128 bits names nothing and is left out. */
export function givenIds(noun: IdNoun, texts: readonly string[]): Uuid[] {
  return texts.flatMap((text) => parseId(noun, text) ?? [])
}
