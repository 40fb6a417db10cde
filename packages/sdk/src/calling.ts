/**
 * Makes a call: one request, and others after it where the first may have been lost or the API asks to come back.
 *
 * What is promised: a call ends within its time, whatever the other side does; it is never made twice where once was
 * meant (a POST carries the same idempotency key every time, everything else is the same when done twice); and what is
 * thrown is a `PosthornError`, or the reason of the caller's own signal.
 */
import { type ErrorPlace, PosthornError, type ProblemCode } from './errors.ts'
import type { Expected, PreparedRequest } from './requests.ts'

/** The part of `fetch` that is used. */
export type Fetch = (
  url: string,
  init: {
    method: string
    headers: Record<string, string>
    body?: string
    signal: AbortSignal
    redirect: 'manual'
    credentials: 'omit'
    cache: 'no-store'
  },
) => Promise<Response>

/** What a call needs of the world around it. */
export type Surroundings = {
  /** In milliseconds, on a clock that never jumps. */
  now(): number
  /** From 0 up to 1. */
  random(): number
  randomBytes(count: number): Uint8Array
  /** Calls back after so many milliseconds; answers with what calls it off. */
  after(ms: number, callback: () => void): () => void
}

export const thisPlatform: Surroundings = {
  now: () => performance.now(),
  random: () => Math.random(),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}

export type Means = {
  readonly fetch: Fetch
  readonly surroundings: Surroundings
  /** For one request of a call, in milliseconds. */
  readonly requestTimeoutMs: number
  /** The value of the header `authorization`. */
  authorization(): Promise<string>
}

export type Limits = { readonly signal: AbortSignal | undefined; readonly timeoutMs: number; readonly retries: number }

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown }

/** The pause before the first retry; each further one is twice as long, in milliseconds. */
const firstPauseMs = 250
const pauseMsMax = 8_000
/** Statuses that say: not now. Some are a proxy's in front of the API. */
const retriedStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])
/** The first request of this call is still under way: its answer comes with the next one. */
const retriedCodes: ReadonlySet<string> = new Set(['idempotency_key_in_use'])
/** After these nothing was done, so everything may be tried again. */
const untouchedStatuses: ReadonlySet<number> = new Set([408, 429, 503])

/** @throws PosthornError; the signal's reason when it is aborted */
export async function call(means: Means, request: PreparedRequest, limits: Limits): Promise<Answer> {
  const { now } = means.surroundings
  const deadline = now() + limits.timeoutMs
  let mayHaveArrived = false
  for (let requests = 1; ; requests += 1) {
    const outcome = await attempt(means, request, limits.signal, deadline, requests)
    if (!(outcome instanceof PosthornError)) return outcome
    if (mayHaveArrived && isGone(request, outcome)) return { status: 204, headers: new Headers(), body: undefined }
    mayHaveArrived ||= outcome.status === undefined || !untouchedStatuses.has(outcome.status)
    const pauseMs = pauseBefore(requests, outcome, means.surroundings.random())
    const isLast = requests > limits.retries || !mayBeRetried(request, outcome) || now() + pauseMs >= deadline
    if (isLast) throw outcome
    await pause(means.surroundings, pauseMs, limits.signal)
  }
}

/** An earlier request deleted it, and only its answer was lost. */
function isGone({ method }: PreparedRequest, { status, code }: PosthornError): boolean {
  return method === 'DELETE' && status === 404 && code.endsWith('_not_found') && code !== 'route_not_found'
}

export function mayBeRetried({ headers }: PreparedRequest, { code, status }: PosthornError): boolean {
  if (retriedCodes.has(code)) return true
  const isUntouched = status !== undefined && untouchedStatuses.has(status)
  // Had the lost one been made, the next would be refused for the very change that it made.
  if (headers['if-match'] !== undefined && !isUntouched) return false
  return code === 'connection_failed' || code === 'timed_out' || (status !== undefined && retriedStatuses.has(status))
}

/** Between half of the pause and all of it, so that those who failed together do not come back together. */
export function pauseBefore(requests: number, { retryAfterSeconds = 0 }: PosthornError, random: number): number {
  const wholeMs = Math.min(firstPauseMs * 2 ** (requests - 1), pauseMsMax)
  return Math.max((wholeMs * (1 + random)) / 2, retryAfterSeconds * 1_000)
}

export function pause(surroundings: Surroundings, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      callOff()
      reject(signal?.reason)
    }
    const callOff = surroundings.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** One request, from the connection to the last byte of the answer. */
async function attempt(
  means: Means,
  request: PreparedRequest,
  signal: AbortSignal | undefined,
  deadline: number,
  requests: number,
): Promise<Answer | PosthornError> {
  signal?.throwIfAborted()
  const { surroundings } = means
  const ms = Math.max(Math.min(means.requestTimeoutMs, deadline - surroundings.now()), 0)
  const controller = new AbortController()
  const timedOut = new PosthornError('timed_out', `There was no answer within ${Math.round(ms)} ms.`, { requests })
  const callOff = surroundings.after(ms, () => controller.abort(timedOut))
  const onAbort = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  let isSent = false
  try {
    const authorization = await untilAborted(controller.signal, means.authorization())
    isSent = true
    const response = await untilAborted(controller.signal, send(means, request, authorization, controller.signal))
    const text = await untilAborted(controller.signal, response.text())
    return answerOf(response, text, request.expected) ?? refusalOf(response, text, requests)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof PosthornError) return error
    // The caller's own function for the key: not ours to explain.
    if (!isSent) throw error
    return new PosthornError('connection_failed', `Posthorn could not be reached: ${reasonOf(error)}.`, {
      requests,
      cause: error,
    })
  } finally {
    callOff()
    signal?.removeEventListener('abort', onAbort)
  }
}

function send(
  means: Means,
  { method, url, headers, body }: PreparedRequest,
  authorization: string,
  signal: AbortSignal,
): Promise<Response> {
  return means.fetch(url, {
    method,
    headers: { ...headers, authorization },
    ...(body === undefined ? {} : { body }),
    signal,
    // A redirected POST would become a GET.
    redirect: 'manual',
    credentials: 'omit',
    cache: 'no-store',
  })
}

/** Also with a `fetch` that does not look at its signal. */
export function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Undefined when it is not what the operation answers: some proxies say 200 to everything. */
function answerOf({ status, headers }: Response, text: string, expected: Expected): Answer | undefined {
  if (!expected.statuses.includes(status)) return undefined
  if (expected.member === undefined) return text === '' ? { status, headers, body: undefined } : undefined
  const body = isJson(headers) ? parsed(text) : undefined
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, expected.member)) return undefined
  const isWhole = !expected.isList || Array.isArray(Object(body)[expected.member])
  return isWhole ? { status, headers, body } : undefined
}

/** What an answer says that is not the one that was asked for. */
export function refusalOf({ status, headers }: Response, text: string, requests: number): PosthornError {
  const body = isJson(headers) ? parsed(text) : undefined
  const facts = {
    status,
    requests,
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: retryAfterOf(headers),
  }
  if (isProblem(body))
    return new PosthornError(body.code, body.detail, { ...facts, requestId: body.request_id, errors: body.errors })
  return new PosthornError(
    'unexpected_answer',
    `Something answered ${status} that does not look like Posthorn's API. Is the url right, and what stands in front of it?`,
    facts,
  )
}

function isJson(headers: Headers): boolean {
  return /^application\/(problem\+)?json\b/.test(headers.get('content-type') ?? '')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Newer versions of the API may know more codes than the document that this was made of. */
type ProblemBody = { code: ProblemCode; detail: string; request_id?: string; errors?: ErrorPlace[] }

function isProblem(body: unknown): body is ProblemBody {
  if (typeof body !== 'object' || body === null || !('code' in body) || !('detail' in body)) return false
  return typeof body.code === 'string' && typeof body.detail === 'string'
}

/** Seconds, or a date (RFC 9110 §10.2.3). */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const seconds = Math.ceil((Date.parse(text) - Date.now()) / 1_000)
  return Number.isNaN(seconds) ? undefined : Math.max(seconds, 0)
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
