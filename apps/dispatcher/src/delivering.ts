/**
 * Makes one attempt: transform → prepare → send → record. Whatever the receiver does becomes an outcome; whatever *we* do wrong
 * becomes the outcome `internal_error`, so that no delivery is ever stuck or sent unsigned because of a fault of ours.
 * What cannot even be signed waits, without a place in the schedule, until an operator has mended it.
 */
import type { FailureCode, Uuid } from '@posthorn/contract'
import {
  type AttemptMeans,
  type AttemptOutcome,
  type AttemptRequest,
  type Claim,
  type Deviation,
  type HealthChange,
  judgeAttempt,
  type KeyRing,
  openedTls,
  prepareAttempt,
  type Telemetry,
  type Transforms,
  type World,
} from '@posthorn/engine'
import type { PassFailpoint } from './failpoints.ts'
import { parseRetryAfterMs } from './http/retry-after.ts'
import type { Sender, SendOutcome } from './http/send.ts'
import type { TlsIdentities, TlsIdentity } from './http/tls-identities.ts'
import type { Recorder } from './recording.ts'
import { sendWithTrust } from './sending.ts'
import type { Tokens } from './tokens.ts'
import { transformed } from './transforming.ts'
import { unsent } from './unsent.ts'

/** What making an attempt takes; all the rest is for what follows from it. */
export type AttemptingParts = Pick<
  DeliveringParts,
  | 'sender'
  | 'tokens'
  | 'identities'
  | 'keyOf'
  | 'means'
  | 'transforms'
  | 'world'
  | 'telemetry'
  | 'failpoint'
  | 'monotonicMs'
>

export type DeliveringParts = {
  sender: Sender
  tokens: Tokens
  identities: TlsIdentities
  recorder: Recorder
  keyOf: KeyRing
  means: AttemptMeans
  transforms: Transforms
  world: World
  telemetry: Telemetry
  failpoint: PassFailpoint
  /** A clock that never jumps. */
  monotonicMs(): number
  /** Told when the receiver has answered, or its time is over; null for a 2xx. */
  answered(claim: Claim, failureCode: FailureCode | null): void
  /** Whether the attempt changes the health of its subscription; null when it does not. */
  judgeHealth(claim: Claim, failureCode: FailureCode | null): HealthChange | null
  /** Told when an attempt is recorded of which the operator may have to be told. */
  mayBeTold(): void
  /** Asks that the other deliveries of a subscription be held, because its receiver is gone. */
  holdWork(subscriptionId: Uuid): Promise<void>
}

/**
 * Resolves when the attempt is recorded.
 *
 * @param breakOff aborted when the process must end before the receiver has answered
 */
export async function deliver(parts: DeliveringParts, claim: Claim, breakOff: AbortSignal): Promise<void> {
  const startedAtMs = parts.world.now()
  const { request, outcome } = await makeAttempt(parts, claim, startedAtMs, breakOff)
  parts.answered(claim, outcome.failureCode)
  const made = { startedAt: new Date(startedAtMs), random: randomPart(parts.world) }
  const health = parts.judgeHealth(claim, outcome.failureCode)
  const record = { ...judgeAttempt(claim, request, outcome, made), health }
  await parts.recorder.record(record)
  if (record.next.kind === 'failed' || record.gone || health?.failing === 'ends') parts.mayBeTold()
  // Nothing more is claimed for it in any case; if this fails, the sweep holds what waits.
  if (record.gone) await parts.holdWork(claim.subscriptionId).catch((error: unknown) => tellFailed(parts, error))
}

function tellFailed({ telemetry }: DeliveringParts, error: unknown): void {
  telemetry({ what: 'round_failed', round: 'hold the deliveries of a receiver that is gone', error })
}

/** Makes the request that a claim asks for. Whatever happens is an outcome; nothing is recorded. */
export async function makeAttempt(
  parts: AttemptingParts,
  claim: Claim,
  nowMs: number,
  breakOff: AbortSignal,
  deviation?: Deviation,
): Promise<{ request: AttemptRequest; outcome: AttemptOutcome }> {
  let request: AttemptRequest = nothingPrepared(claim)
  let isSigned = false
  try {
    let ready = claim
    let signedAtMs = nowMs
    if (hasTransform(claim)) {
      const made = await transformed(parts, claim, breakOff)
      if ('outcome' in made) return { request, outcome: made.outcome }
      ready = made.claim
      signedAtMs = parts.world.now()
    }
    request = prepareAttempt(ready, parts.keyOf, signedAtMs, parts.means, deviation)
    const identity = identityOf(parts, claim)
    isSigned = true
    parts.failpoint('before_request')
    let sent: SendOutcome
    if (request.grant === null && identity === undefined) sent = await parts.sender.send(request, breakOff)
    else ({ request, outcome: sent } = await sendWithTrust(parts, request, identity, breakOff))
    parts.failpoint('after_request')
    const { retryAfter, ...outcome } = sent
    if (outcome.failureCode === 'egress_proxy_failed') tellProxyFailed(parts, claim, outcome.failureDetail)
    return { request, outcome: { ...outcome, retryAfterMs: parseRetryAfterMs(retryAfter, parts.world.now()) } }
  } catch (error) {
    parts.telemetry({ what: 'delivery_fault', deliveryId: claim.deliveryId, error })
    return { request, outcome: isSigned ? ourFault : notSigned }
  }
}

function hasTransform(claim: Claim): claim is Claim & { transform: string } {
  return claim.transform !== null
}

function nothingPrepared({ url, timeoutMs }: Claim): AttemptRequest {
  return { url, headers: {}, body: '', timeoutMs, secretHeaders: [], grant: null }
}

/** Opening is part of preparing: without its certificate nothing is sent. */
function identityOf({ identities, means }: AttemptingParts, claim: Claim): TlsIdentity | undefined {
  const { tlsSealed, subscriptionId } = claim
  if (tlsSealed === null) return undefined
  return identities(subscriptionId, tlsSealed, () => openedTls(tlsSealed, subscriptionId, means.seal))
}

/** The line in the log by which an operator notices. */
function tellProxyFailed({ telemetry }: AttemptingParts, { deliveryId }: Claim, detail: string | null): void {
  telemetry({ what: 'delivery_fault', deliveryId, error: new EgressProxyFailed(detail ?? undefined) })
}

/** The operator's proxy did not carry an attempt. */
class EgressProxyFailed extends Error {
  override readonly name = 'EgressProxyFailed'
  readonly code = 'egress_proxy_failed'
}

const ourFault = unsent(
  'internal_error',
  'This attempt failed inside Posthorn before anything was sent. It is not a fault of the receiver.',
)

const notSigned: AttemptOutcome = {
  ...unsent(
    'internal_error',
    'Posthorn could not sign this attempt, so nothing was sent. It is not a fault of the receiver and takes no place in the schedule.',
  ),
  unsignable: true,
}

/** A number from 0 (inclusive) to 1 (exclusive). */
function randomPart(world: World): number {
  const [a = 0, b = 0, c = 0] = world.randomBytes(3)
  return (a * 65_536 + b * 256 + c) / 2 ** 24
}
