/**
 * Puts the processes together: the API, a dispatcher, or both in one, over one database.
 *
 * What starts first stops last: requests end before the dispatcher drains, and the database closes behind both.
 */
import { buildApi, listenApi } from '@posthorn/api'
import { createSender, type Dispatcher, type PassFailpoint, startDispatcher } from '@posthorn/dispatcher'
import {
  type AddressPolicy,
  ConfigurationError,
  createMetrics,
  createPublisher,
  createResolver,
  createSchemaCheck,
  createSeal,
  createTransforms,
  createWorkHints,
  type Database,
  type DueWork,
  ensureOperator,
  ensurePartitions,
  eventOrigin,
  findUnreadable,
  installJobs,
  logTo,
  migrate,
  openDatabase,
  openJobs,
  type Parsed,
  rewrapSecrets,
  type Seal,
  type Telemetry,
  type World,
} from '@posthorn/engine'
import type { Logger } from 'pino'
import type { serveSettings } from './config.ts'
import { listenMetrics } from './metrics-listener.ts'

export const roles = ['all', 'api', 'dispatcher'] as const
export type Role = (typeof roles)[number]

/** A name server that does not answer within this time counts as one that knows nothing, in milliseconds. */
const resolveTimeoutMs = 5_000

/** Without these nothing can be served. */
export type Needed = { DATABASE_URL: string; POSTHORN_MASTER_KEY: readonly Uint8Array[] }

export type ServeOptions = {
  role: Role
  /** The settings, with the database and the master keys that they may lack. */
  settings: Omit<Parsed<typeof serveSettings>, keyof Needed> & Needed
  world: World
  logger: Logger
  /** Told of everything beside the log. */
  telemetry?: Telemetry
  /** For tests that end the process at a certain place. */
  failpoint?: PassFailpoint | undefined
  /** A taken port moves on to the next free one instead of being an error. */
  portMoves?: boolean
}

export type Serving = {
  db: Database
  /** Where the API listens; undefined in the role `dispatcher`. */
  origin: string | undefined
  /** Ends everything, letting requests and attempts in flight finish. */
  stop(): Promise<void>
}

/** Brings the database to this version's schema. Any number of processes may do so at once. */
export async function prepareDatabase(url: string, now: Date): Promise<{ applied: readonly string[] }> {
  const { applied } = await migrate(url)
  await installJobs(url)
  await using db = openDatabase({ url, poolSize: 1 })
  await ensurePartitions(db.pool, { now })
  return { applied }
}

/**
 * Starts what the role asks for, over a database that is prepared.
 *
 * @throws ConfigurationError when no secret in the database can be opened: the master key is another one; and when its port
 *   is taken or not allowed
 */
export async function startServing(options: ServeOptions): Promise<Serving> {
  const { role, settings, world, logger } = options
  await using stack = new AsyncDisposableStack()
  // What happens before there is a database to count in is told to the log alone.
  let count: Telemetry = () => undefined
  const telemetry = together(logTo(logger), (occurrence) => count(occurrence), options.telemetry)
  const url = settings.DATABASE_URL
  const onJobsError = (error: Error) => telemetry({ what: 'round_failed', round: 'jobs', error })

  const db = stack.use(
    openDatabase({
      url,
      poolSize: settings.POSTHORN_DATABASE_CONNECTIONS,
      onIdleError: (error) => telemetry({ what: 'round_failed', round: 'idle connection', error }),
    }),
  )
  const metrics = createMetrics(db)
  count = metrics.telemetry
  const proxy = settings.POSTHORN_EGRESS_PROXY
  const namesLeftToProxy = settings.POSTHORN_EGRESS_PROXY_RESOLVES
  const seal = createSeal(settings.POSTHORN_MASTER_KEY, world)
  await readySecrets({ db, seal, telemetry })
  await ensureOperator(db, settings.POSTHORN_OPERATOR_TENANT)
  const policy: AddressPolicy = {
    allowHttp: settings.POSTHORN_ALLOW_HTTP,
    allowed: settings.POSTHORN_ALLOWED_RECEIVERS,
    blocked: settings.POSTHORN_BLOCKED_RECEIVERS,
    // A delivery to ourselves would publish the next one.
    namesLeftToProxy,
    ownHosts: settings.POSTHORN_PUBLIC_URL === undefined ? [] : [new URL(settings.POSTHORN_PUBLIC_URL).host],
  }
  const resolve = createResolver({ timeoutMs: resolveTimeoutMs })
  const jobs = stack.use(await openJobs({ url, mode: role === 'api' ? 'send' : 'work', onError: onJobsError }))

  const transforms = createTransforms({ processes: settings.POSTHORN_TRANSFORM_PROCESSES })
  stack.defer(() => transforms.close())

  let dispatcher: Dispatcher | undefined
  const hints = createWorkHints(db)
  // What this process owns itself needs no NOTIFY.
  const onWork = (shards: Iterable<number>, due?: readonly DueWork[]) =>
    hints.tell(dispatcher?.wake(shards, due) ?? shards)
  const publisher = createPublisher({
    db,
    world,
    checkSchema: createSchemaCheck({ db }),
    createEventTypes: settings.POSTHORN_CREATE_EVENT_TYPES,
    createTenants: settings.POSTHORN_CREATE_TENANTS,
    onWork,
  })
  if (role !== 'api') {
    const sender = createSender({ policy, resolve, proxy })
    stack.defer(() => sender.close())
    dispatcher = await startDispatcher({
      db, jobs, seal, sender, world, telemetry, publisher,
      means: { seal, origin: eventOrigin(settings) },
      transforms,
      operatorTenant: settings.POSTHORN_OPERATOR_TENANT,
      disableAfterMs: settings.POSTHORN_DISABLE_AFTER_HOURS * 3_600_000,
      retention: {
        retentionDays: settings.POSTHORN_RETENTION_DAYS,
        auditRetentionDays: settings.POSTHORN_AUDIT_RETENTION_DAYS,
      },
      concurrency: settings.POSTHORN_CONCURRENCY,
      drainMs: settings.POSTHORN_DRAIN_SECONDS * 1000,
      ...(options.failpoint === undefined ? {} : { failpoint: options.failpoint }),
    }) // biome-ignore format: what is used, then how much of it
    stack.defer(dispatcher.stop)
  }

  let origin: string | undefined
  if (role !== 'dispatcher') {
    stack.defer(() => publisher.idle())
    const parties = { db, world, jobs, publisher, onWork, policy, resolve, seal, transforms, metrics }
    const app = await buildApi({ ...parties, logger, settings })
    stack.defer(() => app.close())
    const place = { host: settings.HOST, port: settings.PORT, moves: options.portMoves ?? false }
    origin = await listenApi(app, place).catch(portRefused('PORT', place))
  }

  if (role === 'dispatcher' && settings.POSTHORN_METRICS_PORT !== undefined) {
    const place = { host: settings.HOST, port: settings.POSTHORN_METRICS_PORT }
    const listener = await listenMetrics(metrics, place).catch(portRefused('POSTHORN_METRICS_PORT', place))
    stack.use(listener)
    logger.info({ origin: listener.origin }, 'metrics are served')
  }

  const parts = stack.move()
  return { db, origin, stop: () => parts.disposeAsync() }
}

/**
 * Seals what was stored before there was sealing, and says what cannot be opened. If that is everything, the start ends
 * here: with a wrong master key nothing could be sent, and what is made meanwhile would be sealed with it.
 */
async function readySecrets(parts: { db: Database; seal: Seal; telemetry: Telemetry }): Promise<void> {
  const { unreadable, anyReadable } = await findUnreadable(parts)
  if (unreadable.length > 0 && !anyReadable) {
    const [needed, given] = [unreadable.map((one) => one.masterKeyId), parts.seal.ids]
    throw new ConfigurationError([
      {
        variable: 'POSTHORN_MASTER_KEY',
        problem: `opens none of the secrets in the database: they are sealed with the master key ${needed.join(', ')}, and given was ${given.join(', ')}. Give that key too, behind a comma`,
      },
    ])
  }
  for (const one of unreadable) parts.telemetry({ what: 'secrets_unreadable', ...one })
  await rewrapSecrets(parts, 'plain')
}

/** Says of the system's refusal to listen which setting is to be changed. Everything else goes on as it is. */
function portRefused(variable: string, { host, port }: { host: string; port: number }) {
  return (error: unknown): never => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const reason = listenRefusals.get(code)
    if (reason === undefined) throw error
    throw new ConfigurationError([{ variable, problem: `is ${port}, and ${reason} (HOST is ${host})` }])
  }
}

const listenRefusals: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'another process listens there already: end that one, or give another port; 0 is any free one'],
  ['EACCES', 'this user may not listen there: give a port from 1024 on'],
])

function together(...all: readonly (Telemetry | undefined)[]): Telemetry {
  return (occurrence) => {
    for (const one of all) one?.(occurrence)
  }
}
