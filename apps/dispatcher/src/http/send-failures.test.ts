import { describe, expect, test } from 'vitest'
import { unusedPort } from './testing/raw-receiver.ts'
import { listenerThat, openSender, post } from './testing/sending.ts'

describe('a receiver that is not there', () => {
  test('refuses the connection', async () => {
    const outcome = await post(openSender(), `http://127.0.0.1:${await unusedPort()}/`)
    expect(outcome).toMatchObject({ status: null, failureCode: 'connect_refused', remoteAddress: null })
  })
})

describe('a receiver that closes the connection', () => {
  test('at once, before there was a request, has reset it', async () => {
    const receiver = await listenerThat((socket) => socket.resetAndDestroy())
    expect(await post(openSender(), receiver.url)).toMatchObject({ status: null, failureCode: 'connection_reset' })
  })
})
