/**
 * The first minute: everything is started, an event goes the whole way, and the receiver proves that it arrived.
 *
 * Nothing is pretended. The database is PostgreSQL, the event is published by REST, the receiver is a server on another
 * port that verifies with the published package. It fails the first request on purpose, so that a retry is seen.
 */
import { parseId } from '@posthorn/contract'
import { createApiKey, type Parsed, parseAllowedReceivers, version, type World } from '@posthorn/engine'
import type { Host } from '@posthorn/engine/embedded-postgres'
import type { Logger } from 'pino'
import type { demoSettings } from '../config.ts'
import { prepareDatabase, type Serving, startServing } from '../serve.ts'
import { openDemoDatabase } from './database.ts'
import { DemoError } from './demo-error.ts'
import { type Journey, watchJourney } from './journey.ts'
import { demoMasterKeys } from './master-key.ts'
import { type Receiver, startReceiver } from './receiver.ts'
import { type CallApi, eventTypes, receiverPath, setScene, tenant } from './scene.ts'
import type { Transcript } from './transcript.ts'

/** Time enough for a loaded machine, and for the shards of a killed demo to be taken over, in milliseconds. */
const deliveryDeadlineMs = 60_000
const receiverPortsTriedMax = 20
const keyName = 'demo'

export type DemoOptions = {
  settings: Parsed<typeof demoSettings>
  /** Go on with the data of the run before. */
  keep: boolean
  world: World
  logger: Logger
  host: Host
  nodeVersion: string
  tell: Transcript
  /** Aborted when the user has seen enough. */
  stop: AbortSignal
}

export type Demo = {
  /** A command that publishes an event, to be pasted as it is. */
  readonly curl: string
  stop(): Promise<void>
}

/**
 * Runs the demo up to the verified delivery and leaves everything running.
 *
 * @throws DemoError, DemoDatabaseError, EmbeddedPostgresError, MigrationError, DatabaseUnavailable; nothing is left running
 */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { settings, world, tell } = options
  if (settings.NODE_ENV === 'production') {
    throw new DemoError('the demo does not run with NODE_ENV=production. For a real installation: posthorn serve')
  }
  const startedAtMs = world.now()
  await using stack = new AsyncDisposableStack()
  tell({
    kind: 'version',
    text: [`posthorn ${version}   demo: local, safe to stop with Ctrl+C`, ''],
    fields: { version },
  })
  tell({ kind: 'ready', part: 'node', text: options.nodeVersion })
  const database = await openDemoDatabase({
    url: settings.DATABASE_URL,
    dataDir: settings.POSTHORN_DATA_DIR,
    keep: options.keep,
    host: options.host,
    migrate: (url) => prepareDatabase(url, new Date(world.now())),
  })
  stack.defer(database.stop)
  const masterKeys = await demoMasterKeys({
    given: settings.POSTHORN_MASTER_KEY,
    dataDir: settings.POSTHORN_DATA_DIR,
    host: options.host,
    world,
  })
  tell({ kind: 'ready', part: 'database', text: database.text, tookMs: world.now() - startedAtMs })

  const journey = watchJourney(tell)
  const receiver = stack.use(await receiverOnFreePort(settings.PORT === 0 ? 0 : settings.PORT + 1, journey))
  const serving = await startServing({
    role: 'all',
    settings: {
      ...settings,
      DATABASE_URL: database.url,
      POSTHORN_MASTER_KEY: masterKeys,
      // The guard stays on; the demo's own receiver is one exception more.
      POSTHORN_ALLOWED_RECEIVERS: [
        ...settings.POSTHORN_ALLOWED_RECEIVERS,
        ...parseAllowedReceivers(`127.0.0.1:${receiver.port}`),
      ],
    },
    world,
    logger: options.logger,
    telemetry: journey.hear,
    portMoves: true,
  })
  stack.defer(serving.stop)
  const origin = serving.origin ?? ''
  tellParts(options, origin, receiver)

  const key = await newKey(serving, world)
  const call = apiCaller(origin, key)
  await forgetEarlierKeys(call)
  const { subscriptionId } = await setScene(call, receiver)
  tellScene(tell, subscriptionId, key)

  const data = { order_id: 'ord_1', total: 1200 }
  const { id } = await call('POST', '/v1/events', { tenant, type: 'order.created', keys: { order: 'ord_1' }, data })
  await delivered(journey, String(id), options.stop)
  const seconds = Math.round((world.now() - startedAtMs) / 100) / 10
  tell({
    kind: 'verified',
    text: [`First signed delivery ${seconds} s after start.`],
    fields: { event: id, verified: true, seconds },
  })

  const running = stack.move()
  return { curl: publishCommand(origin, key), stop: () => running.disposeAsync() }
}

async function receiverOnFreePort(first: number, { answer }: Journey): Promise<Receiver> {
  for (let port = first; port < first + receiverPortsTriedMax; port += 1) {
    try {
      return await startReceiver({ port, answer })
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!taken) throw error
    }
  }
  return startReceiver({ answer })
}

function tellParts({ settings, tell }: DemoOptions, origin: string, receiver: Receiver): void {
  const port = new URL(origin).port
  if (port !== String(settings.PORT)) {
    tell({ kind: 'notice', text: `port ${settings.PORT} is taken; using ${port} instead (set PORT to choose)` })
  }
  tell({ kind: 'ready', part: 'api', text: `${origin}   docs at /docs`, url: origin })
  tell({ kind: 'ready', part: 'dispatcher', text: `${settings.POSTHORN_CONCURRENCY} attempts at once` })
  const hooks = `${receiver.origin}${receiverPath}`
  tell({ kind: 'ready', part: 'receiver', text: `${hooks}   verifies signatures`, url: hooks })
  tell({ kind: 'notice', text: `private addresses are blocked; the demo allows 127.0.0.1:${receiver.port} only` })
}

function tellScene(tell: Transcript, subscription: string, key: string): void {
  tell({
    kind: 'scene',
    text: [
      `tenant        ${tenant}`,
      `event types   ${eventTypes.join(', ')}`,
      `subscription  ${subscription}`,
      `API key       ${key}   (this run only)`,
      '',
    ],
    fields: { tenant, event_types: eventTypes, subscription, api_key: key },
  })
}

async function newKey({ db }: Serving, world: World): Promise<string> {
  const { key } = await createApiKey({ db, world }, { name: keyName, role: 'admin', tenantId: null, expiresAt: null })
  return key
}

/** No key that an earlier run printed works any more. */
async function forgetEarlierKeys(call: CallApi): Promise<void> {
  const { data } = await call('GET', '/v1/api-keys?limit=250')
  const keys: { id: string; name: string; revoked_at: string | null }[] = Array.isArray(data) ? data : []
  // Newest first: the first one is this run's.
  for (const { id } of keys.filter((one) => one.name === keyName && one.revoked_at === null).slice(1)) {
    await call('DELETE', `/v1/api-keys/${id}`)
  }
}

function apiCaller(origin: string, key: string): CallApi {
  return async (method, path, body) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const response = await fetch(origin + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: unknown = response.status === 204 ? {} : await response.json()
    if (answer === null || typeof answer !== 'object')
      throw new DemoError(`${method} ${path} was answered with ${response.status}`)
    if (!response.ok) throw new DemoError(`${method} ${path}: ${'detail' in answer ? answer.detail : response.status}`)
    return { ...answer }
  }
}

/** Waits for the event to arrive, for the deadline, or for the user's patience to end. */
async function delivered(journey: Journey, event: string, stop: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(deliveryDeadlineMs)
  const ended = Promise.withResolvers<void>()
  const late = `the event was not delivered within ${deliveryDeadlineMs / 1000} s; the lines above say how far it came`
  deadline.addEventListener('abort', () => ended.reject(new DemoError(late)), { once: true })
  stop.addEventListener('abort', () => ended.resolve(), { once: true })
  await Promise.race([journey.arrived(parseId('event', event) ?? ''), ended.promise])
}

function publishCommand(origin: string, key: string): string {
  return [
    `curl ${origin}/v1/events -H 'authorization: Bearer ${key}' \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '{"tenant":"${tenant}","type":"order.paid","keys":{"order":"ord_42"},"data":{"order_id":"ord_42"}}'`,
  ].join('\n')
}
