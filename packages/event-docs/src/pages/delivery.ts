/** Retries, timeouts and limits, as this installation has them set. */
import type { Meta } from '@posthorn/contract'
import { goneStatus, jitterPartMax, patienceStatuses, retryAfterSecondsMax } from '../delivery-facts.ts'
import type { Documentation } from '../documentation.ts'
import { type Block, code, heading, type Page, prose, type Row, type Spans, say, table } from '../page/blocks.ts'
import { aboutDuration, bytesInWords, counted, durationInWords, exactDuration, roundedDuration } from '../words.ts'

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

/** “10 attempts over about 3 days 4 hours”. */
export function attemptsInWords(waitsSeconds: readonly number[]): string {
  const attempts = attemptsOf(waitsSeconds)
  if (attempts.length === 1) return 'One attempt, without retries'
  return `${counted(attempts.length, 'attempt')} over ${aboutDuration(attempts.at(-1)?.afterSeconds ?? 0)}`
}

export function deliveryPage({ source, branding }: Documentation): Page {
  const { delivery } = source.meta
  const timeout = durationInWords(delivery.timeout_ms / 1000)
  return {
    path: 'delivery',
    title: 'Retries, timeouts and limits',
    summary: `${attemptsInWords(delivery.retry_schedule_seconds)}; each may take ${timeout}.`,
    marks: [],
    blocks: [
      say`The values on this page are taken from the live settings of ${branding.name}. A subscription can have its own schedule and timeout.`,
      heading(2, 'Retries'),
      ...retryBlocks(delivery.retry_schedule_seconds),
      heading(2, 'Timeout'),
      say`Each attempt may take ${timeout}, from opening the connection to the last header of your response. Connecting, including DNS and TLS, may take 5 seconds of that.`,
      heading(2, 'What your response does'),
      table(
        'Responses and what they do',
        ['Response', 'What happens'],
        responses(timeout).map(([response, effect]) => ({ cells: [response, effect] })),
        'list',
      ),
      heading(2, 'When your receiver is down'),
      say`When most attempts to a subscription fail, sending is paused. Every now and then one delivery is tried to see whether your receiver is back. Nothing is lost, and the waiting deliveries use up no attempts.`,
      delivery.disabled_after_hours === null
        ? say`A subscription is never disabled just because it fails.`
        : say`If nothing but failures is seen for ${durationInWords(delivery.disabled_after_hours * 3600)}, the subscription is disabled. Its events are held until you resume it.`,
      heading(2, 'Limits'),
      table('Limits', ['Limit', 'Value'], limitRows(source.meta), 'list'),
    ],
  }
}

function retryBlocks(waitsSeconds: readonly number[]): Block[] {
  if (waitsSeconds.length === 0)
    return [say`A delivery that fails is not retried. It is kept, and can be resent by hand.`]
  const rows: Row[] = attemptsOf(waitsSeconds).map(({ number, waitSeconds, afterSeconds }) => ({
    cells: [
      [String(number)],
      [number === 1 ? 'immediately' : `${exactDuration(waitSeconds)} later`],
      [number === 1 ? '–' : roundedDuration(afterSeconds)],
    ],
  }))
  return [
    say`A delivery that your receiver does not accept is retried on this schedule. Up to ${jitterPartMax * 100}% is added to each wait at random, so that not everybody's retries arrive in the same second.`,
    table('The schedule of attempts', ['Attempt', 'When', 'Time since the event (about)'], rows),
    say`After the last attempt the delivery has failed for good. It is kept, and can be resent by hand.`,
  ]
}

function responses(timeout: string): readonly (readonly [response: Spans, effect: Spans])[] {
  return [
    [prose`200 to 299`, prose`Delivered. The response body is kept for the log and is otherwise ignored.`],
    [prose`300 to 399`, prose`Failed; retried. **Redirects are not followed**: register the final URL.`],
    [
      prose`400 to 499`,
      prose`Failed; retried, because a mistake such as a wrong secret can be fixed in the meantime. A subscription can list statuses in \`final_statuses\` that are not worth a retry.`,
    ],
    [
      [code(String(goneStatus))],
      prose`The delivery fails at once and the subscription is disabled: nothing more is wanted at this URL.`,
    ],
    [
      patienceStatuses.flatMap((status, index) => [index === 0 ? '' : ', ', code(String(status))]),
      prose`Failed; retried, and the whole subscription slows down. \`Retry-After\` is honored, in seconds or as a date, up to ${exactDuration(retryAfterSecondsMax)}.`,
    ],
    [prose`Any other 5xx`, prose`Failed; retried.`],
    [
      prose`None within ${timeout}`,
      prose`Failed with \`response_timeout\`; retried. You may have processed the event all the same.`,
    ],
  ]
}

/** Those of a receiver's interest, in words. */
const limitWords: readonly (readonly [name: string, words: string, unit: (value: number) => string])[] = [
  ['event_data_bytes_max', 'Data of one event', bytesInWords],
  ['url_length_max', 'Length of a subscription’s URL', (value) => counted(value, 'character')],
  ['subscriptions_per_tenant_max', 'Subscriptions you can have', String],
  ['event_types_per_subscription_max', 'Event types one subscription can list', String],
  ['custom_headers_max', 'Custom headers of one subscription', String],
]

function limitRows({ limits }: Meta): Row[] {
  return limitWords.flatMap(([name, words, unit]) => {
    const value = limits[name]
    return value === undefined ? [] : [{ cells: [[words], [unit(value)]] }]
  })
}
