/**
 * One request and its answer, from being queued to the outcome. It is the handler that undici calls back, kept this close
 * to the wire because undici's own `request` makes a stream of every body and cannot tell a reused connection.
 *
 * **The head of the answer decides.** Once a final status and its headers have arrived, the outcome has that status, also
 * when the body then stalls past the deadline, is cut off, is malformed or does not end: the receiver has said what it
 * had to say, and sending the event again would only deliver it twice (Standard Webhooks: the status decides). Such a
 * body is marked as truncated. In no case is the deadline passed.
 *
 * The body is kept as raw bytes: nothing is inflated, decoded or parsed. Reading stops at 64 KiB, and with it the connection.
 */
import type { Dispatcher } from 'undici'
import type { Connection } from './connect.ts'
import type { Failure, Phase } from './failure-codes.ts'
import {
  abortedAttempt,
  failureOfDeadline,
  failureOfError,
  failureOfStatus,
  isClosedByPeer,
  isOwnMistake,
  malformedResponse,
} from './failure-codes.ts'
import { completeHead, newAnswerMeter } from './metering.ts'
import type { SendOutcome } from './send-outcome.ts'

const storedBodyBytesMax = 16 * 1024
const readBodyBytesMax = 64 * 1024
const storedHeadersMax = 32
const storedHeaderValueLengthMax = 4 * 1024
/** Interim answers (1xx) to one request. A receiver that sends more of them is playing for time. */
const interimAnswersMax = 100

/** Cookies are the receiver's secrets. */
const unstoredHeaders: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2'])

const noBody = new Uint8Array(0)
/** How an answer ended. */
const complete = 'complete'
const cutOff = 'cut off'

export type ExchangeEnd =
  /** `reusable`: the answer was complete, so the connection can take the next request. */
  | { readonly outcome: SendOutcome; readonly reusable: boolean }
  /** An error that can only be our own mistake. */
  | { readonly mistake: Error }

export type ExchangeOptions = {
  readonly timeoutMs: number
  monotonicMs(): number
  /** Sends the same request once more, over a new connection, which is to be attached first. */
  sendAgain(): void
  /** Called once. Unless the connection is reusable it must be ended, for the receiver may still be busy with it. */
  settle(end: ExchangeEnd): void
}

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions
  readonly #startedMs: number
  readonly #deadline: NodeJS.Timeout
  #settled = false

  #connection: Connection | null = null
  #started = false
  #onReusedConnection = false
  #requestSentMs: number | null = null
  #answerBegunMs: number | null = null
  #interimAnswers = 0

  #status: number | null = null
  #headers: Record<string, string> = {}
  #retryAfter: string | null = null
  #body: Uint8Array[] = []
  #bodyBytesStored = 0
  #bodyBytesRead = 0

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#startedMs = options.monotonicMs()
    this.#deadline = setTimeout(expire, options.timeoutMs, this)
  }

  /** Over which connection the request will go; it may have to be opened first. */
  attach(connection: Connection): void {
    this.#connection = connection
    this.#started = false
    this.#requestSentMs = null
  }

  /** Gives the attempt up. An answer whose head has arrived still counts. */
  abort(): void {
    this.#settle(abortedAttempt, cutOff)
  }

  /** The time is up. */
  expire(): void {
    const failure = failureOfDeadline(this.#phase(), this.#options.timeoutMs)
    this.#settle(this.#connection?.judgeDeadline?.(failure) ?? failure, cutOff)
  }

  onRequestStart(): void {
    this.#started = true
    if (this.#connection === null) return
    this.#onReusedConnection = this.#connection.requests > 0
    this.#connection.requests += 1
    this.#connection.answer = newAnswerMeter()
  }

  onRequestSent(): void {
    this.#requestSentMs = this.#options.monotonicMs()
  }

  onResponseStarted(): void {
    this.#answerBegunMs ??= this.#options.monotonicMs()
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#settled) return
    if (status >= 200) {
      this.#status = status
      if (this.#connection !== null) completeHead(this.#connection.answer)
      this.#headers = storedHeaders(headers)
      this.#retryAfter = joined(headers['retry-after'])
      return
    }
    this.#interimAnswers += 1
    if (status < 100 || status === 101 || this.#interimAnswers > interimAnswersMax) {
      this.#settle(malformedResponse, cutOff)
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return
    this.#bodyBytesRead += chunk.length
    const room = storedBodyBytesMax - this.#bodyBytesStored
    if (room > 0) {
      const part = chunk.length <= room ? chunk : chunk.subarray(0, room)
      // A part is a view into all that was read with it, which may be many times as long.
      this.#body.push(this.#body.length === 0 ? part : Buffer.from(part))
      this.#bodyBytesStored += part.length
    }
    if (this.#bodyBytesRead > readBodyBytesMax) this.#settle(null, cutOff)
  }

  onResponseEnd(): void {
    this.#settle(null, complete)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#settled) return
    if (isOwnMistake(error)) {
      this.#release()
      this.#options.settle({ mistake: error })
    } else if (this.#closedUnderOurHands(error)) {
      this.#options.sendAgain()
    } else {
      this.#settle(this.#violatesProtocol(error) ? malformedResponse : failureOfError(error, this.#phase()), cutOff)
    }
  }

  /** @param failure what it would be if the head of an answer were not there */
  #settle(failure: Failure | null, end: typeof complete | typeof cutOff): void {
    if (this.#settled) return
    this.#release()
    this.#options.settle({ outcome: this.#outcome(failure, end), reusable: end === complete })
  }

  #release(): void {
    this.#settled = true
    clearTimeout(this.#deadline)
  }

  #phase(): Phase {
    return this.#started ? 'response' : (this.#connection?.phase ?? 'connect')
  }

  /**
   * The keep-alive race: the receiver closed an idle connection just when we wrote to it. Without one byte of an answer
   * that says nothing about the receiver, so the request goes once more, at once, and is not another attempt. (If it was
   * processed after all, the `webhook-id` is the same: delivery is at least once.) It cannot happen twice to a request,
   * because the second connection is new.
   */
  #closedUnderOurHands(error: Error): boolean {
    return this.#onReusedConnection && this.#answerBegunMs === null && isClosedByPeer(error)
  }

  /**
   * Undici ends the connection with the same code whether the receiver closed it or sent what does not belong there
   * (an upgrade nobody asked for, an unexpected 100). In the second case the other side has not ended it.
   */
  #violatesProtocol(error: Error): boolean {
    return (
      this.#answerBegunMs !== null &&
      'code' in error &&
      error.code === 'UND_ERR_SOCKET' &&
      this.#connection?.socket?.readableEnded === false
    )
  }

  #outcome(failure: Failure | null, end: typeof complete | typeof cutOff): SendOutcome {
    const verdict = this.#status === null ? failure : failureOfStatus(this.#status)
    return {
      status: this.#status,
      failureCode: verdict?.code ?? null,
      failureDetail: verdict?.detail ?? null,
      remoteAddress: this.#connection?.remoteAddress ?? null,
      responseHeaders: this.#headers,
      responseBody: this.#bodyBytesStored === 0 ? noBody : Buffer.concat(this.#body, this.#bodyBytesStored),
      responseTruncated: this.#status !== null && (end === cutOff || this.#bodyBytesRead > this.#bodyBytesStored),
      retryAfter: this.#retryAfter,
      timings: this.#timings(),
    }
  }

  #timings(): SendOutcome['timings'] {
    // Only the request that opened a connection has waited for it.
    const opened = this.#onReusedConnection ? null : this.#connection
    return {
      dns: tenths(opened?.dnsMs),
      connect: tenths(opened?.connectMs),
      tls: tenths(opened?.tlsMs),
      firstByte:
        this.#answerBegunMs === null || this.#requestSentMs === null
          ? null
          : tenths(this.#answerBegunMs - this.#requestSentMs),
      total: tenths(this.#options.monotonicMs() - this.#startedMs) ?? 0,
    }
  }
}

function expire(exchange: Exchange): void {
  exchange.expire()
}

/** The first headers as text, lower-case names, repeated ones joined as RFC 9110 §5.3 has it. */
function storedHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  // Without a prototype, so that a header may be called `__proto__`.
  const stored: Record<string, string> = Object.create(null)
  let count = 0
  for (const name in headers) {
    if (unstoredHeaders.has(name)) continue
    if (count === storedHeadersMax) break
    stored[name] = joined(headers[name]) ?? ''
    count += 1
  }
  return stored
}

function joined(value: string | string[] | undefined): string | null {
  if (value === undefined) return null
  return (typeof value === 'string' ? value : value.join(', ')).slice(0, storedHeaderValueLengthMax)
}

function tenths(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : Math.round(ms * 10) / 10
}
