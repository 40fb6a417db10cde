/**
 * What happens, told in one place: every occurrence worth a log line is a member of one union, and nothing else logs it.
 *
 * Parts are given a `Telemetry` and tell it what they did. In production it writes a structured log; tests await the
 * same occurrences instead of sleeping.
 */

import { formatId, type Problem } from '@posthorn/contract'
import pino, { type Logger } from 'pino'
import type { AttemptRecord } from './db/sql/record-attempts.ts'
import { isDatabaseUnavailable } from './db/unavailable.ts'

export type Occurrence =
  /** An attempt and what follows are committed. `moved` is false when another dispatcher had taken the delivery over. */
  | { what: 'attempt_recorded'; record: AttemptRecord; moved: boolean }
  | { what: 'deliveries_claimed'; count: number }
  | { what: 'deliveries_woken'; count: number }
  | { what: 'deliveries_held'; count: number }
  | { what: 'deliveries_released'; count: number }
  /** A subscription whose receiver hangs shares a part of the slots from now on, or does so no more. */
  | { what: 'slow_lane_entered' | 'slow_lane_left'; subscriptionId: string }
  /** The circuit breaker of a subscription opens: its work is held back. Or it closes. */
  | { what: 'breaker_opened' | 'breaker_closed'; subscriptionId: string }
  /** Subscriptions that failed for too long were disabled, or the operator is told of those that come near it. */
  | { what: 'subscriptions_judged'; told: number; disabled: number }
  | { what: 'system_events_published'; count: number }
  | { what: 'outbox_published'; count: number }
  /** An event in the outbox can never be published as it is. It stays there. */
  | { what: 'outbox_event_refused'; id: string; tenantId: string; type: string; problem: Problem }
  /** Items of replays became due, or were skipped or settled without an attempt; and replays ended. */
  | { what: 'replays_fed'; fed: number; skipped: number; settled: number; finished: number }
  /** Drafts of replays that nobody ran in time. */
  | { what: 'drafts_expired'; count: number }
  /** Events whose content was erased, because somebody asked or their tenant keeps no more. */
  | { what: 'events_erased'; count: number }
  /** Partitions that were dropped because they are older than they are kept, and those that stay for what is still to be sent. */
  | { what: 'retention_applied'; dropped: readonly string[]; kept: readonly string[] }
  /** Rollups of minutes were added to their hours, and those that had been kept for their time were deleted; in rows. */
  | { what: 'attempts_rolled_up'; rolledUp: number; deleted: number }
  /** The shards that this dispatcher works on now. */
  | { what: 'shards_owned'; shards: readonly number[] }
  | { what: 'dispatcher_stopped'; unfinished: number }
  /** A round of something that goes on for ever failed, so many times in a row where that is known, and will be tried again. */
  | { what: 'round_failed'; round: string; error: unknown; times?: number }
  /** Secrets that none of the master keys opens: nothing is sent to their subscriptions. */
  | { what: 'secrets_unreadable'; masterKeyId: string; secrets: number }
  /** A fault of ours at one delivery; the delivery is not lost. */
  | { what: 'delivery_fault'; deliveryId: string; error: unknown }

/** Fields that never reach a log, wherever they stand in a line. */
const redactedFields: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'secret',
  'key',
  'webhook-signature',
  'password',
])

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/**
 * What JSON leaves as it is and a terminal obeys (DEL, the C1 controls), or shows in another order than it stands there
 * (line separators, directions of writing). Within JSON it can only be part of a text, where it may be escaped.
 */
const unprintable = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** The log of a process: JSON lines of printable characters, with the time in RFC 3339, secrets redacted. */
export function createLogger(level: (typeof logLevels)[number], destination: { write(line: string): void }): Logger {
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      // pino's own redaction walks paths through every line, which took a fifth of the CPU of a busy dispatcher.
      formatters: { log: redacted },
      serializers: { err: errorFields },
    },
    { write: (line: string) => destination.write(line.replace(unprintable, escaped)) },
  )
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The same fields with the secret ones hidden. Copies only what it changes: nearly every line is flat and has none. */
function redacted(fields: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    const shown = redactedFields.has(name) ? '[redacted]' : isPlain(value) ? redacted(value) : value
    if (shown === value) continue
    copy ??= { ...fields }
    copy[name] = shown
  }
  return copy ?? fields
}

/** Not an error, a request or another thing with a serializer of its own. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** What a log says of an error. Not its other properties: a driver hangs its whole connection on them, statements included. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause } = error
  const code = 'code' in error ? error.code : undefined
  return { name, code, message, stack, ...(cause === undefined ? {} : { cause: errorFields(cause) }) }
}

export type Telemetry = (occurrence: Occurrence) => void

/** Writes occurrences to a log: one line each, all fields, no payloads and no secrets. */
export function logTo(logger: Logger): Telemetry {
  return (occurrence) => {
    switch (occurrence.what) {
      case 'attempt_recorded':
        logger.info(attemptFields(occurrence.record, occurrence.moved), 'attempt')
        break
      case 'deliveries_claimed':
      case 'deliveries_woken':
      case 'replays_fed':
        logger.trace(occurrence, occurrence.what)
        break
      case 'round_failed':
        logger[isHitch(occurrence) ? 'info' : 'warn'](
          { round: occurrence.round, err: occurrence.error },
          'round failed, trying again',
        )
        break
      case 'secrets_unreadable':
        logger.error(
          { master_key_id: occurrence.masterKeyId, secrets: occurrence.secrets },
          'secrets are sealed with a master key that POSTHORN_MASTER_KEY does not hold; nothing is sent to their subscriptions',
        )
        break
      case 'delivery_fault':
        logger.error(
          { delivery: formatId('delivery', occurrence.deliveryId), err: occurrence.error },
          'fault of ours at a delivery',
        )
        break
      case 'outbox_published':
        logger.debug(occurrence, occurrence.what)
        break
      case 'outbox_event_refused': {
        const { id, tenantId: tenant, type, problem } = occurrence
        const { code, message: detail, errors } = problem
        logger.error(
          { outbox_event: formatId('outbox_event', id), tenant, type, code, detail, errors },
          'an event in the outbox cannot be published, and stays there',
        )
        break
      }
      case 'slow_lane_entered':
      case 'slow_lane_left':
      case 'breaker_opened':
      case 'breaker_closed':
        logger.info({ subscription: formatId('subscription', occurrence.subscriptionId) }, occurrence.what)
        break
      default:
        logger.info(occurrence, occurrence.what)
    }
  }
}

function attemptFields(record: AttemptRecord, moved: boolean): Record<string, unknown> {
  return {
    event: formatId('event', record.eventId),
    delivery: formatId('delivery', record.deliveryId),
    attempt: formatId('attempt', record.id),
    subscription: formatId('subscription', record.subscriptionId),
    tenant: record.tenantId,
    number: record.number,
    trigger: record.trigger,
    outcome: record.next.kind,
    failure_code: record.failureCode,
    status: record.status,
    wait_ms: record.waitMs,
    total_ms: record.totalMs,
    next_in_ms: record.next.kind === 'retry' ? record.next.delayMs : undefined,
    moved,
  }
}

/** A database that did not answer once, as while much is started at the same time, is nothing to be woken by. */
function isHitch({ error, times }: Extract<Occurrence, { what: 'round_failed' }>): boolean {
  return times === 1 && isDatabaseUnavailable(error)
}
