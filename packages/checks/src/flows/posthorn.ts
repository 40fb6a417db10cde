/**
 * A whole Posthorn for a test: a database of its own, dispatchers, a publisher and a receiver, wired as in production.
 * What happens is awaited through the telemetry and the receiver: no test sleeps.
 */
import { randomBytes } from 'node:crypto'
import { formatId, uuidV7 } from '@posthorn/contract'
import { createSender, type Dispatcher, startDispatcher } from '@posthorn/dispatcher'
import {
  createPublisher,
  createResolver,
  createSchemaCheck,
  createTransforms,
  createUrlCheck,
  type Database,
  type EventDraft,
  type Jobs,
  newUuid,
  type Occurrence,
  openDatabase,
  openJobs,
  type Publisher,
  parseAllowedReceivers,
  parseEgressProxy,
  patchSubscription,
  type Seal,
  type SubscriptionPatch,
  sealSecret,
  shardOf,
  type Transforms,
  type World,
} from '@posthorn/engine'
import { createTestDatabase, testSeal } from '@posthorn/engine/testing'
import { formatSecret, generateSecret, parseSecret } from '@posthorn/signing'
import { type ReceivedRequest, type Receiver, type ReceiverOptions, startReceiver } from 'posthorn/receiver'
import { createSignals } from './signals.ts'

export const world: World = { now: () => Date.now(), randomBytes: (count) => randomBytes(count) }

/** Seals the credentials of subscriptions here. */
/** Seals and opens here, as in every test. */
export const seal = testSeal

/** The `source` of what is sent here as CloudEvents: with a percent sign, which a header must escape. */
export const eventSource = 'https://posthorn.test/a%20b'

export const origin = { source: eventSource, publicUrl: 'https://posthorn.test' }

export type Recorded = Extract<Occurrence, { what: 'attempt_recorded' }>

export type TestDispatcher = Dispatcher & {
  /** What this dispatcher told, oldest first. */
  readonly told: readonly Occurrence[]
  /** The shards it owns now. */
  readonly shards: readonly number[]
  readonly jobs: Jobs
  /** Ends as `stop` does, and closes everything of its own. */
  leave(): Promise<void>
}

export type TestPosthorn = AsyncDisposable & {
  db: Database
  url: string
  receiver: Receiver
  publisher: Publisher
  transforms: Transforms
  /** Starts a dispatcher; it is stopped with the rest. With `ownDatabase` it has connections of its own. */
  dispatch(options?: DispatchOptions): Promise<TestDispatcher>
  /** Everything that any dispatcher here told, oldest first. */
  readonly told: readonly Occurrence[]
  /** Every attempt that any dispatcher here recorded, oldest first. */
  readonly attempts: readonly Recorded[]
  /** Resolves with what `look` finds, now or after a dispatcher told something or a request arrived. */
  until<T>(look: () => T | undefined | false): Promise<T>
  /** Resolves when so many attempts have been recorded. */
  recorded(count: number): Promise<readonly Recorded[]>
  /** Resolves when so many requests have arrived. */
  received(count: number): Promise<readonly ReceivedRequest[]>
  subscribe(options?: SubscribeOptions): Promise<TestSubscription>
  subscribeMany(count: number, options?: SubscribeOptions): Promise<TestSubscription[]>
  /** Changes a subscription as the API does. */
  change(subscription: TestSubscription, patch: SubscriptionPatch): Promise<void>
  /** What publishing would do, shown as this Posthorn sends it. */
  dryRun(draft: EventDraft): ReturnType<Publisher['dryRun']>
  publish(draft?: Partial<EventDraft>): Promise<Awaited<ReturnType<Publisher['publish']>>>
  /** Makes everything that waits for its time due now, instead of waiting for it. */
  timePasses(): Promise<void>
  /** Ends every lease now, as if its time were over. */
  leasesRunOut(): Promise<void>
}

export type DispatchOptions = {
  concurrency?: number
  drainMs?: number
  ownDatabase?: boolean
  /** When an attempt without an answer is late, in milliseconds. Never within a test, unless it says so. */
  lateAfterMs?: number
  /** The port of another receiver on this machine that may be sent to. */
  otherPort?: number
  /** In place of the one that seals here. */
  seal?: Seal
  /** The proxy that everything leaves through, as it would be set. */
  proxy?: string
  /** Who is told what happens to the others' subscriptions; the tenant `posthorn` when left out. */
  operatorTenant?: string
  /** How long nothing but failure is put up with, in milliseconds; five days when left out. */
  disableAfterMs?: number
}

export type TestSubscription = { id: string; secret: string; path: string; shard: number }

export type SubscribeOptions = {
  tenantId?: string
  eventTypes?: string[]
  /** JSON. */
  filter?: string
  url?: string
  retryScheduleSeconds?: number[]
  maxInFlight?: number
  timeoutMs?: number
  rateLimitPerSecond?: number
  ordered?: boolean
  forwardTraceparent?: boolean
  /** The shard it is in; by chance otherwise. */
  shard?: number
}

export async function startTestPosthorn(options: ReceiverOptions = {}): Promise<TestPosthorn> {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 5 }))
  const { notify, until } = createSignals()
  const receiver = stack.use(await startReceiver({ ...options, answer: noticed(options.answer, notify) }))
  const told: Occurrence[] = []
  const attempts: Recorded[] = []
  const dispatchers: Dispatcher[] = []
  const transforms = createTransforms()
  stack.defer(() => transforms.close())
  const publisher = createPublisher({
    db,
    world,
    checkSchema: createSchemaCheck({ db }),
    createEventTypes: true,
    onWork: (shards, due) => {
      for (const dispatcher of dispatchers) dispatcher.wake(shards, due)
    },
  })
  let paths = 0

  function tell(occurrence: Occurrence): void {
    told.push(occurrence)
    if (occurrence.what === 'attempt_recorded') attempts.push(occurrence)
    notify()
  }

  async function dispatch(wanted: DispatchOptions = {}): Promise<TestDispatcher> {
    const {
      concurrency = 32,
      drainMs = 5_000,
      lateAfterMs = 3_600_000,
      ownDatabase = false,
      otherPort = receiver.port,
      seal: opensWith = testSeal,
      operatorTenant = 'posthorn',
      disableAfterMs = 5 * 86_400_000,
    } = wanted
    await using own = new AsyncDisposableStack()
    const ownTold: Occurrence[] = []
    const telemetry = (occurrence: Occurrence): void => {
      ownTold.push(occurrence)
      tell(occurrence)
    }
    const policy = {
      allowHttp: true,
      allowed: parseAllowedReceivers(`127.0.0.1:${receiver.port},127.0.0.1:${otherPort}`),
    }
    const proxy = wanted.proxy === undefined ? undefined : parseEgressProxy(wanted.proxy)
    const sender = createSender({ policy, resolve: createResolver({ timeoutMs: 1_000 }), proxy })
    own.defer(() => sender.close())
    const ownDb = ownDatabase ? own.use(openDatabase({ url: database.url, poolSize: 5 })) : db
    const onError = (error: Error): void => telemetry({ what: 'round_failed', round: 'jobs', error })
    const jobs = own.use(await openJobs({ url: database.url, mode: 'work', onError }))
    const means = { seal: opensWith, origin }
    const limits = { concurrency, drainMs, lateAfterMs, operatorTenant, disableAfterMs }
    const parties = { db: ownDb, jobs, seal: opensWith, sender, means, transforms }
    const dispatcher = await startDispatcher({ ...parties, publisher, world, telemetry, ...limits })
    own.defer(() => dispatcher.stop())
    dispatchers.push(dispatcher)
    const parts = stack.use(own.move())
    return {
      ...dispatcher,
      told: ownTold,
      jobs,
      get shards() {
        return ownTold.findLast((o) => o.what === 'shards_owned')?.shards ?? []
      },
      leave: () => parts.disposeAsync(),
    }
  }

  async function subscribeMany(count: number, wanted: SubscribeOptions = {}): Promise<TestSubscription[]> {
    const { tenantId = 'acme', url, eventTypes = ['*'], retryScheduleSeconds = [] } = wanted
    const { maxInFlight = 10, timeoutMs = 5_000 } = wanted
    const made = Array.from({ length: count }, () => {
      const id = subscriptionId(wanted.shard)
      paths += 1
      return { id, secret: generateSecret((size) => randomBytes(size)), path: `/hooks/${paths}`, shard: shardOf(id) }
    })
    await db.prisma.tenant.createMany({ data: { id: tenantId }, skipDuplicates: true })
    await db.prisma.subscription.createMany({
      data: made.map(({ id, path, shard }) => ({
        id,
        tenantId,
        url: url ?? `${receiver.origin}${path}`,
        eventTypes,
        filter: wanted.filter ?? null,
        shard,
        retryScheduleSeconds,
        maxInFlight,
        timeoutMs,
        rateLimitPerSecond: wanted.rateLimitPerSecond ?? null,
        ordered: wanted.ordered ?? false,
        forwardTraceparent: wanted.forwardTraceparent ?? false,
      })),
    })
    await db.prisma.secret.createMany({
      data: made.map(({ id, secret }) => {
        const owner = { tenantId, subscriptionId: id }
        return { ...owner, ...sealedKey(owner, secret) }
      }),
    })
    for (const { path, secret } of made) receiver.trust(path, secret)
    return made
  }

  async function subscribe(wanted?: SubscribeOptions): Promise<TestSubscription> {
    const [subscription] = await subscribeMany(1, wanted)
    if (subscription === undefined) throw new Error('One subscription was asked for and none was made')
    return subscription
  }

  async function change({ id }: TestSubscription, patch: SubscriptionPatch): Promise<void> {
    await using jobs = await openJobs({ url: database.url, mode: 'send', onError: () => undefined })
    const policy = { allowHttp: true, allowed: parseAllowedReceivers(`127.0.0.1:${receiver.port}`) }
    const checkUrl = createUrlCheck(policy, createResolver({ timeoutMs: 1_000 }))
    await patchSubscription({ db, world, jobs, checkUrl, seal, transforms }, id, undefined, patch)
  }

  return {
    db,
    url: database.url,
    receiver,
    publisher,
    transforms,
    told,
    attempts,
    dispatch,
    subscribe,
    subscribeMany,
    change,
    until,
    async recorded(count) {
      await until(() => attempts.length >= count)
      return attempts
    },
    async received(count) {
      await until(() => receiver.requests.length >= count)
      return receiver.requests
    },
    dryRun: (draft) => publisher.dryRun(draft, { transforms, origin }),
    publish: (draft = {}) =>
      publisher.publish({ tenantId: 'acme', type: 'invoice.paid', data: '{"paid":true}', ...draft }),
    async timePasses() {
      await db.prisma.backlog.updateMany({
        where: { ready: false, leasedAt: null },
        data: { nextAttemptAt: new Date(0) },
      })
      await db.prisma.subscription.updateMany({ data: { notBefore: null } })
    },
    async leasesRunOut() {
      await db.prisma.backlog.updateMany({
        where: { leasedAt: { not: null } },
        data: { nextAttemptAt: new Date(0) },
      })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** The `webhook-id` under which an event is sent. */
export function sentId(eventId: string): string {
  return formatId('event', eventId)
}

/** A secret as a row of a subscription: with an id of its own, and sealed. */
export function sealedKey(owner: { tenantId: string; subscriptionId: string }, secret: string, seal = testSeal) {
  const id = newUuid(world)
  const key = Buffer.from(formatSecret(parseSecret(secret)).slice('whsec_'.length), 'base64')
  return { id, tenantId: owner.tenantId, ...sealSecret(seal, key, { id, ...owner, scheme: 'v1' }) }
}

function noticed(answer: ReceiverOptions['answer'], notify: () => void): NonNullable<ReceiverOptions['answer']> {
  return (request) => {
    notify()
    return answer === undefined ? { status: 204 } : answer(request)
  }
}

/** A new id, in the wanted shard. */
function subscriptionId(shard: number | undefined): string {
  const bytes = world.randomBytes(10)
  if (shard !== undefined) bytes[9] = shard
  return uuidV7(world.now(), bytes)
}
