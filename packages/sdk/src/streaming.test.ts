import { expect, test } from 'vitest'
import { problem, type Scripted, startScriptedApi } from './testing/scripted-api.ts'

const attempt = (id: string) => `id: ${id}\nevent: attempt\ndata: {"attempt_id":"${id}","state":"failed"}\n\n`

/** Sends this and ends, or goes on for ever. */
function sends(text: string, ends: 'ends' | 'breaks' | 'goes on'): Scripted {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write(text, () => {
      if (ends === 'ends') response.end()
      if (ends === 'breaks') response.destroy()
    })
  }
}

test('a stream that breaks or ends is taken up again behind the last message', async () => {
  await using api = await startScriptedApi()
  api.answer(
    sends(`: hello\n\n${attempt('att_1')}${attempt('att_2')}`, 'breaks'),
    problem(503, 'overloaded', { 'retry-after': '2' }),
    sends(
      `event: reset\ndata: {"reason":"too_old"}\n\n${attempt('att_3')}event: end\ndata: {"reason":"stopping"}\n\n`,
      'ends',
    ),
    sends(attempt('att_4'), 'goes on'),
  )
  const read: unknown[] = []
  for await (const message of api.client().deliveries.stream({ tenant: 'acme' })) {
    read.push(message.event === 'attempt' ? message.data.attempt_id : message.data.reason)
    if (read.at(-1) === 'att_4') break
  }
  expect(read).toEqual(['att_1', 'att_2', 'too_old', 'att_3', 'att_4'])
  expect(api.seen.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'att_2', 'att_2', 'att_3'])
  expect(new Set(api.seen.map(({ url }) => url))).toEqual(new Set(['/v1/stream?tenant=acme']))
  expect(api.pauses).toEqual([187.5, 187.5, 187.5].map(() => expect.any(Number)))
})

test('a stream that breaks before anything has come is taken up where it began, and after a long silence where that was', async () => {
  await using api = await startScriptedApi()
  const [began, beat] = ['2026-11-26T12:00:00.000Z', '2026-11-26T12:00:15.000Z']
  api.answer(
    sends(`id: ${began}\n\n`, 'breaks'),
    sends(`${attempt('att_1')}: heartbeat\nid: ${beat}\n\n`, 'breaks'),
    sends(attempt('att_2'), 'goes on'),
  )
  for await (const message of api.client().deliveries.stream())
    if (message.event === 'attempt' && message.id === 'att_2') break
  expect(api.seen.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, began, beat])
})

test('a stream ends when its time is over, and can be taken up where somebody was', async () => {
  await using api = await startScriptedApi()
  api.answer(sends(`${attempt('att_8')}event: end\ndata: {"reason":"time_over"}\n\n`, 'ends'))
  const read: string[] = []
  const options = { lastEventId: 'att_7' }
  for await (const message of api.client().deliveries.stream({ max_seconds: 0 }, options))
    if (message.event === 'attempt') read.push(message.id)
  expect(read).toEqual(['att_8'])
  expect(api.seen).toMatchObject([{ url: '/v1/stream?max_seconds=0', headers: { 'last-event-id': 'att_7' } }])
})

test('a stream that is refused, or cannot be had, says why', async () => {
  await using api = await startScriptedApi()
  const first = (retries = 3) => api.client().deliveries.stream({}, { retries })[Symbol.asyncIterator]().next()
  api.answer(problem(403, 'forbidden'))
  await expect(first()).rejects.toMatchObject({ code: 'forbidden' })
  expect(api.seen).toHaveLength(1)
  api.answer(problem(503, 'overloaded'))
  await expect(first(2)).rejects.toMatchObject({ code: 'overloaded' })
  expect(api.seen).toHaveLength(4)
  api.answer((response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'))
  await expect(first()).rejects.toMatchObject({ code: 'unexpected_answer' })
})

test('a stream that falls silent is made again, and an aborted one ends with the reason', async () => {
  await using api = await startScriptedApi()
  const stop = new AbortController()
  const reason = new RangeError('closed')
  api.answer(sends(attempt('att_1'), 'goes on'), sends(attempt('att_2'), 'goes on'))
  const read: string[] = []
  const reading = (async () => {
    for await (const message of api.client().deliveries.stream({}, { signal: stop.signal })) {
      if (message.event === 'attempt') read.push(message.id)
      setImmediate(() => (read.length === 1 ? api.timeIsOver() : stop.abort(reason)))
    }
  })()
  await expect(reading).rejects.toBe(reason)
  expect(read).toEqual(['att_1', 'att_2'])
})
