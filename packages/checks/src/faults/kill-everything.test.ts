import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTestFolder } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { apiOf, startDemoProcess } from '../demo/demo-process.ts'

const eventsToPublish = 1_000
const publishers = 16
/** Lost leases run out (30 s) and shards are taken over (30 s); with the start of a database before them. */
const testTimeoutMs = 180_000

test('kill -9 of everything while 1,000 events are being published: every event that got a 202 is delivered after the next start', {
  timeout: testTimeoutMs,
}, async () => {
  await using folder = await createTestFolder()
  const environment = { POSTHORN_DATA_DIR: folder.path, PORT: '4600' }
  await using stack = new AsyncDisposableStack()

  const first = startDemoProcess(['--keep'], environment)
  stack.use(first)
  const api = await apiOf(first)
  const postmaster = Number(
    (await readFile(join(folder.path, 'kept', 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0],
  )

  // What counts is the status: a 202 whose body was cut off by the kill is a promise too.
  const accepted: string[] = []
  let killed = false
  let next = 0
  async function publish(): Promise<void> {
    while (next < eventsToPublish && !killed) {
      next += 1
      const id = `event-${next}`
      const event = { id, tenant: 'acme', type: 'order.paid', data: { number: next } }
      const response = await api.call('/v1/events', event).catch(() => undefined)
      if (response?.status === 202) accepted.push(id)
      if (accepted.length === eventsToPublish / 2 && !killed) {
        killed = true
        first.kill('SIGKILL')
        execFileSync('kill', ['-KILL', String(postmaster)])
      }
    }
  }
  await Promise.all(Array.from({ length: publishers }, publish))
  expect(killed).toBe(true)
  expect(accepted.length).toBeGreaterThanOrEqual(eventsToPublish / 2)

  const second = startDemoProcess(['--keep'], environment)
  stack.use(second)
  const again = await apiOf(second)
  const waiting = new Set<string>()
  for (const id of accepted) {
    // Published again under its own id, a stored event answers with itself.
    const response = await again.call('/v1/events', { id, tenant: 'acme', type: 'order.paid', data: {} })
    expect({ id, status: response.status }).toEqual({ id, status: 200 })
    const answer = JSON.parse(await response.text())
    expect(answer).toMatchObject({ duplicate: true, deliveries: [{}] })
    waiting.add(answer.id)
  }
  async function undelivered(): Promise<number> {
    for (const event of waiting) {
      const [delivery] = await again.list(`/v1/deliveries?event=${event}`)
      if (delivery?.['state'] !== 'delivered') break
      waiting.delete(event)
    }
    return waiting.size
  }
  await expect.poll(undelivered, { timeout: 120_000, interval: 500 }).toBe(0)
})
