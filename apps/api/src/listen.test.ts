import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listenApi } from './listen.ts'
import { startTestApi } from './testing/api.ts'

test('a taken port is an error, unless it may move on to the next free one', async () => {
  await using api = await startTestApi()
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  try {
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(listenApi(api.app, { host: '127.0.0.1', port, moves: false })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    const origin = await listenApi(api.app, { host: '127.0.0.1', port, moves: true })
    expect(Number(new URL(origin).port)).toBeGreaterThan(port)
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
  } finally {
    holder.close()
  }
})
