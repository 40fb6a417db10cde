import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createReceiver } from './receiver.ts'

test('the receiver counts every request and every id, however the bytes are cut', async () => {
  const receiver = createReceiver(() => 7)
  const { port } = await receiver.listen()
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  const answers: Buffer[] = []
  socket.on('data', (chunk) => answers.push(chunk))
  const twoAtOnce = request('evt_1') + request('evt_2')
  for (const part of [request('evt_1'), twoAtOnce.slice(0, 30), twoAtOnce.slice(30, 190), twoAtOnce.slice(190)]) {
    socket.write(part)
  }
  await receiver.have(2)
  socket.end()
  await once(socket, 'close')
  expect(receiver.received()).toEqual({ requests: 3, distinct: 2 })
  expect(receiver.times()).toEqual(
    new Map([
      ['evt_1', 7],
      ['evt_2', 7],
    ]),
  )
  expect(
    Buffer.concat(answers)
      .toString()
      .match(/HTTP\/1\.1 200 OK\r\ncontent-length: 0\r\n\r\n/g),
  ).toHaveLength(3)
  receiver.forget()
  expect(receiver.received()).toEqual({ requests: 0, distinct: 0 })
})

function request(id: string): string {
  const body = 'x'.repeat(100)
  return `POST /1 HTTP/1.1\r\nhost: a\r\nwebhook-id: ${id}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}
