/**
 * Every slot of a dispatcher is taken by a receiver that hangs, each in its own way: all are free again when the
 * deadline is over, and every one of them.
 */
import type { Socket } from 'node:net'
import { type RawReceiver, startReceiver } from '@posthorn/dispatcher/testing'
import { expect, test } from 'vitest'
import { createGate } from '../flows/gate.ts'
import { startTestPosthorn } from '../flows/posthorn.ts'
import { createSignals } from '../flows/signals.ts'

const head = 'HTTP/1.1 200 OK\r\n'
const chunkedHead = `${head}transfer-encoding: chunked\r\n\r\n`
/** The least that a subscription may have, in milliseconds. */
const timeoutMs = 1_000
const toleranceMs = 500
/** Recording the attempts and claiming others for their slots takes some time as well, in milliseconds. */
const recordingMs = 2_000
const deliveriesEach = 4

/** What a receiver does once it has the request, and what becomes of the attempt. */
const hanging: Readonly<Record<string, { react: (socket: Socket) => void; failureCode: string | null }>> = {
  'says-nothing': { react: () => undefined, failureCode: 'response_timeout' },
  'begins-a-head': { react: (socket) => socket.write(`${head}x-a: `), failureCode: 'response_timeout' },
  'trickles-a-head': { react: (socket) => trickle(socket, head, 'x-a: b\r\n'), failureCode: 'response_timeout' },
  'trickles-interim-answers': {
    react: (socket) => trickle(socket, '', 'HTTP/1.1 102 Processing\r\n\r\n'),
    failureCode: 'response_timeout',
  },
  'stops-a-body': { react: (socket) => socket.write(`${head}content-length: 9\r\n\r\na`), failureCode: null },
  'trickles-a-body': {
    react: (socket) => trickle(socket, `${head}content-length: 100000\r\n\r\n`, 'a'),
    failureCode: null,
  },
  'trickles-chunks': { react: (socket) => trickle(socket, chunkedHead, '1\r\na\r\n'), failureCode: null },
  'trickles-an-extension': { react: (socket) => trickle(socket, `${chunkedHead}1;`, 'a'), failureCode: null },
}
const kinds = Object.keys(hanging)
const slots = kinds.length * deliveriesEach

test(`case 76 to 78, fault 10: ${slots} slots held by receivers that hang in ${kinds.length} ways are free when the deadline is over, all at once`, async () => {
  const arrivedMs: number[] = []
  const gate = createGate(() => {
    arrivedMs.push(performance.now())
    return true
  })
  await using hangs = await startHanging()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch({ concurrency: slots, otherPort: hangs.port })
  for (const kind of kinds) {
    const url = `http://127.0.0.1:${hangs.port}/${kind}`
    await posthorn.subscribe({ url, eventTypes: ['hang'], timeoutMs, maxInFlight: deliveriesEach })
  }
  await posthorn.subscribeMany(slots + 1, { eventTypes: ['good'] })

  const publishedMs = performance.now()
  for (let published = 0; published < deliveriesEach; published += 1) await posthorn.publish({ type: 'hang' })
  await hangs.asked(slots)
  const heldSinceMs = performance.now()
  await posthorn.publish({ type: 'good' })

  await posthorn.recorded(slots)
  const bad = posthorn.attempts.slice(0, slots).map(({ record }) => record)
  for (const { url, status, failureCode, totalMs } of bad) {
    expect([url, failureCode]).toEqual([url, hanging[url.split('/').at(-1) ?? '']?.failureCode])
    expect(status).toBe(failureCode === null ? 200 : null)
    expect(totalMs).toBeGreaterThanOrEqual(timeoutMs - 10)
    expect(totalMs).toBeLessThan(timeoutMs + toleranceMs)
  }
  // Each slot is there again: all but one of the good ones are in flight at the same time.
  await gate.holds(slots)
  expect(performance.now() - heldSinceMs).toBeLessThan(timeoutMs + toleranceMs + recordingMs)
  // None came before the first deadline was over. Whether all attempts are recorded by then is no matter: those that time
  // out again and again hold slots of the slow lane, and the others get as many more.
  expect(Math.min(...arrivedMs) - publishedMs).toBeGreaterThanOrEqual(timeoutMs - 10)
  await hangs.allClosed()
  gate.open()
  await posthorn.recorded(2 * slots + 1)
})

/** One receiver that hangs in the way that the path names. */
async function startHanging() {
  const { notify, until } = createSignals()
  let requests = 0
  const receiver: RawReceiver = await startReceiver((socket) => {
    const text = receiver.received[receiver.connections.indexOf(socket)]
    hanging[/^POST \/(\S+)/.exec(text ?? '')?.[1] ?? '']?.react(socket)
    requests += 1
    notify()
  })
  return {
    port: receiver.port,
    asked: (count: number) => until(() => requests >= count),
    allClosed: receiver.allClosed,
    [Symbol.asyncDispose]: () => receiver.close(),
  }
}

function trickle(socket: Socket, beginning: string, bytes: string): void {
  socket.write(beginning)
  const timer = setInterval(() => socket.write(bytes), 20)
  socket.on('close', () => clearInterval(timer))
}
