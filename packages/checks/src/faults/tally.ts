/**
 * A receiver that counts: which of the numbered events came, how often, and whether each repeat was the same request. It
 * keeps a few words an event, so that a million of them fit.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseSecret, verify } from '@posthorn/signing'
import type { Answer, ReceivedRequest } from 'posthorn/receiver'
import { createSignals, type Signals } from '../flows/signals.ts'

/** What came of one event. */
export type Arrival = {
  path: string
  /** When it came first, on the clock of `performance.now()`. */
  atMs: number
  times: number
}

export type Tally = AsyncDisposable & {
  readonly port: number
  /** By the number in the data of the event. */
  readonly arrivals: ReadonlyMap<number, Arrival>
  readonly requests: number
  /** Requests that came for an event that had come before. */
  readonly repeats: number
  /** Requests that wait for their answer. */
  readonly open: number
  /** What should never come: a bad signature, a repeat with another id or body, an event at a foreign path. */
  readonly wrong: readonly string[]
  /** How far the signed time of the last request was ahead of ours, in seconds. */
  readonly lastAheadSeconds: number
  /** From now on, requests to `path` are held to this secret. */
  trust(path: string, secret: string): void
  /** Resolves with what `look` finds, now or after a request or a `notify`. */
  until: Signals['until']
  /** Says that something else has happened that `until` may look at. */
  notify(): void
}

export type TallyOptions = {
  /** Decides the answer. Without it every request is answered with 204. */
  answer?: (request: ReceivedRequest) => Answer | Promise<Answer>
  /** Answers go out at this beat, in milliseconds, so that requests are in flight between them. At once without it. */
  answerEveryMs?: number
  now?: () => number
}

/** Starts to count, on the loopback interface. */
export async function startTally(options: TallyOptions = {}): Promise<Tally> {
  const { answer, answerEveryMs, now = () => Date.now() } = options
  const { notify, until } = createSignals()
  const secrets = new Map<string, string>()
  const arrivals = new Map<number, Arrival & { digest: string }>()
  const wrong: string[] = []
  let requests = 0
  let repeats = 0
  let open = 0
  let lastAheadSeconds = 0
  let beat = Promise.withResolvers<void>()
  const beating = setInterval(() => {
    beat.resolve()
    beat = Promise.withResolvers()
  }, answerEveryMs ?? 1_000)

  /** Answers how often the event had come before. */
  function note(request: IncomingMessage, body: Buffer): number {
    const path = request.url ?? ''
    const id = String(request.headers['webhook-id'])
    const number = numberIn(body)
    if (number === undefined) {
      wrong.push(`${id} has no number`)
      return 0
    }
    lastAheadSeconds = Number(request.headers['webhook-timestamp']) - now() / 1000
    const fault = signatureFault(request, body, secrets.get(path))
    if (fault !== undefined) wrong.push(`event ${number}: ${fault}`)
    requests += 1
    const digest = createHash('sha1').update(`${id}\n${path}\n`).update(body).digest('base64')
    const known = arrivals.get(number)
    if (known === undefined) {
      arrivals.set(number, { path, atMs: performance.now(), times: 1, digest })
      return 0
    }
    known.times += 1
    repeats += 1
    if (known.digest !== digest) wrong.push(`event ${number} came again with another id, path or body`)
    return known.times - 1
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await rawBody(request)
    const earlier = note(request, body)
    open += 1
    notify()
    try {
      const { url: path = '', headers } = request
      const received = { path, headers, body: body.toString(), signature: '', earlier }
      if (answerEveryMs !== undefined) await beat.promise
      const { status } = (await answer?.(received)) ?? { status: 204 }
      response.writeHead(status).end()
    } finally {
      open -= 1
      notify()
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    // Listening on an IP address, so the address is an object.
    port: (server.address() as AddressInfo).port,
    arrivals,
    wrong,
    get requests() {
      return requests
    },
    get repeats() {
      return repeats
    },
    get open() {
      return open
    },
    get lastAheadSeconds() {
      return lastAheadSeconds
    },
    trust: (path, secret) => secrets.set(path, secret),
    until,
    notify,
    [Symbol.asyncDispose]() {
      clearInterval(beating)
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The number by which an event is known here, from its data. */
export function numberIn(body: string | Buffer): number | undefined {
  const text = /"number":(\d+)/.exec(body.toString())?.[1]
  return text === undefined ? undefined : Number(text)
}

/** What is wrong with a signature, whatever the time. */
function signatureFault(request: IncomingMessage, body: Buffer, secret: string | undefined): string | undefined {
  if (secret === undefined) return `came to ${request.url}, where nothing is expected`
  const signedAt = new Date(Number(request.headers['webhook-timestamp']) * 1000)
  try {
    verify({ headers: request.headers, body, keys: [parseSecret(secret)], now: signedAt })
    return undefined
  } catch (error) {
    return String(error)
  }
}

async function rawBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}
