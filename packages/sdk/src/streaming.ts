/**
 * The stream of attempts, read for as long as somebody reads it. A connection that breaks, falls silent or is ended by a
 * server that stops is made again, behind the last message that was read, or the last place that was told without one.
 */
import { type Means, mayBeRetried, pause, pauseBefore, reasonOf, refusalOf, untilAborted } from './calling.ts'
import { PosthornError } from './errors.ts'
import type { StreamedAttempt } from './generated/types.gen.ts'
import type { PreparedRequest } from './requests.ts'
import { readEvents, type SentEvent } from './server-sent-events.ts'

export type StreamMessage =
  /** An attempt was recorded. `id` is where to take the stream up again later (`lastEventId`). */
  | { readonly event: 'attempt'; readonly id: string; readonly data: StreamedAttempt }
  /** Something may be missing: read the lists again. */
  | { readonly event: 'reset'; readonly data: { readonly reason: string } }

export type StreamOptions = {
  readonly signal?: AbortSignal
  /** What came behind this message is told first. */
  readonly lastEventId?: string
  /** How often in a row connecting may fail; as for all calls when left out. */
  readonly retries?: number
}

/** The server says something every 15 s; who has heard nothing for so long is no longer connected, in milliseconds. */
const silentMsMax = 45_000

/**
 * @param request makes the request that takes the stream up behind a message
 * @throws PosthornError; the signal's reason when it is aborted
 */
export async function* streamOf(
  means: Means,
  request: (lastEventId: string | undefined) => PreparedRequest,
  options: StreamOptions & { readonly retries: number },
): AsyncGenerator<StreamMessage, void> {
  let { lastEventId } = options
  let failures = 0
  for (;;) {
    const prepared = request(lastEventId)
    try {
      const placed = (id: string): void => {
        lastEventId = id
      }
      for await (const { event, data, id } of connection(means, prepared, placed, options.signal)) {
        failures = 0
        // By the document; a test holds the server to it.
        if (event === 'attempt') yield { event, id, data: JSON.parse(data) as StreamedAttempt }
        else if (event === 'reset') yield { event, data: JSON.parse(data) as { reason: string } }
        else if (event === 'end' && data.includes('time_over')) return
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!(error instanceof PosthornError) || !mayBeRetried(prepared, error)) throw error
      failures += 1
      if (failures > options.retries) throw error
    }
    const lost = new PosthornError('connection_failed', 'The stream has ended.')
    await pause(
      means.surroundings,
      pauseBefore(Math.max(failures, 1), lost, means.surroundings.random()),
      options.signal,
    )
  }
}

/** One connection, until the server ends it. */
async function* connection(
  means: Means,
  { method, url, headers }: PreparedRequest,
  placed: (id: string) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<SentEvent, void> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  let callOff = limit(means.requestTimeoutMs)
  try {
    const authorization = await untilAborted(controller.signal, means.authorization())
    const sent = {
      method,
      headers: { ...headers, accept: 'text/event-stream', authorization },
      signal: controller.signal,
    }
    const asked = means.fetch(url, { ...sent, redirect: 'manual', credentials: 'omit', cache: 'no-store' })
    const response = await untilAborted(controller.signal, asked)
    if (response.body === null || !/^text\/event-stream\b/.test(response.headers.get('content-type') ?? '')) {
      throw refusalOf(response, await untilAborted(controller.signal, response.text()), 1)
    }
    const heard = (): void => {
      callOff()
      callOff = limit(silentMsMax)
    }
    const events = readEvents(response.body, heard, placed)
    for await (const event of events) yield event
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof PosthornError) throw error
    throw new PosthornError('connection_failed', `The stream broke: ${reasonOf(error)}.`, { cause: error })
  } finally {
    callOff()
    signal?.removeEventListener('abort', onAbort)
    controller.abort()
  }

  function limit(ms: number): () => void {
    const silent = new PosthornError('timed_out', `Nothing was heard for ${ms} ms.`)
    return means.surroundings.after(ms, () => controller.abort(silent))
  }
}
