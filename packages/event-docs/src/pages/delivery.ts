/** Retries, time-outs and limits, as this installation has them set. */
import type { Meta } from '@posthorn/contract'
import { goneStatus, jitterPartMax, patienceStatuses, retryAfterSecondsMax } from '../delivery-facts.ts'
import type { Documentation } from '../documentation.ts'
import { code, heading, type Page, prose, type Row, say, table } from '../page/blocks.ts'
import { bytesInWords, durationInWords } from '../words.ts'

export type PlannedAttempt = {
  readonly number: number
  /** Since the attempt before, in seconds; 0 for the first. */
  readonly waitSeconds: number
  /** Since the event was published, in seconds, when every attempt fails at once. */
  readonly afterSeconds: number
}

/** The attempts of a schedule: one at once, and one for each wait. */
export function attemptsOf(waitsSeconds: readonly number[]): PlannedAttempt[] {
  const attempts: PlannedAttempt[] = [{ number: 1, waitSeconds: 0, afterSeconds: 0 }]
  let afterSeconds = 0
  for (const [index, waitSeconds] of waitsSeconds.entries()) {
    afterSeconds += waitSeconds
    attempts.push({ number: index + 2, waitSeconds, afterSeconds })
  }
  return attempts
}

export function deliveryPage({ source, branding }: Documentation): Page {
  const { delivery } = source.meta
  const attempts = attemptsOf(delivery.retry_schedule_seconds)
  const total = durationInWords(attempts.at(-1)?.afterSeconds ?? 0)
  const timeout = durationInWords(delivery.timeout_ms / 1000)
  const rows: Row[] = attempts.map(({ number, waitSeconds, afterSeconds }) => ({
    cells: [
      [String(number)],
      [number === 1 ? 'at once' : `${durationInWords(waitSeconds)} later`],
      [afterSeconds === 0 ? 'with the event' : durationInWords(afterSeconds)],
    ],
  }))
  return {
    path: 'delivery',
    title: 'Retries, time-outs and limits',
    summary: `${attempts.length} attempts over ${total}; each may take ${timeout}.`,
    marks: [],
    blocks: [
      say`These values are printed from the settings of ${branding.name}. A subscription may have its own schedule and time-out.`,
      heading(2, 'Retries'),
      say`An attempt that is not accepted is made again. Up to ${jitterPartMax * 100} % is added to each wait by chance, never taken away, so that not everybody comes back in the same second.`,
      table('The schedule of attempts', ['Attempt', 'Made', 'After the event'], rows),
      say`After the last attempt the delivery has failed. It is kept, and can be sent again by hand.`,
      heading(2, 'What your answer does'),
      table(
        'Answers and what they do',
        ['Answer', 'What happens'],
        [
          {
            cells: [
              prose`200 to 299`,
              prose`Delivered. The body of your answer is kept for the log, and means nothing.`,
            ],
          },
          {
            cells: [
              prose`300 to 399`,
              prose`Failed, tried again. **Redirects are not followed**: register the final URL.`,
            ],
          },
          { cells: [prose`400 to 499`, prose`Failed, tried again; some errors are yours and are mended.`] },
          {
            cells: [
              [code(String(goneStatus))],
              prose`The delivery ends at once and the subscription is disabled: this URL wants nothing more.`,
            ],
          },
          {
            cells: [
              patienceStatuses.flatMap((status, index) => [index === 0 ? '' : ', ', code(String(status))]),
              prose`Tried again, and the whole subscription slows down. \`Retry-After\` is honoured up to ${durationInWords(retryAfterSecondsMax)}, as seconds or as a date.`,
            ],
          },
          { cells: [prose`other 5xx`, prose`Failed, tried again.`] },
          { cells: [prose`nothing within ${timeout}`, prose`Failed as \`response_timeout\`, tried again.`] },
        ],
      ),
      say`The time-out of ${timeout} covers the connection, the request and the head of your answer together. A connection has to come about within 5 seconds of it.`,
      heading(2, 'When everything fails'),
      say`When nearly every attempt to a subscription fails, sending pauses and one delivery in a while looks whether your receiver is back. Nothing is lost and no attempt is used up meanwhile.`,
      delivery.disabled_after_hours === null
        ? say`A subscription is not disabled for failing alone.`
        : say`After ${durationInWords(delivery.disabled_after_hours * 3600)} of nothing but failure the subscription is disabled. Its events are held, and sent when you resume it.`,
      heading(2, 'Limits'),
      table('Limits', ['Limit', 'Value'], limitRows(source.meta)),
    ],
  }
}

/** Those of a receiver's interest, in words. */
const limitWords: readonly (readonly [name: string, words: string, unit: (value: number) => string])[] = [
  ['event_data_bytes_max', 'Data of one event', bytesInWords],
  ['url_length_max', 'Length of a callback URL', (value) => `${value} characters`],
  ['subscriptions_per_tenant_max', 'Subscriptions of one customer', String],
  ['event_types_per_subscription_max', 'Event types of one subscription', String],
  ['custom_headers_max', 'Headers of your own on a subscription', String],
]

function limitRows({ limits }: Meta): Row[] {
  return limitWords.flatMap(([name, words, unit]) => {
    const value = limits[name]
    return value === undefined ? [] : [{ cells: [[words], [unit(value)]] }]
  })
}
