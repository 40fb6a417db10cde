/**
 * Sends an attempt whose subscription asks for more than a POST: a token that is fetched first, a TLS identity of its own,
 * or both. Everybody else's attempts go to the sender directly.
 *
 * The subscription's time-out covers all of it: the request for the token, the request, and a second one if there is one.
 *
 * A 401 to a token that was kept says perhaps no more than that the token was taken back before its time. Then, and only
 * then, a fresh one is fetched and the request is sent once more, at once: that is still the same attempt, and its outcome
 * is the second one's. A token that was answered with 401 is not used again, whether it was kept or fresh.
 */
import type { AttemptRequest } from '@posthorn/engine'
import type { Sender, SendOutcome } from './http/send.ts'
import { unsent } from './http/send-outcome.ts'
import type { TlsIdentity } from './http/tls-identities.ts'
import type { Tokens } from './tokens.ts'

export type SendingParts = {
  sender: Sender
  tokens: Tokens
  /** A clock for durations. */
  monotonicMs(): number
}

/** @returns the outcome, and the request as it was sent: with its token, if it came so far */
export async function sendWithTrust(
  { sender, tokens, monotonicMs }: SendingParts,
  request: AttemptRequest,
  identity: TlsIdentity | undefined,
  signal: AbortSignal,
): Promise<{ request: AttemptRequest; outcome: SendOutcome }> {
  const { grant, timeoutMs } = request
  if (grant === null) return { request, outcome: await sender.send({ ...request, identity }, signal) }

  const startedMs = monotonicMs()
  const elapsedMs = () => Math.max(0, monotonicMs() - startedMs)
  /** The time of everything before counts too. */
  const whole = (outcome: SendOutcome): SendOutcome => ({
    ...outcome,
    timings: { ...outcome.timings, total: Math.round(elapsedMs() * 10) / 10 },
  })
  const leftMs = () => Math.max(1, Math.ceil(timeoutMs - elapsedMs()))
  let sent = request
  for (let isSecond = false; ; isSecond = true) {
    const answer = await tokens.get(grant, { waitMs: leftMs(), timeoutMs }, signal)
    if ('failure' in answer) return { request: sent, outcome: whole(unsent(answer.failure)) }
    sent = {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${answer.token}` },
      secretHeaders: [...request.secretHeaders, 'authorization'],
    }
    const outcome = await sender.send({ ...sent, timeoutMs: leftMs(), identity }, signal)
    if (outcome.status !== 401) return { request: sent, outcome: whole(outcome) }
    tokens.drop(grant, answer.token)
    if (isSecond || !answer.kept || signal.aborted) return { request: sent, outcome: whole(outcome) }
  }
}
