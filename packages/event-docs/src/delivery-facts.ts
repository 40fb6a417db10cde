/**
 * What is true of every delivery and stands in no settings, so that it is not in the source. A test holds it to the code
 * that delivers (`packages/checks/src/docs/documented-deliveries.test.ts`), which this package may not import.
 */
import { type HeaderProtection, protectionOf } from './signed-delivery.ts'

/** The statuses that ask for patience: the whole subscription waits, as long as `Retry-After` says. */
export const patienceStatuses = [429, 502, 503, 504] as const
/** The one status that disables the subscription. */
export const goneStatus = 410
/** How much a wait may grow by chance, as a part of it. */
export const jitterPartMax = 0.2
/** The longest that `Retry-After` puts an attempt off, in seconds. */
export const retryAfterSecondsMax = 24 * 3600

export type HeaderFact = {
  readonly name: string
  readonly protection: HeaderProtection
  /** It is there at every attempt. */
  readonly always: boolean
  readonly description: string
  readonly example: string
}

/** The headers of a delivery in the form `standard`. */
export const headerFacts: readonly HeaderFact[] = [
  fact(
    'webhook-id',
    'The id of the event, the same in every attempt: process each id once',
    'evt_01kdy3c2g0fesmh0cdwq8tprqa',
  ),
  fact('webhook-timestamp', 'When this attempt was signed, in Unix seconds', '1767268801'),
  fact(
    'webhook-signature',
    'One or more signatures, separated by spaces: v1 is HMAC-SHA256, v1a is Ed25519',
    'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  ),
  fact('content-type', 'The media type of the body, which is JSON in UTF-8', 'application/json'),
  fact('user-agent', 'The sender and its version', 'Posthorn/0.1.0'),
  fact('posthorn-event-type', 'The event type, as in the body', 'invoice.paid'),
  fact('posthorn-attempt', 'The number of this attempt, counted from 1', '1'),
  {
    ...fact('posthorn-replay', 'The replay that this attempt is part of', 'rpl_01kdy3c2g0fesmh0cdwq8tprqb'),
    always: false,
  },
  {
    ...fact(
      'posthorn-transform',
      'The hash of the transform that produced the data',
      '2c26b46b68ffc68ff99b453c1d304134',
    ),
    always: false,
  },
  {
    ...fact(
      'content-digest',
      'The hash of the body, if a transform produced it (RFC 9530)',
      'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
    ),
    always: false,
  },
  {
    ...fact(
      'traceparent',
      'The trace in which the event was published (W3C Trace Context)',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    ),
    always: false,
  },
]

function fact(name: string, description: string, example: string): HeaderFact {
  return { name, protection: protectionOf(name), always: true, description, example }
}
