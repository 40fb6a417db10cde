/**
 * Makes what is sent, where a subscription has a transform. The time that it takes is the attempt's: what is left of it is
 * for the receiver.
 *
 * A transform that fails is its author's mistake, and a failed attempt like any other; nothing is sent. That it could not be
 * tried is ours.
 */
import { type AttemptOutcome, type Claim, type Telemetry, TransformFailed, type Transforms } from '@posthorn/engine'
import { unsent } from './unsent.ts'

const untried =
  'Posthorn could not evaluate the transform, so nothing was sent. It is a fault of ours and takes no place in the schedule.'
const brokenOff = 'Posthorn gave up this attempt before anything was sent.'

/**
 * The claim with the data that its transform makes, or what the attempt has come to already.
 *
 * @param breakOff aborted when the process must end
 */
export async function transformed(
  { transforms, telemetry }: { transforms: Transforms; telemetry: Telemetry },
  claim: Claim & { transform: string },
  breakOff: AbortSignal,
): Promise<{ claim: Claim } | { outcome: AttemptOutcome }> {
  const { transform, tenantId, subscriptionId, timeoutMs } = claim
  const event = { keys: {}, ...claim.event, id: claim.eventId }
  const begunMs = performance.now()
  try {
    const asking = { waitMsMax: timeoutMs, signal: breakOff }
    const data = await transforms.apply(transform, event, { tenantId, subscriptionId }, asking)
    const leftMs = Math.floor(timeoutMs - (performance.now() - begunMs))
    if (leftMs <= 0) return { outcome: { ...unsent('internal_error', untried, timeoutMs), untransformed: true } }
    // What a transform has made was held to no schema.
    return { claim: { ...claim, timeoutMs: leftMs, event: { ...claim.event, data, schemaVersion: null } } }
  } catch (error) {
    const tookMs = performance.now() - begunMs
    if (error instanceof TransformFailed) return { outcome: unsent('transform_failed', error.message, tookMs) }
    if (breakOff.aborted) return { outcome: unsent('aborted', brokenOff, tookMs) }
    telemetry({ what: 'delivery_fault', deliveryId: claim.deliveryId, error })
    return { outcome: { ...unsent('internal_error', untried, tookMs), untransformed: true } }
  }
}
