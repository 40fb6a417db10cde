import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { withClient } from '../testing/index.ts'
import { type EmbeddedPostgres, reachableDataDir, startEmbeddedPostgres } from './embedded-postgres.ts'

const { execPath, uid, env } = inject('machine')
// Our own pid, as a child sees it.
const { stdout } = await promisify(execFile)(execPath, ['--print', 'process.ppid'])
const host = { uid, pid: Number(stdout), env }

// One folder for all tests of this file: initialising it takes most of a second, starting on it a tenth.
let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'posthorn-test-embedded-'))
})

afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

test('a new folder becomes a durable server that listens on 127.0.0.1 only and wants its password', async () => {
  await using server = await start()
  expect(server.version).toMatch(/^18\.\d+$/)
  const settings = ['listen_addresses', 'unix_socket_directories', 'fsync', 'synchronous_commit', 'server_encoding']
  expect(await Promise.all(settings.map((name) => ask(server.url, `show ${name}`)))).toEqual([
    '127.0.0.1',
    '',
    'on',
    'on',
    'UTF8',
  ])
  const stranger = new URL(server.url)
  stranger.password = 'guessed'
  await expect(ask(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
  expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600)
  expect((await readdir(dataDir)).sort()).toEqual(['cluster', 'password', 'server.log'])
})

test('committed data is there when a kept folder is opened again, with the same password', async () => {
  const first = await start()
  await ask(first.url, `create table kept as select 'still here' as words`)
  await first.stop()
  await expect(ask(first.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await using second = await start()
  expect(await ask(second.url, 'select words from kept')).toBe('still here')
  expect(new URL(second.url).password).toBe(new URL(first.url).password)
})

test('stopping twice is stopping once, and rolls back what is not committed', async () => {
  const server = await start()
  await withClient(server.url, async (client) => {
    client.on('error', () => undefined)
    await client.query('create table stopped (id int)')
    await client.query('begin; insert into stopped values (1)')
    await Promise.all([server.stop(), server.stop()])
  })
  await server.stop()
  await using again = await start()
  expect(await ask(again.url, 'select count(*)::int from stopped')).toBe(0)
})

test.runIf(platform() === 'linux')('the server is in a process group of its own, out of reach of Ctrl+C', async () => {
  await using server = await start()
  const fields = (await readFile(`/proc/${server.pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ')
  expect(fields?.[2]).toBe(String(server.pid))
})

test('the settings of the caller win', async () => {
  await using server = await start({ settings: { max_connections: '7', timezone: 'Asia/Tokyo' } })
  expect(await ask(server.url, 'show max_connections')).toBe('7')
  expect(await ask(server.url, 'show timezone')).toBe('Asia/Tokyo')
})

test('a taken port moves on to the next', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const address = squatter.address()
  const taken = typeof address === 'object' ? (address?.port ?? 0) : 0
  try {
    await using server = await start({ port: taken })
    expect(server.port).not.toBe(taken)
    expect(await ask(server.url, 'select 1')).toBe(1)
  } finally {
    squatter.close()
  }
})

test('a folder whose server is in use by a living process is refused, and that server goes on', async () => {
  await using server = await start()
  await expect(start()).rejects.toMatchObject({ code: 'already_running' })
  expect(await ask(server.url, 'select 1')).toBe(1)
})

test('a server that outlived its killed parent is stopped, and nothing committed is lost', async () => {
  const parent = startInOtherProcess()
  const [orphanPid, url] = (await firstLine(parent)).split(' ')
  await ask(url ?? '', `create table orphaned as select 'kept' as words`)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  expect(await ask(url ?? '', 'select words from orphaned')).toBe('kept') // it lives on
  await using server = await start()
  expect(server.pid).not.toBe(Number(orphanPid))
  await expect(ask(url ?? '', 'select 1')).rejects.toThrow()
  expect(await ask(server.url, 'select words from orphaned')).toBe('kept')
})

test('a pid file of before a power cut is no obstacle when its pid belongs to another process now', async () => {
  const server = await start()
  const pidFile = join(dataDir, 'cluster', 'postmaster.pid')
  const lines = (await readFile(pidFile, 'utf8')).split('\n')
  await server.stop()
  const other = spawn(execPath, ['--eval', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] })
  try {
    await once(other, 'spawn')
    await writeFile(pidFile, [other.pid, ...lines.slice(1)].join('\n'))
    await using again = await start()
    expect(await ask(again.url, 'select 1')).toBe(1)
  } finally {
    other.kill()
  }
})

test('a lost password file is told, not replaced', async () => {
  const password = join(dataDir, 'password')
  await rename(password, `${password}.away`)
  try {
    await expect(start()).rejects.toMatchObject({ code: 'password_missing' })
  } finally {
    await rename(`${password}.away`, password)
  }
})

test('a changed password file is told, and the server does not stay behind', async () => {
  const password = join(dataDir, 'password')
  const right = await readFile(password, 'utf8')
  await writeFile(password, 'wrong')
  try {
    await expect(start()).rejects.toMatchObject({ code: 'connection_refused' })
    await expect(stat(join(dataDir, 'cluster', 'postmaster.pid'))).rejects.toMatchObject({ code: 'ENOENT' })
  } finally {
    await writeFile(password, right)
  }
})

test('a setting that PostgreSQL does not take is told with the words of its log', async () => {
  await expect(start({ settings: { shared_buffers: 'a lot' } })).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringContaining('shared_buffers'),
  })
})

test('the folder of another version is not touched', async () => {
  const other = await mkdtemp(join(tmpdir(), 'posthorn-test-embedded-'))
  await mkdir(join(other, 'cluster'))
  await writeFile(join(other, 'cluster', 'PG_VERSION'), '17\n')
  await writeFile(join(other, 'password'), 'secret')
  try {
    await expect(start({ dataDir: other })).rejects.toMatchObject({ code: 'folder_other_version' })
  } finally {
    await rm(other, { recursive: true })
  }
})

test('for an ordinary user every folder is taken as it is', async () => {
  expect(await reachableDataDir('/root/anywhere', { uid: 1000 })).toBe('/root/anywhere')
})

describe.runIf(host.uid === 0)('as root', () => {
  test('a folder behind one that only root may enter is refused, and another is offered that works', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'posthorn-test-closed-'))
    const wanted = join(closed, 'data')
    const offered = await reachableDataDir(wanted, host)
    try {
      await expect(start({ dataDir: wanted })).rejects.toMatchObject({ code: 'folder_unreachable' })
      expect(offered).toMatch(/^\/var\/lib\/posthorn\/[0-9a-f]{16}$/)
      expect(await reachableDataDir(wanted, host)).toBe(offered)
      expect(await reachableDataDir(dataDir, host)).toBe(dataDir)
      await using server = await start({ dataDir: offered, settings: { fsync: 'off' } })
      expect(await ask(server.url, 'select 1')).toBe(1)
    } finally {
      await rm(closed, { recursive: true })
      await rm(offered, { recursive: true, force: true })
    }
  })

  test('the server runs as postgres, and the password stays with root', async () => {
    await using server = await start()
    expect((await stat(join(dataDir, 'cluster'))).uid).not.toBe(0)
    expect((await stat(join(dataDir, 'password'))).uid).toBe(0)
    expect(await ask(server.url, 'select 1')).toBe(1)
  })
})

async function start(
  options: { dataDir?: string; port?: number; settings?: Record<string, string> } = {},
): Promise<EmbeddedPostgres & AsyncDisposable> {
  const server = await startEmbeddedPostgres({ dataDir, ...host, ...options })
  return { ...server, [Symbol.asyncDispose]: server.stop }
}

/** The first column of the first row. */
async function ask(url: string, query: string): Promise<unknown> {
  const { rows } = await withClient(url, (client) => client.query({ text: query, rowMode: 'array' }))
  return rows[0]?.[0]
}

/** A process that starts a server on the folder, prints `<pid> <url>` and waits to be killed. */
function startInOtherProcess(): ChildProcess {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(new URL('./embedded-postgres.ts', import.meta.url).href)}
    const server = await startEmbeddedPostgres({
      dataDir: ${JSON.stringify(dataDir)}, uid: ${host.uid}, pid: process.pid, env: {} })
    console.log(server.pid, server.url)`
  return spawn(execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new TypeError('the process has no output')
  for await (const line of createInterface(child.stdout)) return line
  throw new Error('the process ended')
}
