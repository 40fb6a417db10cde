/** What a good receiver does with a request. */
import { jitterPartMax } from '../delivery-facts.ts'
import type { Documentation } from '../documentation.ts'
import { codeBlock, heading, list, type Page, prose, say } from '../page/blocks.ts'
import { durationInWords } from '../words.ts'
import { attemptsOf } from './delivery.ts'

const keepOnce = `-- once, beside your own tables
create table received_event (id text primary key, received_at timestamptz not null default now());

-- in the transaction that does the work
insert into received_event (id) values ($1) on conflict do nothing;
-- no row inserted: this event was handled before; answer 204 and do nothing`

export function respondingPage({ source }: Documentation): Page {
  const { delivery } = source.meta
  const timeout = durationInWords(delivery.timeout_ms / 1000)
  const window = durationInWords(
    (attemptsOf(delivery.retry_schedule_seconds).at(-1)?.afterSeconds ?? 0) * (1 + jitterPartMax),
  )
  return {
    path: 'responding',
    title: 'Responding',
    summary: 'Answer fast, handle each event once, and do not rely on the order.',
    marks: [],
    blocks: [
      heading(2, 'Answer first, work afterwards'),
      say`Verify the signature, put the event into a queue or a table of your own, and answer \`204\`. Whatever takes longer than a moment belongs behind the answer: after ${timeout} the attempt counts as failed, although you may have done the work.`,
      heading(2, 'Handle each event once'),
      say`An event may come more than once: when your answer was lost on the way, when somebody sends it again, when a process of ours ended at the wrong moment. All of its requests carry the same \`webhook-id\`. Keep the ids for at least ${window}, which is how long retries go on; longer if your events are resent by hand.`,
      codeBlock('sql', keepOnce, 'Keeping ids in your own transaction'),
      heading(2, 'Do not rely on the order'),
      say`Events are sent side by side, and a retry comes later than what was published after it. Order by the \`timestamp\` of the body, or take the event as a hint and fetch the current state. A subscription can be made \`ordered\`: then each event waits until the one before it was accepted, and one that keeps failing holds up all others.`,
      heading(2, 'Be open for what you do not know'),
      list(
        prose`Ignore members that you do not know. New ones are added without notice.`,
        prose`Answer \`204\` to event types that you do not know. A wildcard subscription gets new ones.`,
        prose`Treat enums that are marked as open as open.`,
      ),
      heading(2, 'Say what is wrong by the status'),
      list(
        prose`Bad signature: \`400\`. It is retried, so a deployment with a wrong secret loses nothing once you mend it.`,
        prose`Your database is away: \`503\`, with \`Retry-After\` if you know for how long.`,
        prose`The event makes no sense to you: \`204\`, and log it. Retrying would not help.`,
        prose`You want nothing more at this URL: \`410\`.`,
      ),
    ],
  }
}
