/**
 * A sender and receivers for one test; everything opened is closed after it.
 */
import { type AddressPolicy, parseAllowedReceivers } from '@posthorn/engine'
import { afterEach, expect } from 'vitest'
import { createSender, type OutgoingRequest, type Sender, type SenderOptions, type SendOutcome } from '../send.ts'
import { type RawReceiver, type Reaction, startListener, startReceiver } from './raw-receiver.ts'

/** Receivers on loopback are allowed, as an operator would allow them; everything else is as in production. */
export const loopbackPolicy: AddressPolicy = { allowHttp: true, allowed: parseAllowedReceivers('127.0.0.0/8') }

/** Long enough for an exchange on loopback, short enough to be waited for. */
export const shortTimeoutMs = 300

const opened: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()))
})

export function openSender(options: Partial<SenderOptions> = {}): Sender {
  const sender = createSender({
    policy: loopbackPolicy,
    resolve: () => Promise.reject(new Error('this test resolves no names')),
    ...options,
  })
  opened.push(sender)
  return sender
}

export async function receiverThat(react: Reaction): Promise<RawReceiver> {
  return keep(await startReceiver(react))
}

export async function listenerThat(accept: Parameters<typeof startListener>[0]): Promise<RawReceiver> {
  return keep(await startListener(accept))
}

/** A receiver that answers every request with these bytes. */
export async function receiverSaying(answer: string | Uint8Array): Promise<RawReceiver> {
  return receiverThat((socket) => socket.write(answer))
}

export function keep<T extends { close(): Promise<void> }>(opening: T): T {
  opened.push(opening)
  return opening
}

/** Sends an event and checks what is true of every outcome whatsoever. */
export async function post(
  sender: Sender,
  url: string,
  request: Partial<OutgoingRequest> & { signal?: AbortSignal } = {},
): Promise<SendOutcome> {
  const { signal, ...rest } = request
  const timeoutMs = rest.timeoutMs ?? 5_000
  const outcome = await sender.send({ headers: {}, body: '{}', ...rest, url, timeoutMs }, signal)
  const success = outcome.status !== null && outcome.status >= 200 && outcome.status < 300
  expect(outcome.failureCode === null).toBe(success)
  expect(outcome.failureDetail === null).toBe(success)
  expect(outcome.failureDetail ?? '').not.toMatch(/\d+\.\d+\.\d+|::/)
  expect(outcome.responseBody.length).toBeLessThanOrEqual(16 * 1024)
  expect(Object.keys(outcome.responseHeaders).length).toBeLessThanOrEqual(32)
  // Generous, because the machine that runs the tests may be busy; a deadline that does not work has no end at all.
  expect(outcome.timings.total).toBeLessThan(timeoutMs + 2_000)
  return outcome
}

export function textOf(outcome: SendOutcome): string {
  return Buffer.from(outcome.responseBody).toString('latin1')
}
