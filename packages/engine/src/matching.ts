/**
 * Which subscriptions of a tenant get an event, and why the others do not: the event type first, then whom the publisher
 * chose, then the filter. Publishing and everything that explains it ask here, so they cannot differ.
 */
import {
  explainFilter,
  type FailedClause,
  type FilterSubject,
  filterSteps,
  filterSubject,
  type MatchReason,
  matchesAnyEventType,
  matchesFilter,
  type Uuid,
} from '@posthorn/contract'
import type { FilterReader } from './filters.ts'

/** A subscription, as far as matching looks at it. */
export type Candidate = {
  readonly subscriptionId: Uuid
  readonly eventTypes: readonly string[]
  /** JSON; null wants every event of the types. */
  readonly filter: string | null
}

/** An event, as far as matching looks at it. */
export type MatchedEvent = {
  readonly type: string
  readonly keys: Readonly<Record<string, string>>
  /** JSON. Read at most once, and only if a filter looks at it. */
  readonly data: string
}

/** Why an event does or does not go to a subscription. */
export type Verdict = {
  readonly matched: boolean
  /** Why it does not match; null when it does. */
  readonly reason: Extract<MatchReason, 'event_type' | 'not_chosen' | 'filter'> | null
  readonly failed: FailedClause | null
  /** The filter took too many steps, so that it counts as fulfilled. */
  readonly unfinished: boolean
}

/**
 * The candidates that get an event.
 *
 * @param chosen the subscriptions that the publisher chose; all when `undefined`
 */
export function matching<T extends Candidate>(
  readFilter: FilterReader,
  event: MatchedEvent,
  candidates: readonly T[],
  chosen: readonly Uuid[] | undefined,
): T[] {
  const wanting = candidates.filter((candidate) => refusedBefore(event, candidate, chosen) === null)
  const filters = countFilters(wanting)
  if (filters === 0) return wanting
  const subject = filterSubject(event)
  const steps = filterSteps(filters)
  return wanting.filter(({ filter: text }) => {
    const filter = text === null ? undefined : readFilter(text)
    return filter === undefined || matchesFilter(filter, subject, steps)
  })
}

/** The same with the reasons: one verdict a candidate, in order. */
export function explainMatching<T extends Candidate>(
  readFilter: FilterReader,
  event: MatchedEvent,
  candidates: readonly T[],
  chosen: readonly Uuid[] | undefined,
): Verdict[] {
  const subject = filterSubject(event)
  const wanting = candidates.filter((candidate) => refusedBefore(event, candidate, chosen) === null)
  const steps = filterSteps(countFilters(wanting))
  return candidates.map((candidate) => {
    const reason = refusedBefore(event, candidate, chosen)
    if (reason !== null) return { matched: false, reason, failed: null, unfinished: false }
    return verdictOf(candidate.filter === null ? undefined : readFilter(candidate.filter), subject, steps)
  })
}

function verdictOf(
  filter: Parameters<typeof explainFilter>[0] | undefined,
  subject: FilterSubject,
  steps: number,
): Verdict {
  if (filter === undefined) return { matched: true, reason: null, failed: null, unfinished: false }
  const { matches, unfinished, failed } = explainFilter(filter, subject, steps)
  return { matched: matches, reason: matches ? null : 'filter', failed: failed ?? null, unfinished }
}

/** Why a candidate does not get an event, before its filter is asked. */
function refusedBefore(
  event: MatchedEvent,
  { subscriptionId, eventTypes }: Candidate,
  chosen: readonly Uuid[] | undefined,
): 'event_type' | 'not_chosen' | null {
  if (!matchesAnyEventType(eventTypes, event.type)) return 'event_type'
  return chosen !== undefined && !chosen.includes(subscriptionId) ? 'not_chosen' : null
}

function countFilters(candidates: readonly Candidate[]): number {
  let count = 0
  for (const { filter } of candidates) if (filter !== null) count += 1
  return count
}
