/**
 * The outbox: events that a backend which shares the database wrote in a transaction of its own. They are published from
 * there as `POST /v1/events` would have, by the same rules and the same publisher.
 *
 * What is promised: what was committed is published once, in the order of writing, or stays with the reason why it never
 * can be. One process at a time publishes, in a transaction whose lock ends with its connection: whoever is killed between
 * publishing and taking the row away leaves it to the next one, which publishes it again under the same publish id, and
 * that stores nothing twice.
 */
import { limits, Problem, type ProblemPlace, PublishEvent, parseId, type Uuid } from '@posthorn/contract'
import { once, placesOf } from '@posthorn/json-schema'
import { Ajv } from 'ajv'
import { customHeaders } from './custom-headers.ts'
import type { Database } from './db/database.ts'
import { poolTransaction } from './db/pool-transaction.ts'
import { deleteOutboxEvents } from './db/sql/delete-outbox-events.ts'
import { lockOutbox } from './db/sql/lock-outbox.ts'
import { postponeOutboxEvents } from './db/sql/postpone-outbox-events.ts'
import { type Refusal, refuseOutboxEvents } from './db/sql/refuse-outbox-events.ts'
import type { Runner } from './db/sql/statement.ts'
import { type OutboxRow, takeOutboxEvents } from './db/sql/take-outbox-events.ts'
import { type EventDraft, type Publisher, publishInOrder } from './events.ts'
import { nestsDeeperThan, poisonousDetail, poisonousMember } from './published-json.ts'
import type { Telemetry } from './telemetry.ts'
import { isTraceparent } from './traceparent.ts'

/** Published at once. What waits longer than that portion takes is published in portions. */
const rowsPerPiece = 200
const bytesPerPiece = 8 * 1024 * 1024
/** So often a fault of ours may hit an event until it is given up, over about four minutes. */
const triesMax = 8
/** Refusals that pass by themselves: the rest of what waits is not tried against them. */
const passing: ReadonlySet<string> = new Set(['overloaded', 'database_unavailable', 'not_ready'])

export type OutboxParts = { db: Database; publisher: Publisher; telemetry: Telemetry }

/**
 * Publishes up to a portion of what waits. Answers how many rows it has dealt with; 0 when there is nothing more, or
 * another process is at it.
 *
 * @throws Problem when some could not be published now; DatabaseUnavailable. They stay, and are tried again.
 */
export async function publishOutbox({ db, publisher, telemetry }: OutboxParts): Promise<number> {
  const { published, refused, again } = await poolTransaction(db, (runner) => publishPiece(runner, publisher))
  for (const { row, problem } of refused) {
    telemetry({ what: 'outbox_event_refused', id: row.id, tenantId: row.tenant_id, type: row.type, problem })
  }
  if (published > 0) telemetry({ what: 'outbox_published', count: published })
  if (again !== undefined) throw again
  return published + refused.length
}

type Done = {
  published: number
  refused: { row: OutboxRow; problem: Problem }[]
  /** Why some stay to be tried again. */
  again: Problem | undefined
}

async function publishPiece(runner: Runner, publisher: Publisher): Promise<Done> {
  if (!(await lockOutbox(runner))) return { published: 0, refused: [], again: undefined }
  const rows = await takeOutboxEvents(runner, rowsPerPiece, bytesPerPiece)
  const outcomes = await publishInOrder(publisher, rows.map(draftOf))
  const published: Uuid[] = []
  const refused: Done['refused'] = []
  const postponed: Uuid[] = []
  let again: Problem | undefined
  for (const [index, outcome] of outcomes.entries()) {
    const row = rows[index]
    if (row === undefined) continue
    if (!(outcome instanceof Problem)) published.push(row.id)
    else if (passing.has(outcome.code)) again ??= outcome
    else if (outcome.code === 'internal_error' && row.tries < triesMax) {
      postponed.push(row.id)
      again ??= outcome
    } else refused.push({ row, problem: outcome })
  }
  await deleteOutboxEvents(runner, published)
  if (refused.length > 0) await refuseOutboxEvents(runner, refused.map(refusalOf))
  if (postponed.length > 0) await postponeOutboxEvents(runner, postponed)
  return { published: published.length, refused, again }
}

const publishEventForm = once(() =>
  new Ajv({ allErrors: true, allowUnionTypes: true }).compile<PublishEvent>(PublishEvent),
)

/** What is to be published, held to the form of the API's body. */
function draftOf(row: OutboxRow): EventDraft | Problem {
  const data = readData(row.data)
  if (data instanceof Problem) return data
  const body: Record<string, unknown> = {
    tenant: row.tenant_id,
    type: row.type,
    data,
    id: outboxPublishId(row.id, row.publish_id),
    timestamp: row.timestamp.toISOString(),
    keys: row.keys,
    ...(row.headers === null ? {} : { headers: row.headers }),
    ...(row.subscriptions === null ? {} : { subscriptions: row.subscriptions }),
  }
  const isPublishEvent = publishEventForm()
  if (!isPublishEvent(body)) return invalid(placesOf(isPublishEvent.errors ?? []))
  const headers = readHeaders(body.headers ?? {})
  if (headers instanceof Problem) return headers
  const subscriptionIds = body.subscriptions?.map((id) => parseId('subscription', id))
  return {
    tenantId: body.tenant,
    type: body.type,
    data: row.data,
    timestamp: row.timestamp,
    publishId: outboxPublishId(row.id, row.publish_id),
    ...(body.keys === undefined ? {} : { keys: body.keys }),
    ...(body.headers === undefined ? {} : { headers }),
    ...(row.traceparent !== null && isTraceparent(row.traceparent) ? { traceparent: row.traceparent } : {}),
    ...(subscriptionIds === undefined ? {} : { subscriptionIds: subscriptionIds.filter((id) => id !== undefined) }),
  }
}

function readHeaders(given: Readonly<Record<string, string>>): Record<string, string> | Problem {
  try {
    return customHeaders(given)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/** The publish id of an event in the outbox: the writer's own, or one that is this row's for ever. */
export function outboxPublishId(id: Uuid, own: string | null): string {
  return own ?? `outbox:${id}`
}

/** The data as the API reads it: no deeper, no longer, and with no name that it refuses. */
function readData(text: string): unknown {
  const bytes = Buffer.byteLength(text)
  if (bytes > limits.eventDataBytesMax) {
    const detail = `is longer than ${limits.eventDataBytesMax} bytes`
    return new Problem('body_too_large', `data ${detail}.`, { errors: [{ pointer: '/data', detail }] })
  }
  // The API counts from the body that the data is in.
  if (nestsDeeperThan(text, limits.jsonDepthMax - 1))
    return invalid([{ pointer: '/data', detail: `is nested deeper than ${limits.jsonDepthMax - 1} levels` }])
  const value = parsed(text)
  if (value instanceof Problem) return value
  const poison = poisonousMember(text, value)
  if (poison === undefined) return value
  return invalid([{ pointer: `/data${poison}`, detail: poisonousDetail }])
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return new Problem('invalid_json', 'data is not valid JSON.', { cause: error })
  }
}

function invalid(errors: readonly ProblemPlace[]): Problem {
  const told = errors.map(({ pointer, detail }) => `${pointer} ${detail}`)
  return new Problem('invalid_request', `${told.join('; ')}.`, { errors })
}

function refusalOf({ row, problem }: { row: OutboxRow; problem: Problem }): Refusal {
  const { code, message: detail, errors } = problem
  return { id: row.id, problem: JSON.stringify({ code, detail, errors }) }
}
