/**
 * A whole Posthorn for a test: a database of its own, a dispatcher, a publisher and a receiver, wired as in production.
 * What happens is awaited through the telemetry: no test sleeps.
 */
import { randomBytes } from 'node:crypto'
import { createSender, type Dispatcher, startDispatcher } from '@posthorn/dispatcher'
import {
  createPublisher,
  createResolver,
  type Database,
  type EventDraft,
  newUuid,
  type Occurrence,
  openDatabase,
  openJobs,
  type Publisher,
  parseAllowedReceivers,
  shardOf,
  type World,
} from '@posthorn/engine'
import { createTestDatabase } from '@posthorn/engine/testing'
import { formatSecret, generateSecret, parseSecret } from '@posthorn/signing'
import { type Receiver, type ReceiverOptions, startReceiver } from 'posthorn/receiver'

export const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }

export type TestPosthorn = AsyncDisposable & {
  db: Database
  url: string
  receiver: Receiver
  publisher: Publisher
  /** Starts a dispatcher; it is stopped with the rest. */
  dispatch(options?: { concurrency?: number; drainMs?: number }): Promise<Dispatcher>
  /** Everything that any dispatcher here told, oldest first. */
  told: readonly Occurrence[]
  /** Resolves with the first occurrence, past or future, for which `is` holds. */
  seen<T extends Occurrence>(is: (occurrence: Occurrence) => occurrence is T): Promise<T>
  /** Resolves when so many attempts have been recorded. */
  recorded(count: number): Promise<Extract<Occurrence, { what: 'attempt_recorded' }>[]>
  subscribe(options?: SubscribeOptions): Promise<{ id: string; secret: string; path: string }>
  publish(draft?: Partial<EventDraft>): Promise<Awaited<ReturnType<Publisher['publish']>>>
  /** Makes everything that waits for its time due now, instead of waiting for it. */
  timePasses(): Promise<void>
}

export type SubscribeOptions = {
  tenantId?: string
  eventTypes?: string[]
  url?: string
  retryScheduleSeconds?: number[]
  maxInFlight?: number
  timeoutMs?: number
}

export async function startTestPosthorn(options: ReceiverOptions = {}): Promise<TestPosthorn> {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 5 }))
  const receiver = stack.use(await startReceiver(options))
  const dispatchers: Dispatcher[] = []
  const { told, tell, seen } = listen()
  const publisher = createPublisher({
    db,
    world,
    checkSchema: async () => [],
    createEventTypes: true,
    onWork: (shards) => {
      for (const dispatcher of dispatchers) dispatcher.wake(shards)
    },
  })
  let paths = 0

  return {
    db,
    url: database.url,
    receiver,
    publisher,
    told,
    seen,
    async dispatch({ concurrency = 32, drainMs = 5_000 } = {}) {
      const policy = { allowHttp: true, allowed: parseAllowedReceivers(`127.0.0.1:${receiver.port}`) }
      const sender = createSender({ policy, resolve: createResolver({ timeoutMs: 1_000 }) })
      stack.defer(() => sender.close())
      const jobs = stack.use(
        await openJobs({
          url: database.url,
          mode: 'work',
          onError: (error) => tell({ what: 'round_failed', round: 'jobs', error }),
        }),
      )
      const dispatcher = await startDispatcher({ db, jobs, sender, world, telemetry: tell, concurrency, drainMs })
      stack.defer(() => dispatcher.stop())
      dispatchers.push(dispatcher)
      return dispatcher
    },
    async recorded(count) {
      const isRecorded = (o: Occurrence) => o.what === 'attempt_recorded'
      await seen((o): o is Occurrence => isRecorded(o) && told.filter(isRecorded).length >= count)
      return told.filter((o) => o.what === 'attempt_recorded')
    },
    async subscribe(wanted = {}) {
      const id = newUuid(world)
      const secret = generateSecret((size) => randomBytes(size))
      paths += 1
      const path = `/hooks/${paths}`
      receiver.trust(path, secret)
      const tenantId = wanted.tenantId ?? 'acme'
      await db.prisma.tenant.upsert({ where: { id: tenantId }, create: { id: tenantId }, update: {} })
      await db.prisma.subscription.create({
        data: {
          id,
          tenantId,
          url: wanted.url ?? `${receiver.origin}${path}`,
          eventTypes: wanted.eventTypes ?? ['*'],
          shard: shardOf(id),
          retryScheduleSeconds: wanted.retryScheduleSeconds ?? [],
          maxInFlight: wanted.maxInFlight ?? 10,
          timeoutMs: wanted.timeoutMs ?? 5_000,
          secrets: { create: { id: newUuid(world), tenantId, key: keyBytes(secret) } },
        },
      })
      return { id, secret, path }
    },
    publish: (draft = {}) =>
      publisher.publish({ tenantId: 'acme', type: 'invoice.paid', data: '{"paid":true}', ...draft }),
    async timePasses() {
      await db.prisma.backlog.updateMany({
        where: { ready: false, leasedAt: null },
        data: { nextAttemptAt: new Date(0) },
      })
      await db.prisma.subscription.updateMany({ data: { notBefore: null } })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function keyBytes(secret: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(formatSecret(parseSecret(secret)).slice('whsec_'.length), 'base64'))
}

/** A telemetry that can be awaited. */
function listen() {
  const told: Occurrence[] = []
  const waiters = new Set<(occurrence: Occurrence) => void>()
  return {
    told,
    tell(occurrence: Occurrence): void {
      told.push(occurrence)
      for (const waiter of [...waiters]) waiter(occurrence)
    },
    seen<T extends Occurrence>(is: (occurrence: Occurrence) => occurrence is T): Promise<T> {
      const past = told.find(is)
      if (past !== undefined) return Promise.resolve(past)
      return new Promise((resolve) => {
        waiters.add(function waiter(occurrence) {
          if (!is(occurrence)) return
          waiters.delete(waiter)
          resolve(occurrence)
        })
      })
    },
  }
}
