import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from './demo-process.ts'

const eventsToPublish = 1_000
const publishers = 16
/** Lost leases run out (30 s) and shards are taken over (30 s); with the start of a database before them. */
const testTimeoutMs = 180_000

type Api = { origin: string; key: string }

async function apiOf(demo: DemoProcess): Promise<Api> {
  const api = await demo.line((line) => line.kind === 'ready' && line['part'] === 'api')
  const scene = await demo.line((line) => typeof line['api_key'] === 'string')
  await demo.line((line) => line['verified'] === true)
  return { origin: String(api['url']), key: String(scene['api_key']) }
}

function call(api: Api, path: string, body?: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' }
  return fetch(
    api.origin + path,
    body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
  )
}

test('kill -9 of everything while 1,000 events are being published: every event that got a 202 is delivered after the next start', {
  timeout: testTimeoutMs,
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'posthorn-kill-'))
  // Started as root, the database belongs to another user, who must be able to pass.
  await chmod(dataDir, 0o711)
  const environment = { POSTHORN_DATA_DIR: dataDir, PORT: '4600' }
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(dataDir, { recursive: true, force: true }))

  const first = startDemoProcess(['--keep'], environment)
  stack.use(first)
  const api = await apiOf(first)
  const postmaster = Number((await readFile(join(dataDir, 'kept', 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0])

  const accepted: string[] = []
  let killed = false
  let next = 0
  async function publish(): Promise<void> {
    while (next < eventsToPublish && !killed) {
      next += 1
      const event = { tenant: 'acme', type: 'order.paid', data: { number: next } }
      const response = await call(api, '/v1/events', event).catch(() => undefined)
      if (response?.status !== 202) continue
      const answer = await response.json().catch(() => undefined)
      if (answer === undefined) continue
      accepted.push(answer.id)
      if (accepted.length === eventsToPublish / 2) {
        killed = true
        first.kill('SIGKILL')
        process.kill(postmaster, 'SIGKILL')
      }
    }
  }
  await Promise.all(Array.from({ length: publishers }, publish))
  expect(killed).toBe(true)
  expect(accepted.length).toBeGreaterThanOrEqual(eventsToPublish / 2)

  const second = startDemoProcess(['--keep'], environment)
  stack.use(second)
  const again = await apiOf(second)
  const delivered = new Set<string>()
  async function look(): Promise<number> {
    for (const event of accepted) {
      if (delivered.has(event)) continue
      const { data } = await (await call(again, `/v1/deliveries?event=${event}`)).json()
      if (data.length === 1 && data[0].state === 'delivered') delivered.add(event)
      else break
    }
    return delivered.size
  }
  await expect.poll(look, { timeout: 120_000, interval: 500 }).toBe(accepted.length)
})
