/** What can be asked of the process in a network of its own, and how questions and answers look on their way. */
import type { Sender } from '@posthorn/dispatcher'
import type { CallbackUrlReason } from '@posthorn/engine'
import type { Name } from '@posthorn/engine/testing'

/** How an operator has set the guard. */
export type Guard = {
  allowHttp: boolean
  /** As in `POSTHORN_ALLOWED_RECEIVERS`; nothing when left out. */
  allowed?: string
  /** As in `POSTHORN_BLOCKED_RECEIVERS`; nothing when left out. */
  blocked?: string
}

/** The stored URL, or why it is refused, with the sentence. */
export type Saved = { verdict: 'ok'; url: string } | { verdict: CallbackUrlReason; detail: string }

export type Sent = Pick<
  Awaited<ReturnType<Sender['send']>>,
  'status' | 'failureCode' | 'failureDetail' | 'remoteAddress' | 'responseHeaders' | 'timings'
>

/** One connection that a receiver of the network accepted: where it was reached, and what it was asked for. */
export type Reached = { at: string; request: string | null; host: string | null; body: string }

export type Calls = {
  /** What the name server says from now on. */
  say(hostname: string, ...names: readonly Name[]): void
  /** The questions it was asked since this was last called. */
  asked(): readonly string[]
  /** The connections made to any address of this network since this was last called. */
  reached(): readonly Reached[]
  /** Judges a URL as the API does when it is saved. */
  save(guard: Guard, url: string): Promise<Saved>
  /** Makes a request as the dispatcher does. */
  send(guard: Guard, url: string, timeoutMs?: number): Promise<Sent>
  /** Starts `posthorn serve` in this network, over the database behind a Unix socket. */
  serve(database: { socket: string; url: string }, settings: Record<string, string>): Promise<void>
  /** Ends it, and the way to its database. */
  stop(): Promise<void>
  /** Calls its API. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** Resolves when its log has said so many times that an attempt was recorded. */
  recorded(count: number): Promise<void>
}

export type Question = { id: number; call: keyof Calls; args: readonly unknown[] }
export type Answer = { id: number; result?: unknown; error?: string }
/**
 * Told once, before any answer: the network is there, with the certificate that its receivers are trusted by; or the
 * machine does not let us have one.
 */
export type Beginning = { certificate: string } | { refusal: string }
