/**
 * What hostile answers cost in memory. A process that does nothing but send is watched, while 200 requests at the same
 * time meet receivers of the same kind; the receivers pour from here. Answers that were kept, inflated or buffered would
 * cost hundreds of MB: 200 bodies of 1 MiB are 200 MB, 200 gzip bombs of 64 MiB are 12 GB.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { startReceiver } from '@posthorn/dispatcher/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Order, Report } from './memory/calls.ts'

const main = fileURLToPath(new URL('./memory/main.ts', import.meta.url))
const requests = 200
const timeoutMs = 700
/** More than elsewhere: 200 receivers pour on the same machine. */
const toleranceMs = 1_000
/** What 200 connections with a few buffers each may cost, and what is left over of it. */
const growthBytesMax = 80 * 1024 * 1024

const child = fork(main, [], { execArgv: ['--expose-gc'] })
beforeAll(async () => {
  // Code that runs for the first time and pools that fill are no leak.
  await measure((socket) => socket.write(`${head}content-length: 2\r\n\r\nok`))
  await measure((socket) => socket.write(head + 'a:\r\n'.repeat(16_000)))
  await measure(pouring(`${head}content-length: 1073741824\r\n\r\n`, 'a'.repeat(60_000)))
})
afterAll(() => child.kill())

const head = 'HTTP/1.1 200 OK\r\n'
const chunkedHead = `${head}transfer-encoding: chunked\r\n\r\n`
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))

test.each<[string, (socket: Socket) => void]>([
  ['case 74: interim answers without end', pouring('', `HTTP/1.1 103 Hints\r\nlink: ${'a'.repeat(10_000)}\r\n\r\n`)],
  ['case 76: line ends before the head without end', pouring('', '\r\n'.repeat(30_000))],
  ['case 78: chunks without end', pouring(chunkedHead, `1000\r\n${'a'.repeat(4096)}\r\n`)],
  ['case 78: chunks of one byte in packets of 60 kB', pouring(chunkedHead, `1;${'a'.repeat(60_000)}\r\na\r\n`)],
  ['case 78: trailers without end', pouring(`${chunkedHead}0\r\n`, `x-a: ${'a'.repeat(1000)}\r\n`)],
  ['case 79: a gigabyte', pouring(`${head}content-length: 1073741824\r\n\r\n`, 'a'.repeat(60_000))],
  [
    'case 80: gzip bombs',
    (socket) =>
      socket.write(
        Buffer.concat([Buffer.from(`${head}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`), bomb]),
      ),
  ],
  ['case 81: 16 MB of headers', pouring(head, `x-a: ${'a'.repeat(1000)}\r\n`)],
  ['case 82: headers of one letter, and no end', (socket) => socket.write(head + 'a:\r\n'.repeat(16_000))],
  ['case 82: as many headers as are read, and no end', (socket) => socket.write(head + 'a:\r\n'.repeat(490))],
])('200 at the same time of %s: memory stays flat, and all end in time', async (_what, react) => {
  const { outcomes, before, most, after } = await measure(react)
  expect(outcomes).toHaveLength(requests)
  for (const { totalMs } of outcomes) expect(totalMs).toBeLessThan(timeoutMs + toleranceMs)
  expect(most - before).toBeLessThan(growthBytesMax)
  expect(after - before).toBeLessThan(growthBytesMax)
})

async function measure(react: (socket: Socket) => void): Promise<Report> {
  const receiver = await startReceiver(react)
  const order: Order = { url: receiver.url, count: requests, timeoutMs }
  child.send(order)
  const [report] = (await once(child, 'message')) as [Report]
  await receiver.close()
  return report
}

/** Writes one text, and then another one again and again, as fast as it is taken. */
function pouring(beginning: string, bytes: string): (socket: Socket) => void {
  return (socket) => {
    const go = () => {
      while (socket.writable && socket.write(bytes));
    }
    socket.on('drain', go)
    socket.write(beginning)
    go()
  }
}
