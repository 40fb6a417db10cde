import { expect, test } from 'vitest'
import { createEventAnswer } from './server-sent-events.ts'

test('messages and heartbeats have the form of server-sent events, and the answer ends behind them', async () => {
  const answer = createEventAnswer(1_000)
  answer.mark('2026-11-26T12:00:00.000Z')
  answer.send({ id: 'att_1', event: 'attempt', data: { text: 'two\nlines' } })
  answer.heartbeat('2026-11-26T12:00:15.000Z')
  answer.send({ event: 'end', data: { reason: 'stopping' } })
  answer.end()
  answer.end()
  answer.send({ event: 'too late', data: {} })
  answer.heartbeat('')
  answer.mark('')
  const text = (await answer.body.toArray()).join('')
  expect(text).toBe(
    'retry: 3000\n\nid: 2026-11-26T12:00:00.000Z\n\nid: att_1\nevent: attempt\ndata: {"text":"two\\nlines"}\n\n: heartbeat\nid: 2026-11-26T12:00:15.000Z\n\nevent: end\ndata: {"reason":"stopping"}\n\n',
  )
})

test('a reader that does not keep up is cut off as soon as more than is allowed waits for it', async () => {
  const answer = createEventAnswer(1_000)
  const ended = new Promise<void>((resolve) => answer.onEnd(resolve))
  for (let sent = 0; sent < 9; sent += 1) answer.send({ event: 'a', data: 'x'.repeat(80) })
  expect(answer.body.destroyed).toBe(false)
  for (let sent = 0; sent < 100; sent += 1) answer.send({ event: 'a', data: 'x'.repeat(80) })
  expect(answer.body.destroyed).toBe(true)
  expect(answer.body.readableLength).toBeLessThan(1_200)
  answer.end()
  await ended
})
