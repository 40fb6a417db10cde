/** `listen` as the developer of a customer uses it, against a started server and receivers on loopback. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, parseSettings } from '@posthorn/engine'
import { testMasterKeyText } from '@posthorn/engine/testing'
import { serveSettings } from 'posthorn/config'
import { type ReceivedRequest, startReceiver } from 'posthorn/receiver'
import { startServing } from 'posthorn/serve'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { runPosthorn } from '../command/posthorn-command.ts'
import { createGate } from '../flows/gate.ts'
import { world } from '../flows/posthorn.ts'
import { createSignals } from '../flows/signals.ts'
import { type Served, startServed } from '../sdk/serving.ts'
import { type Listening, listened, startListening, startSample } from './listening.ts'

let served: Served
let key: string

beforeAll(async () => {
  served = await startServed({ answer: ({ path }) => ({ status: path === '/broken' ? 404 : 204 }) })
  await served.posthorn.tenants.put('acme')
  key = (await served.posthorn.apiKeys.create({ name: 'developer', role: 'tenant', tenant: 'acme' })).key
}, 60_000)

afterAll(() => served[Symbol.asyncDispose]())

/** A subscription whose registered receiver answers 404, and whose deliveries fail at the first one. */
function subscribe(path: string, more: object = {}) {
  const body = {
    url: served.receiver.origin + path,
    event_types: [`${path.slice(1)}.*`],
    final_statuses: [404],
    ...more,
  }
  return served.posthorn.subscriptions.create('acme', body)
}

function publish(path: string) {
  return served.posthorn.events.publish({
    tenant: 'acme',
    type: `${path.slice(1)}.made`,
    data: { text: 'Zoë "漢" \u2028' },
  })
}

function words(to: string, subscription: string, api = served.origin): string[] {
  return ['--api', api, '--to', to, '--subscription', subscription]
}

/** Publishes until one comes: the stream begins at some moment, and what was before it is not told. */
async function begun(listening: Listening, path: string): Promise<void> {
  await listening.until(() => listening.said().includes('Listening to '))
  while (listening.lines.length === 0) {
    const event = await publish(path)
    await attempted(event.deliveries[0]?.id ?? '', 1)
  }
}

/** Resolves when so many attempts of the delivery are recorded. */
function attempted(delivery: string, count: number) {
  return served.eventually(async () => {
    const found = await served.posthorn.deliveries.get(delivery)
    return found.attempt_count >= count && found
  })
}

/** Without what belongs to a connection. */
function asSent({ headers, body, signature }: ReceivedRequest) {
  const { host: _host, connection: _connection, 'content-length': length, ...rest } = headers
  return { headers: rest, length, body, signature }
}

test('what is sent comes to the receiver of the documentation too, verifies there with the same secret, and changes nothing', async () => {
  const { id, secret } = await subscribe('/broken')
  await using local = await startSample(secret)
  await using listening = startListening(words(`${local.origin}/webhooks`, id), { key })
  await begun(listening, '/broken')
  const event = await publish('/broken')
  const line = await listening.until(() => listening.lines.find((one) => one.includes(event.id)))
  expect(line).toMatch(
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d  ${event.id}  broken\\.made  attempt 1: 404  → 204 in \\d+ ms$`),
  )
  await local.received(event.id)
  expect(await served.posthorn.deliveries.get(event.deliveries[0]?.id ?? '')).toMatchObject({
    state: 'failed',
    attempt_count: 1,
    last_http_status: 404,
  })
  expect(listening.said()).toContain(`Listening to what is sent to ${served.receiver.origin}/broken (${id})`)
  expect(await listening.stop()).toBe(0)
})

test('a receiver with another secret refuses it, and what it says is shown', async () => {
  const { id } = await subscribe('/other')
  await using local = await startSample(`whsec_${Buffer.alloc(32, 7).toString('base64')}`)
  await using listening = startListening(words(local.origin, id), { key })
  await begun(listening, '/other')
  expect(listening.lines[0]).toMatch(/attempt 1: 204 {2}→ 401 in \d+ ms$/)
  expect(local.output()).not.toContain('received')
})

test('the request is the one that was sent: its headers, its bytes, and nothing that is not its own', async () => {
  const auth = { type: 'basic', username: 'acme', password: 'open sesame' } as const
  const { id, secret } = await subscribe('/same', { auth, headers: { 'x-own': 'a b' } })
  await using local = await startReceiver()
  for (const receiver of [local, served.receiver]) receiver.trust('/same', secret)
  await using listening = startListening(words(`${local.origin}/same`, id), { key })
  await begun(listening, '/same')
  const event = await publish('/same')
  await listening.until(() => listening.lines.some((one) => one.includes(event.id)))
  const isIt = ({ headers }: ReceivedRequest) => headers['webhook-id'] === event.id
  const [there, here] = [served.receiver.requests.find(isIt), local.requests.find(isIt)]
  if (there === undefined || here === undefined) throw new Error('it did not arrive')
  const { authorization, ...headers } = there.headers
  expect(authorization).toMatch(/^Basic /)
  expect(asSent(here)).toEqual(asSent({ ...there, headers }))
  expect(here).toMatchObject({ signature: 'valid', headers: { 'x-own': 'a b' } })
  const told = listening.said().match(/Left out, .*/g)
  expect(told).toEqual(['Left out, because the API shows it to nobody or not to this key: the header authorization.'])
})

test('attempts come one after the other, each with the body it was sent with, also when there is a newer one by now', async () => {
  const { id, secret } = await subscribe('/turn')
  const gate = createGate()
  await using local = await startReceiver({ answer: gate.answer })
  local.trust('/turn', secret)
  await using listening = startListening(words(`${local.origin}/turn`, id), { key })
  const first = begun(listening, '/turn')
  await gate.holds(1)
  const event = await publish('/turn')
  const delivery = event.deliveries[0]?.id ?? ''
  await attempted(delivery, 1)
  await served.posthorn.subscriptions.patch(id, { payload_format: 'raw' })
  await served.posthorn.deliveries.resend(delivery)
  await attempted(delivery, 2)
  gate.open()
  await first
  await listening.until(() => listening.lines.filter((one) => one.includes(event.id)).length === 2)
  const own = local.requests.filter(({ headers }) => headers['webhook-id'] === event.id)
  expect(own.map(({ headers }) => headers['posthorn-attempt'])).toEqual(['1', '2'])
  expect(own.map(({ signature }) => signature)).toEqual(['valid', 'valid'])
  const data = { text: 'Zoë "漢" \u2028' }
  expect(own.map(({ body }) => JSON.parse(body))).toEqual([expect.objectContaining({ type: 'turn.made', data }), data])
  expect(gate.mostAtOnce).toBe(1)
})

test('what is sent while the API is restarted comes afterwards, and nothing comes twice', async () => {
  const { id } = await subscribe('/restart')
  await using local = await startReceiver()
  const api = await startApi('0')
  await using listening = startListening([...words(local.origin, id, api.origin), '--json'], { key })
  await begun(listening, '/restart')
  await api.stop()
  const event = await publish('/restart')
  await attempted(event.deliveries[0]?.id ?? '', 1)
  const again = await startApi(new URL(api.origin).port)
  const line = await listening.until(() => listening.lines.find((one) => one.includes(event.id)))
  await listening.stop()
  await again.stop()
  expect(JSON.parse(line)).toEqual({
    ended_at: expect.stringMatching(/^\d{4}-.*Z$/),
    attempt_id: expect.stringMatching(/^att_/),
    delivery_id: event.deliveries[0]?.id,
    event_id: event.id,
    subscription_id: id,
    event_type: 'restart.made',
    attempt: 1,
    http_status: 204,
    failure_code: null,
    local: { status: 204, ms: expect.any(Number) },
  })
  const ids = listening.lines.map((one) => JSON.parse(one).attempt_id)
  expect(ids).toEqual([...new Set(ids)])
  expect(local.requests).toHaveLength(ids.length)
  expect(listening.said()).toMatch(
    /The API is being stopped or restarted\. Connecting again\.\n(.*\n)*.*Connected again\./,
  )
})

/** A second process of the API over the same database. */
async function startApi(port: string) {
  const settings = parseSettings(serveSettings, {
    DATABASE_URL: served.url,
    POSTHORN_MASTER_KEY: testMasterKeyText,
    POSTHORN_DATABASE_CONNECTIONS: '2',
    PORT: port,
  })
  const { DATABASE_URL = served.url, POSTHORN_MASTER_KEY = [] } = settings
  const serving = await startServing({
    role: 'api',
    settings: { ...settings, DATABASE_URL, POSTHORN_MASTER_KEY },
    world,
    logger: createLogger('silent', { write: () => undefined }),
  })
  return { origin: serving.origin ?? '', stop: () => serving.stop() }
}

test('a key that may not do what is needed is told what it lacks, before anything is listened to', async () => {
  const { posthorn, adminKey } = served
  const { id } = await subscribe('/lacking')
  const session = (capabilities: ('deliveries:read' | 'payloads:read' | 'secrets:reveal')[]) =>
    posthorn.portalSessions.create('acme', { capabilities })
  const [blind, enough, support] = await Promise.all([
    session(['deliveries:read', 'payloads:read']),
    session(['deliveries:read', 'payloads:read', 'secrets:reveal']),
    posthorn.apiKeys.create({ name: 'support', role: 'support' }),
  ])
  const to = words('http://127.0.0.1:1', id)
  expect(await listened(to, { key: blind.token })).toEqual({
    code: 1,
    lines: [],
    said: 'listen: This portal session lacks the capability secrets:reveal (to see signatures). Ask for one with deliveries:read, payloads:read and secrets:reveal.\n',
  })
  expect(await listened(to, { key: support.key })).toMatchObject({
    code: 1,
    said: 'listen: This API key of the role support lacks the permission payloads:read (to see what events hold), secrets:reveal (to see signatures). Ask for one of the role tenant.\n',
  })
  expect(await listened(to, { key: `phk_${'x'.repeat(32)}` })).toMatchObject({
    code: 1,
    said: expect.stringMatching(/ does not take this key: /),
  })
  expect(await listened(to, { key: '' })).toMatchObject({ code: 1, said: expect.stringContaining('POSTHORN_API_KEY') })
  const everything = ['--api', served.origin, '--to', '1']
  expect(await listened(everything, { key: adminKey })).toMatchObject({
    code: 2,
    said: expect.stringContaining('this key sees every tenant; choose what to listen to with --subscription'),
  })
  const unknown = words('1', `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`)
  expect(await listened(unknown, { key })).toMatchObject({
    code: 1,
    said: expect.stringContaining('There is no subscription'),
  })
  // A portal session cannot read subscriptions, and needs not.
  await using listening = startListening([...to, '--key-stdin'], { key: '', stdin: `${enough.token}\n` })
  await listening.until(() => listening.said().includes(`Listening to ${id}.`))
  expect(await listening.stop()).toBe(0)
})

test('whoever listens to a subscription that is paused is told that nothing comes', async () => {
  const { id } = await subscribe('/paused')
  await served.posthorn.subscriptions.pause(id)
  await using listening = startListening(words('http://127.0.0.1:1', id), { key })
  await listening.until(() => listening.said().includes('Listening to '))
  expect(listening.said()).toContain(`${id} is paused: until it is active, nothing is sent to it or here.`)
})

test('the file of the site, started by the command of its page, brings events until Ctrl+C', async () => {
  const { origin, posthorn } = served
  const [page, program] = await Promise.all(
    ['testing.md', 'listen.mjs'].map(async (path) => (await fetch(`${origin}/event-docs/${path}`)).text()),
  )
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-listen-'))
  try {
    await writeFile(join(folder, 'listen.mjs'), program ?? '')
    const { id, secret } = await subscribe('/page')
    await using local = await startSample(secret)
    const [, command = ''] = /POSTHORN_API_KEY="\$KEY" node ((?:.*\\\n)?.*)/.exec(page ?? '') ?? []
    const started = command
      .replaceAll(/[\\"\n]/g, '')
      .replace('https://api.example.com', origin)
      .replace('http://127.0.0.1:8080', local.origin)
      .replace('$SUBSCRIPTION', id)
    const { execPath, env } = inject('machine')
    const child = spawn(execPath, started.split(/ +/), { cwd: folder, env: { ...env, POSTHORN_API_KEY: key } })
    const ended = once(child, 'exit')
    let [output, errors] = ['', '']
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    await Promise.race([once(child.stderr, 'data'), ended])
    expect(errors).toContain('Listening to ')
    while (output === '') {
      const event = await posthorn.events.publish({ tenant: 'acme', type: 'page.made', data: {} })
      await attempted(event.deliveries[0]?.id ?? '', 1)
    }
    expect(output).toMatch(/evt_\w{26} {2}page\.made {2}attempt 1: 204 {2}→ 204 in \d+ ms\n/)
    child.kill('SIGINT')
    expect(await ended).toEqual([0, null])
    expect(errors).not.toContain(key)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('posthorn listen is the same, and says so in its help', async () => {
  const { id } = await subscribe('/command')
  const { notify, until } = createSignals()
  const environment = { POSTHORN_API_KEY: key }
  const { code, stdout } = await runPosthorn(['listen', '--help'], { environment })
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^posthorn listen --api URL --to URL\|PORT /)])
  const wrong = await runPosthorn(['listen', '--api', served.origin], { environment })
  expect(wrong).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^listen: --to is missing.* Try: posthorn listen --help\n$/),
  })
  const stop = new AbortController()
  let said = ''
  const running = runPosthorn(['listen', ...words('3000', id)], {
    environment,
    stop: stop.signal,
    heard(text) {
      said += text
      notify()
    },
  })
  await until(() => said.includes('Your receiver: http://localhost:3000/.'))
  stop.abort('SIGTERM')
  expect((await running).code).toBe(0)
})
