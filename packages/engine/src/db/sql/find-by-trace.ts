import type { FoundEvent } from './find-published.ts'
import { type Runner, run } from './statement.ts'

/** Events of one trace that are looked at, to tell the newest of them. */
const lookedAtMax = 1_000

/**
 * Events that were published within a trace, of one tenant unless it is null, newest first.
 *
 * Locks nothing. Walks `event_trace_idx` in every partition, at most `lookedAtMax` entries in all.
 */
export function findByTrace(
  runner: Runner,
  tenantId: string | null,
  traceId: string,
  rowsMax: number,
): Promise<FoundEvent[]> {
  const one = {
    name: 'find-by-trace-of-tenant',
    text: textOf('tenant_id = $3 and'),
    values: [traceId, rowsMax, tenantId],
  }
  const all = { name: 'find-by-trace', text: textOf(''), values: [traceId, rowsMax] }
  return run<FoundEvent>(runner, tenantId === null ? all : one)
}

function textOf(condition: string): string {
  return `
select id, tenant_id
from (
  select id, tenant_id from event
  where ${condition} substr(traceparent, 4, 32) = $1 and traceparent is not null
  limit ${lookedAtMax}
) e
order by id desc
limit $2`
}
