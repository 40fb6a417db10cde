import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createEmptyDatabase, createTestFolder, withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { apiOf, type DemoLine, startDemoProcess } from './demo-process.ts'

const run = promisify(execFile)
/**
 * A database is initialised, started and stopped in each of these, on a machine that does other things too. Those that go
 * on to a retry, which is seconds away, wait for it together.
 */
const timeout = 90_000

const steps = (lines: readonly DemoLine[]) => lines.filter((line) => line.kind === 'step').map((line) => line['step'])

test('start --once shows a delivery that failed, was retried and was verified, and ends with 0', {
  timeout,
}, async () => {
  await using folder = await createTestFolder()
  await using demo = startDemoProcess(['--once'], { POSTHORN_DATA_DIR: folder.path, PORT: '4620' })
  expect(await demo.ended).toBe(0)
  expect(steps(demo.lines)).toEqual(['event', 'attempt 1', 'attempt 2', 'receiver'])
  const [first, second] = demo.lines.filter((line) => String(line['step']).startsWith('attempt'))
  expect(first).toMatchObject({ status: 500, outcome: 'retry' })
  expect(second).toMatchObject({ status: 200, outcome: 'delivered' })
  expect(Date.parse(String(second?.['at'])) - Date.parse(String(first?.['at']))).toBeLessThan(3_000)
  expect(demo.lines.at(-1)).toMatchObject({ kind: 'verified', verified: true })
  expect(demo.lines).toContainEqual(expect.objectContaining({ step: 'receiver', signature: 'valid' }))
  expect(demo.errors()).toBe('')
})

test.concurrent('the printed curl works as pasted, its event shows up as delivered, and receivers are allowed as they are set', {
  timeout,
}, async () => {
  await using folder = await createTestFolder()
  const environment = { POSTHORN_DATA_DIR: folder.path, PORT: '4640', POSTHORN_ALLOWED_RECEIVERS: '127.0.0.1:4649' }
  await using demo = startDemoProcess([], environment)
  const api = await apiOf(demo)
  const { curl } = await demo.line((line) => line.kind === 'next')
  const { stdout } = await run('sh', ['-c', `${curl} --silent --show-error`])
  const { id } = JSON.parse(stdout)
  await demo.line((line) => line['step'] === 'receiver' && line['id'] === id)
  expect(await api.list(`/v1/deliveries?event=${id}`)).toMatchObject([
    { event_id: id, state: 'delivered', attempt_count: 1 },
  ])
  // A receiver of one's own is allowed as in every other installation, beside the demo's.
  const [{ id: tenant } = {}] = await api.list('/v1/tenants')
  const draft = { url: 'http://127.0.0.1:4649/hooks', event_types: ['*'] }
  expect((await api.call(`/v1/tenants/${tenant}/subscriptions`, draft)).status).toBe(201)
})

test.concurrent('a second start keeps nothing of the first; with --keep the earlier event is still there', {
  timeout: 2 * timeout,
}, async () => {
  await using folder = await createTestFolder()
  const environment = { POSTHORN_DATA_DIR: folder.path, PORT: '4660' }

  async function once(words: readonly string[]): Promise<{ own: string; events: string[] }> {
    await using demo = startDemoProcess(words, environment)
    const api = await apiOf(demo)
    const events = await api.list('/v1/events?limit=250')
    const { event } = await demo.line((line) => line.kind === 'verified')
    demo.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    return { own: String(event), events: events.map((one) => String(one['id'])) }
  }

  const first = await once([])
  const second = await once([])
  expect(second.events).toEqual([second.own])
  const third = await once(['--keep'])
  expect(third.events).toEqual([third.own, second.own])
  const key = await readFile(join(folder.path, 'master-key'), 'utf8')
  expect(Buffer.from(key, 'base64')).toHaveLength(32)
  expect((await stat(join(folder.path, 'master-key'))).mode & 0o777).toBe(0o600)
  const fourth = await once(['--keep'])
  expect(await readFile(join(folder.path, 'master-key'), 'utf8')).toBe(key)
  expect(fourth.events).toEqual([fourth.own, third.own, second.own])
  const plain = await once([])
  expect(plain.events).toEqual([plain.own])
  expect(first.events).toEqual([first.own])
})

test.concurrent('a taken port moves on, and Ctrl+C ends everything that was started, the database included', {
  timeout,
}, async () => {
  await using folder = await createTestFolder()
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(4680, '127.0.0.1', resolve))
  await using demo = startDemoProcess([], { POSTHORN_DATA_DIR: folder.path, PORT: '4680' })
  const api = await apiOf(demo)
  expect(demo.lines).toContainEqual(
    expect.objectContaining({
      kind: 'notice',
      text: expect.stringMatching(/^port 4680 is taken; using 46\d\d instead/),
    }),
  )
  expect(api.origin).not.toContain(':4680')
  demo.kill('SIGINT')
  expect(await demo.ended).toBe(0)
  await expect(fetch(`${api.origin}/healthz`)).rejects.toThrow()
  const { stdout } = await run('ps', ['-eo', 'args'])
  expect(stdout.split('\n').filter((command) => command.includes(folder.path))).toEqual([])
  await new Promise((resolve) => taken.close(resolve))
})

test.concurrent('with DATABASE_URL the demo uses that database, and empties it only because a demo filled it', {
  timeout: 2 * timeout,
}, async () => {
  await using database = await createEmptyDatabase()
  await using folder = await createTestFolder()
  const environment = { DATABASE_URL: database.url, POSTHORN_DATA_DIR: folder.path, PORT: '4700' }
  const countEvents = () =>
    withClient(database.url, async (client) => (await client.query('select id from event')).rows.length)
  for (const [words, events] of [
    [[], 1],
    [[], 1],
    [['--keep'], 2],
  ] as const) {
    await using demo = startDemoProcess(['--once', ...words], environment)
    expect(await demo.ended).toBe(0)
    expect(await countEvents()).toBe(events)
  }
})

test('a database with tables that no demo made is refused untouched, in one line', { timeout }, async () => {
  await using database = await createEmptyDatabase()
  await withClient(database.url, (client) => client.query('create table invoices (id int)'))
  await using demo = startDemoProcess(['--once'], { DATABASE_URL: database.url, PORT: '4720' })
  expect(await demo.ended).toBe(1)
  expect(demo.lines.filter((line) => line.kind === 'failed')).toEqual([
    expect.objectContaining({ text: expect.stringContaining('holds tables that no demo made') }),
  ])
  const { rows } = await withClient(database.url, (client) =>
    client.query(`select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`),
  )
  expect(rows).toEqual([{ relname: 'invoices' }])
})

test('a database that does not answer ends the start with one helpful line', { timeout }, async () => {
  await using demo = startDemoProcess(['--once'], { DATABASE_URL: 'postgres://posthorn:secret@127.0.0.1:1/posthorn' })
  expect(await demo.ended).toBe(1)
  expect(demo.lines.filter((line) => line.kind === 'failed')).toEqual([
    expect.objectContaining({
      text: expect.stringMatching(/cannot reach the database 127\.0\.0\.1:1\. Is it running\? Unset DATABASE_URL/),
    }),
  ])
  expect(JSON.stringify(demo.lines) + demo.errors()).not.toContain('secret')
})

test('settings that cannot be read stop the start: all of them at once, each with its name and the fix', {
  timeout,
}, async () => {
  await using demo = startDemoProcess(['--once'], {
    PORT: 'eighty',
    POSTHORN_CONCURRENCY: '0',
    POSTHORN_ALLOW_HTTP: 'yes',
    POSTHORN_DISABLE_AFTER_HOURS: '721',
    POSTHORN_OPERATOR_TENANT: 'the operator',
  })
  expect(await demo.ended).toBe(1)
  const failed = demo.lines.filter((line) => line.kind === 'failed').map((line) => line['text'])
  expect(failed).toEqual([
    'PORT "eighty" is not a whole number; give one from 0 to 65535',
    'POSTHORN_CONCURRENCY 0 is out of range; give a number from 1 to 5000',
    'POSTHORN_ALLOW_HTTP "yes" is neither true nor false; write one of the two',
    'POSTHORN_DISABLE_AFTER_HOURS 721 is out of range; give a number from 1 to 720',
    'POSTHORN_OPERATOR_TENANT "the operator" is no tenant id; write 1 to 128 letters, digits and _ . : @ | -',
  ])
})

test('the demo refuses to run in production', { timeout }, async () => {
  await using demo = startDemoProcess(['--once'], { NODE_ENV: 'production' })
  expect(await demo.ended).toBe(1)
  expect(demo.lines).toEqual([
    expect.objectContaining({ kind: 'failed', text: expect.stringContaining('NODE_ENV=production') }),
  ])
})

test('a word that the command does not know ends it with 2 and the way to help', { timeout }, async () => {
  await using demo = startDemoProcess(['--forever'], {})
  expect(await demo.ended).toBe(2)
  expect(demo.lines).toEqual([
    expect.objectContaining({ kind: 'failed', text: expect.stringContaining('Try: posthorn help') }),
  ])
})
