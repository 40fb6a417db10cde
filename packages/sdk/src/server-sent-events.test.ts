import { expect, test } from 'vitest'
import { readEvents, type SentEvent } from './server-sent-events.ts'

const everything = [
  ': a comment',
  'id: 1',
  'event: attempt',
  'data: {"a":',
  'data: "ü😀"}',
  '',
  'data',
  '',
  'data:  two spaces, one kept',
  'unknown: field',
  'id: with\0nothing',
  '',
  'event: without data',
  '',
  'id',
  'data: x',
  '',
  'data: the end is missing',
]
const messages: SentEvent[] = [
  { event: 'attempt', data: '{"a":\n"ü😀"}', id: '1' },
  { event: 'message', data: '', id: '1' },
  { event: 'message', data: ' two spaces, one kept', id: '1' },
  { event: 'message', data: 'x', id: '' },
]

test.each(['\n', '\r\n', '\r'])(
  'messages are the same whatever pieces they come in, with lines that end with %j',
  async (end) => {
    const bytes = new TextEncoder().encode(everything.join(end))
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const read: SentEvent[] = []
      for await (const message of readEvents(streamOf(bytes, size), () => undefined)) read.push(message)
      expect(read).toEqual(messages)
    }
  },
)

test('a line or a message that never ends is refused, before it fills the memory', async () => {
  for (const piece of ['data: x', `data: ${'x'.repeat(1_000)}\n`]) {
    let sent = 0
    const bytes = new TextEncoder().encode(piece.repeat(Math.ceil(100_000 / piece.length)))
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += bytes.length
        controller.enqueue(bytes)
      },
    })
    const reading = readEvents(endless, () => undefined).next()
    await expect(reading).rejects.toThrow('never ends')
    expect(sent).toBeLessThan(3 * 1024 * 1024)
  }
})

test('whoever stops reading lets the connection go, and everything that comes is heard', async () => {
  let canceled = false
  let heard = 0
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(': hello\n\ndata: 1\n\n')),
    cancel() {
      canceled = true
    },
  })
  for await (const { data } of readEvents(stream, () => (heard += 1))) {
    expect(data).toBe('1')
    break
  }
  expect([canceled, heard]).toEqual([true, 1])
})

function streamOf(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + size))
      at += size
    },
  })
}
