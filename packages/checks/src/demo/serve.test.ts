import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { formatId } from '@posthorn/contract'
import { createSeal, masterKeyHint, parseMasterKeys } from '@posthorn/engine'
import {
  createAuthority,
  createEmptyDatabase,
  createTestDatabase,
  startEgressProxy,
  testMasterKeyText,
  withClient,
} from '@posthorn/engine/testing'
import { startReceiver } from 'posthorn/receiver'
import { expect, inject, test } from 'vitest'

const main = fileURLToPath(new URL('../../../../apps/posthorn/src/main.ts', import.meta.url))
const adminKey = `phk_${'0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, 33)}`
const timeout = 90_000

type ServeProcess = AsyncDisposable & {
  /** Resolves with the first log line with this message. */
  logged(message: string): Promise<Record<string, unknown>>
  /** Everything logged so far. */
  readonly lines: readonly Record<string, unknown>[]
  stop(): Promise<number | null>
}

/** `posthorn serve` as an operator runs it, with its log as it comes. */
function startServeProcess(words: readonly string[], environment: Record<string, string>): ServeProcess {
  const { execPath, env } = inject('machine')
  const child = spawn(execPath, [main, 'serve', ...words], {
    env: { ...env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: Record<string, unknown>[] = []
  const waiters = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text))
    for (const waiter of [...waiters]) waiter()
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  async function stop(): Promise<number | null> {
    child.kill('SIGTERM')
    return ended
  }
  return {
    lines,
    logged(message) {
      return new Promise((resolve, reject) => {
        function look(): void {
          const line = lines.find(({ msg }) => msg === message)
          if (line !== undefined) resolve(line)
        }
        waiters.add(look)
        look()
        void ended.then(() => reject(new Error(`ended without "${message}": ${JSON.stringify(lines)}`)))
      })
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

async function call(
  origin: unknown,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
  const response = await fetch(
    String(origin) + path,
    body === undefined
      ? { method, headers: { authorization: headers.authorization } }
      : { method, headers, body: JSON.stringify(body) },
  )
  return { status: response.status, body: JSON.parse(await response.text()) }
}

async function scrape(origin: unknown): Promise<string> {
  const response = await fetch(`${origin}/metrics`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  return response.text()
}

test('API and dispatcher in two processes that start at once on an empty database deliver, and end with 0 on SIGTERM', {
  timeout,
}, async () => {
  await using database = await createEmptyDatabase()
  await using receiver = await startReceiver()
  const environment = {
    DATABASE_URL: database.url,
    POSTHORN_ADMIN_KEY: adminKey,
    POSTHORN_MASTER_KEY: testMasterKeyText,
    POSTHORN_CREATE_EVENT_TYPES: 'true',
    POSTHORN_ALLOWED_RECEIVERS: `127.0.0.1:${receiver.port}`,
    PORT: '0',
    POSTHORN_METRICS_PORT: '0',
  }
  await using api = startServeProcess(['--role', 'api'], environment)
  await using dispatcher = startServeProcess(['--role', 'dispatcher'], environment)
  const { origin } = await api.logged('posthorn is up')
  expect((await dispatcher.logged('posthorn is up'))['origin']).toBeUndefined()

  await call(origin, 'PUT', '/v1/tenants/acme', {})
  const created = await call(origin, 'POST', '/v1/tenants/acme/subscriptions', {
    url: `${receiver.origin}/hooks`,
    event_types: ['*'],
  })
  expect(created.status).toBe(201)
  receiver.trust('/hooks', String(created.body['secret']))
  const published = await call(origin, 'POST', '/v1/events', {
    tenant: 'acme',
    type: 'invoice.paid',
    data: { paid: true },
  })
  expect(published.status).toBe(202)
  const attempt = await dispatcher.logged('attempt')
  expect(attempt).toMatchObject({ event: published.body['id'], outcome: 'delivered', status: 204 })
  expect(receiver.requests).toMatchObject([
    { signature: 'valid', body: expect.stringContaining('"data":{"paid":true}') },
  ])

  const readiness = await call(origin, 'GET', '/readyz')
  expect(readiness).toMatchObject({ status: 200, body: { ready: true } })

  // What the dispatcher did is counted there; how things stand is the same to all.
  const served = await dispatcher.logged('metrics are served')
  const ofDispatcher = await scrape(served['origin'])
  expect(ofDispatcher).toContain('posthorn_attempts_total{outcome="delivered",failure_code="",trigger="automatic"} 1\n')
  expect(ofDispatcher).toContain('posthorn_attempt_duration_seconds_count 1\n')
  expect(ofDispatcher).toContain('posthorn_shards_owned 64\n')
  expect((await fetch(`${served['origin']}/v1/tenants`)).status).toBe(404)
  for (const text of [ofDispatcher, await scrape(origin)]) {
    expect(text).toContain('posthorn_dispatchers 1\n')
    expect(text).toContain('posthorn_subscriptions{state="active",reason=""} 1\n')
    expect(text).toContain('posthorn_backlog_deliveries{state="due"} 0\n')
    expect(text).not.toContain('acme')
  }
  expect(await dispatcher.stop()).toBe(0)
  expect(await api.stop()).toBe(0)
})

test.each([
  [
    'without DATABASE_URL and POSTHORN_MASTER_KEY',
    [],
    {},
    1,
    `posthorn: DATABASE_URL is not set; write postgres://user:password@host:5432/database\nposthorn: POSTHORN_MASTER_KEY is not set; ${masterKeyHint}\n`,
  ],
  [
    'with a master key that is none',
    [],
    { DATABASE_URL: 'postgres://127.0.0.1:1/none', POSTHORN_MASTER_KEY: 'canary' },
    1,
    `posthorn: POSTHORN_MASTER_KEY holds what is no master key; ${masterKeyHint}\n`,
  ],
  [
    'with a role that does not exist',
    ['--role', 'worker'],
    {},
    2,
    'posthorn: --role worker is not known; write one of all, api, dispatcher. Try: posthorn help\n',
  ],
  [
    'with settings that cannot be read',
    [],
    { PORT: 'high', DATABASE_URL: 'mysql://user:secret@localhost' },
    1,
    'posthorn: DATABASE_URL is no PostgreSQL connection string; write postgres://user:password@host:5432/database\nposthorn: PORT "high" is not a whole number; give one from 0 to 65535\n',
  ],
  [
    'with an egress proxy that cannot be read',
    [],
    { POSTHORN_EGRESS_PROXY: 'socks5://posthorn:canary@proxy:1080' },
    1,
    'posthorn: POSTHORN_EGRESS_PROXY begins neither with http:// nor with https://; write http://host:port, or https://user:password@host:port with special characters percent-encoded\n',
  ],
  [
    'with names left to an egress proxy that is not there',
    [],
    { POSTHORN_EGRESS_PROXY_RESOLVES: 'true' },
    1,
    'posthorn: POSTHORN_EGRESS_PROXY_RESOLVES leaves names to a proxy, and there is none; set POSTHORN_EGRESS_PROXY, or leave this out\n',
  ],
])('serve %s ends at once and says what to do', { timeout }, async (_case, words, environment, code, text) => {
  const { execPath, env } = inject('machine')
  const child = spawn(execPath, [main, 'serve', ...words], {
    env: { ...env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const errors: string[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(code)
  expect(errors.join('')).toBe(text)
})

test('serve sends through the egress proxy that it is given, leaves names to it where it is told so, and logs no password', {
  timeout,
}, async () => {
  await using database = await createTestDatabase()
  await using receiver = await startReceiver()
  await using proxy = await startEgressProxy()
  const environment = {
    DATABASE_URL: database.url,
    POSTHORN_ADMIN_KEY: adminKey,
    POSTHORN_MASTER_KEY: testMasterKeyText,
    POSTHORN_CREATE_EVENT_TYPES: 'true',
    POSTHORN_ALLOW_HTTP: 'true',
    POSTHORN_EGRESS_PROXY: proxy.url.replace('://', '://posthorn:canary@'),
    POSTHORN_EGRESS_PROXY_RESOLVES: 'true',
    LOG_LEVEL: 'trace',
    PORT: '0',
  }
  await using posthorn = startServeProcess([], environment)
  const { origin } = await posthorn.logged('posthorn is up')
  await call(origin, 'PUT', '/v1/tenants/acme', {})
  // No name server knows it; the proxy leads every name to this machine.
  const url = `http://hooks.acme.example:${receiver.port}/hooks`
  const created = await call(origin, 'POST', '/v1/tenants/acme/subscriptions', { url, event_types: ['*'] })
  expect(created.status).toBe(201)
  receiver.trust('/hooks', String(created.body['secret']))
  await call(origin, 'POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: {} })
  expect(await posthorn.logged('attempt')).toMatchObject({ outcome: 'delivered', status: 204 })
  expect(receiver.requests).toMatchObject([{ signature: 'valid' }])
  expect(proxy.requests).toMatchObject([{ authority: `hooks.acme.example:${receiver.port}` }])
  expect(proxy.requests[0]?.head).toContain(`Basic ${Buffer.from('posthorn:canary').toString('base64')}`)
  expect(JSON.stringify(posthorn.lines)).not.toContain('canary')
})

/** Runs a command of posthorn to its end. */
async function run(
  words: readonly string[],
  environment: Record<string, string>,
): Promise<{ code: unknown; output: string; errors: string }> {
  const { execPath, env } = inject('machine')
  const child = spawn(execPath, [main, ...words], {
    env: { ...env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  const errors: string[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { code, output: output.join(''), errors: errors.join('') }
}

test('one master key is replaced by another: both are given, rewrap seals anew, and the old one can be left out', {
  timeout,
}, async () => {
  await using database = await createTestDatabase()
  const nextText = Buffer.alloc(32, 'the next master key').toString('base64')
  const [old, next] = [testMasterKeyText, nextText].map(
    (text) => createSeal(parseMasterKeys(text), { randomBytes }).sealsWith,
  )
  const environment = {
    DATABASE_URL: database.url,
    POSTHORN_ADMIN_KEY: adminKey,
    PORT: '0',
  }
  // The id of the master key stands behind the version, in the sealed bytes themselves.
  const storedWith = `select k.master_key_id, encode(substring(s.auth_sealed from 2 for 8), 'hex') as auth_key_id, encode(substring(s.tls_sealed from 2 for 8), 'hex') as tls_key_id from secret k join subscription s on s.id = k.subscription_id`
  const storedKeys = () => withClient(database.url, async (client) => (await client.query(storedWith)).rows)

  let path = ''
  let secret: unknown
  {
    await using api = startServeProcess(['--role', 'api'], { ...environment, POSTHORN_MASTER_KEY: testMasterKeyText })
    const { origin } = await api.logged('posthorn is up')
    await call(origin, 'PUT', '/v1/tenants/acme', {})
    const auth = { type: 'bearer', token: 'a-token-for-the-receiver' }
    const tls = { ca_certificates: createAuthority().certificate }
    const draft = { url: 'https://93.184.215.14/', event_types: ['*'], auth, tls }
    const { body } = await call(origin, 'POST', '/v1/tenants/acme/subscriptions', draft)
    path = `/v1/subscriptions/${body['id']}/secrets`
    secret = body['secret']
  }
  expect(await storedKeys()).toEqual([{ master_key_id: old, auth_key_id: old, tls_key_id: old }])

  const alone = { ...environment, POSTHORN_MASTER_KEY: nextText }
  const refused = await run(['serve', '--role', 'api'], alone)
  expect(refused).toMatchObject({ code: 1, output: '' })
  expect(refused.errors).toMatch(/^posthorn: POSTHORN_MASTER_KEY opens none of the secrets in the database/)
  expect(refused.errors).toContain(old)
  const failed = await run(['rewrap'], alone)
  expect(failed).toMatchObject({
    code: 1,
    errors: expect.stringContaining('3 secrets or credentials could not be opened'),
  })

  const both = { ...environment, POSTHORN_MASTER_KEY: `${nextText}, ${testMasterKeyText}` }
  const done = { code: 0, errors: '' }
  expect(await run(['rewrap'], both)).toEqual({
    ...done,
    output: `sealed 1 secrets, 2 credentials, 0 secrets of replays and 0 kept answers anew with the master key ${next}\n`,
  })
  expect(await run(['rewrap'], both)).toEqual({
    ...done,
    output: `sealed 0 secrets, 0 credentials, 0 secrets of replays and 0 kept answers anew with the master key ${next}\n`,
  })
  expect(await storedKeys()).toEqual([{ master_key_id: next, auth_key_id: next, tls_key_id: next }])

  await using api = startServeProcess(['--role', 'api'], alone)
  const { origin } = await api.logged('posthorn is up')
  expect((await call(origin, 'GET', path)).body['data']).toMatchObject([{ secret }])
})

test('a start seals the secrets that an installation from before sealing has', { timeout }, async () => {
  await using database = await createEmptyDatabase()
  const environment = {
    DATABASE_URL: database.url,
    POSTHORN_ADMIN_KEY: adminKey,
    POSTHORN_MASTER_KEY: testMasterKeyText,
    PORT: '0',
  }
  expect(await run(['migrate'], environment)).toMatchObject({ code: 0 })
  const plain = Buffer.alloc(36, 'a plain key')
  const subscription = '019ab0fa-5c3e-7b1d-9a44-0c6f2e8d5b17'
  await withClient(database.url, async (client) => {
    await client.query(`insert into tenant (id) values ('acme')`)
    await client.query(
      `insert into subscription (id, tenant_id, url, event_types, shard) values ($1, 'acme', 'https://93.184.215.14/', '{*}', 1)`,
      [subscription],
    )
    await client.query(
      `insert into secret (id, tenant_id, subscription_id, sealed_key) values (gen_random_uuid(), 'acme', $1, $2)`,
      [subscription, plain],
    )
  })
  await using api = startServeProcess(['--role', 'api'], environment)
  const { origin } = await api.logged('posthorn is up')
  const [row] = await withClient(database.url, async (client) => (await client.query('select * from secret')).rows)
  expect(row.master_key_id).not.toBeNull()
  expect(row.sealed_key.includes(plain)).toBe(false)
  const { body } = await call(origin, 'GET', `/v1/subscriptions/${formatId('subscription', subscription)}/secrets`)
  expect(body['data']).toMatchObject([{ secret: `whsec_${plain.toString('base64')}` }])
})

test('serve says what to change when its port is taken or its database is away, and shows no stack', {
  timeout,
}, async () => {
  await using database = await createEmptyDatabase()
  await using taken = await startReceiver()
  const [free, away] = [database.url, 'postgres://posthorn:secret@127.0.0.1:1/posthorn']
  for (const [url, words, port, said] of [
    [
      free,
      [],
      { PORT: String(taken.port) },
      /^posthorn: PORT is \d+, and another process listens there already: .*HOST is/,
    ],
    [
      free,
      ['--role', 'dispatcher'],
      { POSTHORN_METRICS_PORT: String(taken.port) },
      /^posthorn: POSTHORN_METRICS_PORT is/,
    ],
    [
      away,
      [],
      { PORT: '0' },
      /^posthorn: cannot reach the database 127\.0\.0\.1:1\. Is it running\? DATABASE_URL says/,
    ],
  ] as const) {
    const { execPath, env } = inject('machine')
    const environment = {
      ...env,
      DATABASE_URL: url,
      POSTHORN_MASTER_KEY: testMasterKeyText,
      HOST: '127.0.0.1',
      ...port,
    }
    const child = spawn(execPath, [main, 'serve', ...words], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += chunk))
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect([code, errors.trim()]).toEqual([1, expect.stringMatching(said)])
    expect(errors.trim().split('\n')).toHaveLength(1)
  }
})

test('a command whose reader has gone ends with 1 and without a word', { timeout }, async () => {
  const { execPath, env } = inject('machine')
  const script = '{ "$0" "$1" help; echo "ended with $?" >&2; } | true'
  const child = spawn('sh', ['-c', script, execPath, main], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  expect(await text(child.stderr)).toBe('ended with 1\n')
})
