/** docs/publishing-from-a-transaction.md does what it says: its own blocks are run, and its relay is killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createEmptyDatabase, withClient } from '@posthorn/engine/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readDocument } from '../docs/documents.ts'
import { installedFolder } from './installed.ts'
import { type Served, startServed } from './serving.ts'

const page = 'docs/publishing-from-a-transaction.md'
const { blocks } = readDocument(page)
const [, , table = '', insert = ''] = codeOf('sql')
const [shared = '', grants = ''] = codeOf('sql')
const [relay = ''] = codeOf('js')

let served: Served
let installed: Awaited<ReturnType<typeof installedFolder>>

beforeAll(async () => {
  served = await startServed()
  await served.posthorn.tenants.put('acme')
  const subscription = await served.posthorn.subscriptions.create('acme', {
    url: `${served.receiver.origin}/hooks`,
    event_types: ['*'],
    ordered: true,
  })
  served.receiver.trust('/hooks', subscription.secret)
  installed = await installedFolder()
  await writeFile(join(installed.path, 'relay.mjs'), relay)
})

afterAll(async () => {
  await served[Symbol.asyncDispose]()
  await installed[Symbol.asyncDispose]()
})

test(`the SQL of ${page} writes into Posthorn's outbox with no other rights than it names`, async () => {
  const role = `writer_${Date.now()}`
  await withClient(served.url, async (client) => {
    await client.query(`create role ${role}; ${grants.replaceAll('your_role', role)}`)
    try {
      await client.query(`begin; set local role ${role}; ${shared}; commit`)
    } finally {
      await client.query(`drop owned by ${role}; drop role ${role}`)
    }
  })
  const arrived = await served.until(() => served.receiver.requests.find(({ body }) => body.includes('"in_1"')))
  expect(arrived).toMatchObject({ signature: 'valid', body: expect.stringContaining('{"invoice": "in_1"}') })
})

test(`the relay of ${page} publishes each event once, in order, however often it is killed, and keeps what is refused`, {
  timeout: 90_000,
}, async () => {
  await using shop = await createEmptyDatabase()
  const count = 120
  // What no event may be, whatever it means: the others of its batch are published all the same.
  const refused = [20, 21, 50]
  const dataOf = (number: number) => {
    if (number === 20) return '{"__proto__":1}'
    return number === 21 ? `${'['.repeat(70)}${']'.repeat(70)}` : JSON.stringify({ number })
  }
  const before = served.receiver.requests.length
  await withClient(shop.url, async (client) => {
    await client.query(table)
    await client.query('begin')
    await client.query(insert, ['acme', 'order.rolled-back', '{}'])
    await client.query('rollback')
  })
  const write = (from: number, to: number) =>
    withClient(shop.url, async (client) => {
      for (let number = from; number < to; number += 1)
        await client.query(insert, [number === 50 ? 'nobody' : 'acme', 'order.paid', dataOf(number)])
    })
  const arrivals = () => served.receiver.requests.length - before
  const waiting = () =>
    withClient(shop.url, async (client) => {
      const { rows } = await client.query<{ id: string; problem: unknown }>(
        'select id, problem from outbox order by id',
      )
      return rows
    })
  for (const from of [0, 30, 60]) {
    await write(from, from + 30)
    const running = startRelay(shop.url)
    // Its first batch of these is there, and others are under way.
    await served.until(() => arrivals() > from)
    running.kill('SIGKILL')
    await once(running, 'exit')
  }
  const last = startRelay(shop.url)
  await write(90, count)
  await served.until(() => arrivals() >= count - refused.length)
  last.kill('SIGTERM')
  expect(await once(last, 'exit')).toEqual([0, null])

  expect(await waiting()).toMatchObject([
    { id: '22', problem: { code: 'invalid_request', errors: [{ pointer: '/data/__proto__' }] } },
    { id: '23', problem: { code: 'invalid_request', errors: [{ pointer: '/data' }] } },
    { id: '52', problem: { code: 'tenant_not_found' } },
  ])
  const arrived = served.receiver.requests.slice(before).map(({ body }) => JSON.parse(body).data.number)
  expect(arrived).toEqual(
    Array.from({ length: count }, (_, number) => number).filter((number) => !refused.includes(number)),
  )
  expect(await served.posthorn.events.list({ event_type: 'order.*' }).all()).toHaveLength(count - refused.length)
})

function startRelay(url: string): ChildProcess {
  const { execPath, env } = inject('machine')
  return spawn(execPath, ['relay.mjs'], {
    cwd: installed.path,
    env: { ...env, DATABASE_URL: url, POSTHORN_URL: served.origin, POSTHORN_API_KEY: served.adminKey },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

function codeOf(language: string): string[] {
  return blocks
    .filter((block) => block.language === language)
    .map(({ lines }) => lines.map(({ text }) => text).join('\n'))
}
