/**
 * The requests of a check of a receiver: what is sent, and how it differs from an ordinary attempt.
 *
 * All of them say that they are tests, and name events that do not exist. What is signed by a key of the subscription is
 * an event of the test: who gets hold of one can repeat no more than that. What must not be accepted is signed by a key
 * that is made for the one request and kept nowhere, or by the key of the subscription with a time that is past, as
 * everybody has it who kept a request of a test for so long.
 */
import { limits, type ReceiverCheck } from '@posthorn/contract'
import {
  generateKeyPair,
  generateSecret,
  type PrivateKey,
  parsePrivateKey,
  parseSecret,
  type SigningKey,
} from '@posthorn/signing'
import type { Claim, Deviation } from './attempt.ts'
import { testEventData, testEventType } from './subscription-tests.ts'
import { newUuid, type World } from './world.ts'

/** How old the stale request claims to be, in seconds: twice what receivers should allow. */
export const staleSeconds = 600
/** Nobody can publish it, and no receiver knows it. */
export const unknownEventType = `${testEventType}.unknown`
/** A member that no schema has. In CloudEvents a name has only letters and digits. */
const extraMember = 'posthorn_unknown'
const extraAttribute = 'posthornunknown'
const extraValue = 'Members may be added. Ignore those that you do not know.'
/** With those that are made up, no more than a request may be signed with. */
const ownKeysMax = 8

/** A check that is a request; the others are judged by all of them together. */
export type RequestedCheck = Exclude<ReceiverCheck, 'answer_time'>

export type PlannedRequest = { check: RequestedCheck } & (
  | { claim: Claim; deviation: Deviation }
  /** Why it makes no sense for this subscription. */
  | { notApplicable: string }
)

type Key = SigningKey | PrivateKey

/** The requests of one check in their order. The first is the good event, without which the others say nothing. */
export function receiverRequests(claim: Claim, world: World): PlannedRequest[] {
  // What a transform makes could hide what is checked.
  const good: Claim = { ...claim, transform: null }
  const another = (): Claim => ({ ...good, eventId: newUuid(world) })
  const foreign = () => foreignKeys(claim, world)
  return [
    { check: 'good_event', claim: good, deviation: {} },
    { check: 'wrong_signature', claim: another(), deviation: { keys: foreign } },
    { check: 'stale_timestamp', claim: another(), deviation: { ageSeconds: staleSeconds } },
    { check: 'duplicate', claim: { ...good, number: 2 }, deviation: {} },
    unknownType(another()),
    withUnknownMember(another()),
    { check: 'large_event', claim: withData(another(), padded(good.event.data)), deviation: {} },
    {
      check: 'old_secret_in_rotation',
      claim: another(),
      deviation: { keys: (own) => [...foreign(), ...own.slice(0, ownKeysMax)] },
    },
    {
      check: 'new_secret_in_rotation',
      claim: another(),
      deviation: { keys: (own) => [...own.slice(0, ownKeysMax), ...foreign()] },
    },
  ]
}

/** A key of each scheme that the subscription signs by, known to nobody. */
function foreignKeys({ keys }: Claim, world: World): Key[] {
  const random = (size: number) => world.randomBytes(size)
  return [...new Set(keys.map(({ scheme }) => scheme))].map((scheme) =>
    scheme === 'v1a' ? parsePrivateKey(generateKeyPair(random).privateKey) : parseSecret(generateSecret(random)),
  )
}

function unknownType(claim: Claim): PlannedRequest {
  const check = 'unknown_event_type'
  if (claim.payloadFormat === 'raw') return { check, notApplicable: 'A body in the form raw does not say its type.' }
  const event = { ...claim.event, type: unknownEventType, data: testEventData, schemaVersion: null }
  return { check, claim: { ...claim, event }, deviation: {} }
}

function withUnknownMember(claim: Claim): PlannedRequest {
  const check = 'unknown_member'
  const data = withMember(claim.event.data, extraMember)
  const grown = withData(claim, data ?? claim.event.data)
  switch (claim.payloadFormat) {
    case 'standard':
      return { check, claim: grown, deviation: { body: (body) => withMember(body, extraMember) ?? body } }
    case 'cloudevents-structured':
      return { check, claim: grown, deviation: { body: (body) => withMember(body, extraAttribute) ?? body } }
    case 'cloudevents-binary':
      return { check, claim: grown, deviation: { headers: { [`ce-${extraAttribute}`]: '1' } } }
    case 'raw':
      if (data === undefined) return { check, notApplicable: 'The data of this event is no object.' }
      return { check, claim: grown, deviation: {} }
  }
}

/** A text of a JSON object with one more member at its end; undefined for one that is no object. */
function withMember(text: string, name: string): string | undefined {
  const end = text.trimEnd()
  if (!text.trimStart().startsWith('{') || !end.endsWith('}')) return undefined
  const rest = end.slice(0, -1)
  const comma = rest.trim() === '{' ? '' : ','
  return `${rest}${comma}${JSON.stringify(name)}:${JSON.stringify(extraValue)}}`
}

/** As long as the data of an event may be. White space in front changes no value, so nothing but the length is new. */
function padded(data: string): string {
  return ' '.repeat(Math.max(0, limits.eventDataBytesMax - Buffer.byteLength(data))) + data
}

function withData(claim: Claim, data: string): Claim {
  return { ...claim, event: { ...claim.event, data } }
}
