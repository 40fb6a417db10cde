/** A server that answers as a test has written down, and a clock that a test moves: what a call does over its retries. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Surroundings } from '../calling.ts'
import { createPosthorn, type Posthorn, type PosthornOptions } from '../posthorn.ts'

export type SeenRequest = { method: string; url: string; headers: IncomingMessage['headers']; body: string }

/** One answer: written into the response, or not. */
export type Scripted = (response: ServerResponse, request: SeenRequest) => void

export type ScriptedApi = AsyncDisposable & {
  readonly origin: string
  readonly seen: readonly SeenRequest[]
  /** How long each pause between two requests was, in milliseconds. They pass at once. */
  readonly pauses: readonly number[]
  /** Lets the time of what is under way be over. */
  timeIsOver(): void
  /** The next answers, in order; the last one goes on. */
  answer(...scripts: Scripted[]): void
  client(options?: Partial<PosthornOptions>): Posthorn
}

/** Shorter timers are pauses, longer ones are limits: the default limit of a request is 20 s, the longest pause here 8 s. */
const limitsFromMs = 10_000

export async function startScriptedApi(): Promise<ScriptedApi> {
  const seen: SeenRequest[] = []
  const pauses: number[] = []
  const limits = new Set<() => void>()
  let scripts: Scripted[] = []
  let nowMs = 0

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
    seen.push(one)
    const script = scripts.length > 1 ? scripts.shift() : scripts[0]
    script?.(response, one)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Listening on an IP address, so the address is an object.
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const surroundings: Surroundings = {
    now: () => nowMs,
    random: () => 0.5,
    randomBytes: (count) => new Uint8Array(count).fill(seen.length + 1),
    after(ms, callback) {
      if (ms < limitsFromMs) {
        pauses.push(ms)
        nowMs += ms
        queueMicrotask(callback)
        return () => undefined
      }
      limits.add(callback)
      return () => limits.delete(callback)
    },
  }

  return {
    origin,
    seen,
    pauses,
    timeIsOver() {
      for (const callback of [...limits]) callback()
    },
    answer(...given) {
      scripts = given
    },
    client: (options = {}) => createPosthorn({ url: origin, apiKey: 'phk_test', ...options }, surroundings),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An answer of the API. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Scripted {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

/** A refusal by the API. */
export function problem(status: number, code: string, headers: Record<string, string> = {}): Scripted {
  const body = { type: 'about:blank', title: code, status, detail: `It is ${code}.`, code, request_id: 'req_1' }
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify(body))
  }
}

/** The connection breaks before there is an answer. */
export const broken: Scripted = (response) => response.destroy()

/** There is no answer, ever. */
export const silent: Scripted = () => undefined
