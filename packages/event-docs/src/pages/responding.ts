/** What a good receiver does with a request. */
import { jitterPartMax } from '../delivery-facts.ts'
import type { Documentation } from '../documentation.ts'
import { codeBlock, heading, list, type Page, prose, say } from '../page/blocks.ts'
import { durationInWords, roundedDuration } from '../words.ts'
import { attemptsOf } from './delivery.ts'

const keepOnce = `-- once, beside your own tables
create table received_event (id text primary key, received_at timestamptz not null default now());

-- in the transaction that does the work
insert into received_event (id) values ($1) on conflict do nothing;
-- no row inserted: this event was processed before; answer 204 and do nothing`

export function respondingPage({ source }: Documentation): Page {
  const { delivery } = source.meta
  const timeout = durationInWords(delivery.timeout_ms / 1000)
  const retriesSeconds = attemptsOf(delivery.retry_schedule_seconds).at(-1)?.afterSeconds ?? 0
  return {
    path: 'responding',
    title: 'Responding to events',
    summary: 'Answer quickly, process each event once (idempotency), and do not rely on order.',
    marks: [],
    blocks: [
      heading(2, 'Answer first, work later'),
      say`Verify the signature, store the event in a queue or a table of your own, and answer \`204\`. Do everything that takes longer than a moment afterwards: an attempt without a response within ${timeout} counts as failed, even if you have done the work.`,
      heading(2, 'Process each event once'),
      say`The same event can arrive more than once: because your response was lost on the way, because somebody resent it, or because a process on our side ended at the wrong moment. Every request for it carries the same \`webhook-id\`. Make processing idempotent: remember the ids, and skip what you have seen.`,
      codeBlock('sql', keepOnce, 'Remembering ids in your own transaction (PostgreSQL)'),
      retriesSeconds === 0
        ? say`Keep the ids for a month or longer: events can be resent by hand, and those of a paused subscription arrive late.`
        : say`Retries alone go on for up to ${roundedDuration(retriesSeconds * (1 + jitterPartMax), 'up')}, and longer if you ask for it with \`Retry-After\`. Keep the ids for a month: events can also be resent by hand, and those of a paused subscription arrive late.`,
      heading(2, 'Do not rely on order'),
      say`Events are sent in parallel, and a retry arrives after events that were published later. Compare the \`timestamp\` in the body, or treat an event as a hint and fetch the current state.`,
      say`A subscription can be \`ordered\`. Then each event waits until the one before it has been accepted, so one event that keeps failing holds up all the others.`,
      heading(2, 'Expect the unknown'),
      list(
        prose`Ignore fields that you do not know. New ones are added without notice.`,
        prose`Answer \`204\` to event types that you do not know. A subscription to a pattern receives new ones as they come.`,
        prose`Have a default for enums that are marked as open: they will get new values.`,
      ),
      heading(2, 'Choose the right status'),
      list(
        prose`The signature is wrong: \`401\`. It is retried, so a deployment with a wrong secret loses nothing if you fix it in time.`,
        prose`Your database is down: \`503\`, with \`Retry-After\` if you know for how long.`,
        prose`You cannot use the event: \`204\`, and log it. A retry would not help.`,
        prose`You want nothing more at this URL: \`410\`. It disables the subscription.`,
      ),
      say`[What each status does](delivery.html#what-your-response-does)`,
    ],
  }
}
