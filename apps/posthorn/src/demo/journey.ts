/**
 * Follows events on their way through the demo, from what the dispatcher and the receiver really did, and tells it.
 */
import { formatId, type Uuid } from '@posthorn/contract'
import type { AttemptRecord, Telemetry } from '@posthorn/engine'
import type { Answer, ReceivedRequest } from './receiver.ts'
import type { Transcript } from './transcript.ts'

export type Journey = {
  /** How the receiver answers: the very first request fails on purpose. */
  answer(request: ReceivedRequest): Answer
  /** What the dispatcher tells. */
  hear: Telemetry
  /**
   * Resolves when the event was delivered and the receiver found its signature valid.
   *
   * @throws JourneyError when it was delivered and the signature was not valid
   */
  arrived(eventId: Uuid): Promise<void>
}

/** An event arrived, and the receiver did not accept its signature. */
export class JourneyError extends Error {
  override readonly name = 'JourneyError'
}

export function watchJourney(tell: Transcript): Journey {
  const known = new Set<Uuid>()
  const signatures = new Map<string, string>()
  const arrivals = new Map<Uuid, PromiseWithResolvers<void>>()
  let failedOnce = false

  function arrival(eventId: Uuid): PromiseWithResolvers<void> {
    const found = arrivals.get(eventId) ?? Promise.withResolvers<void>()
    arrivals.set(eventId, found)
    found.promise.catch(() => undefined) // nobody may be waiting for this one
    return found
  }

  function tellAttempt(record: AttemptRecord): void {
    const { eventId, number, status, failureCode, totalMs, next } = record
    const event = formatId('event', eventId)
    if (!known.has(eventId)) {
      known.add(eventId)
      const type = record.requestHeaders['posthorn-event-type'] ?? ''
      tell({ kind: 'step', step: 'event', id: event, text: type, fields: { type } })
    }
    const delivery = formatId('delivery', record.deliveryId)
    const answer = `${status ?? failureCode} in ${Math.round(totalMs)} ms`
    tell({
      kind: 'step',
      step: `attempt ${number}`,
      id: delivery,
      text: `${answer.padEnd(16)} ${outcome(record)}`,
      fields: { event, number, status, failure_code: failureCode, total_ms: totalMs, outcome: next.kind },
    })
  }

  function tellArrival(eventId: Uuid): void {
    const event = formatId('event', eventId)
    const signature = signatures.get(event) ?? 'never seen'
    tell({ kind: 'step', step: 'receiver', id: event, text: `signature ${signature}`, fields: { signature } })
    if (signature === 'valid') arrival(eventId).resolve()
    else arrival(eventId).reject(new JourneyError(`the receiver found the signature ${signature}`))
  }

  return {
    answer(request) {
      signatures.set(String(request.headers['webhook-id']), request.signature)
      if (request.signature !== 'valid') return { status: 401, body: request.signature }
      if (failedOnce) return { status: 200 }
      failedOnce = true
      return { status: 500, body: 'failing once on purpose' }
    },
    hear(occurrence) {
      if (occurrence.what !== 'attempt_recorded') return
      tellAttempt(occurrence.record)
      if (occurrence.record.next.kind === 'delivered') tellArrival(occurrence.record.eventId)
    },
    arrived: (eventId) => arrival(eventId).promise,
  }
}

function outcome({ next, status, number }: AttemptRecord): string {
  switch (next.kind) {
    case 'delivered':
      return 'delivered'
    case 'retry': {
      const why = status === 500 && number === 1 ? 'the receiver fails once on purpose; ' : ''
      return `${why}next try in ${(next.delayMs / 1000).toFixed(1)} s`
    }
    case 'resume':
      return 'the schedule goes on'
    case 'failed':
      return 'given up'
  }
}
