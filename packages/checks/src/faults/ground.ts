/**
 * What every fault stands on: a database, a receiver that counts, processes of Posthorn, subscriptions made through the
 * API, and the row that comes of it all.
 */
import { randomBytes } from 'node:crypto'
import { withClient } from '@posthorn/engine/testing'
import type { FaultParts, FaultRow } from './fault.ts'
import { type Load, type LoadOptions, startLoad } from './load.ts'
import { type PosthornProcess, type PosthornProcessOptions, startPosthornProcess } from './posthorn-process.ts'
import { startTally, type Tally, type TallyOptions } from './tally.ts'

/** Nothing that is waited for takes longer than this, in milliseconds, unless a fault says so. */
const patienceMs = 120_000
/** Of many requests, so many at a time must come within the patience. */
const manyStep = 5_000
const hastenEveryMs = 500
/** So many looks that found nothing new: 8 s. On a busy machine outcomes of requests that were made come as late as that. */
const quietLooks = 16
/** How often it is looked for what is waited for: seldom enough to look through many events. */
const lookEveryMs = 20
const lookForAllEveryMs = 250
/** Time-out of the subscriptions, in milliseconds. Leases last 15 s longer. */
const timeoutMs = 10_000

export type Ground = AsyncDisposable & {
  readonly url: string
  readonly tally: Tally
  /** Runs one statement on a connection of its own. */
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>
  /** Starts a process, which ends with the ground: a dispatcher, unless a role is given. */
  serve(options?: ServeOptions): PosthornProcess
  /** Starts a process with an API and waits until it is up. */
  serveApi(options?: ServeOptions): Promise<ApiProcess>
  /** Makes tenants `<name>-0` and so on, with one subscription each, through an API that is up. */
  subscribe(api: ApiProcess, options: SubscribeOptions): Promise<readonly string[]>
  load(api: ApiProcess, options: Omit<LoadOptions, 'origin' | 'adminKey' | 'tally'>): Load
  /** Resolves with what `look` finds within a moment, and rejects when it takes too long. */
  until<T>(what: string, look: () => T | undefined | false): Promise<T>
  /** As `more`, for so many that they may take long: it rejects when there is no progress. */
  manyMore(requests: number): Promise<void>
  /** Rejects when a promise takes too long. */
  soon<T>(what: string, promise: Promise<T>): Promise<T>
  /** Resolves when so many more requests have come. */
  more(requests: number): Promise<void>
  /** Deliveries that were claimed since then, by the clock of the database, and are not recorded. */
  inFlight(since: Date): Promise<number>
  databaseTime(): Promise<Date>
  /** Waits until every subscription got an event that was published after this moment. */
  recovered(loads: readonly Counted[], overAtMs: number): Promise<void>
  /**
   * After a kill, in the short form: ends the leases at once and frees the shards. In the long one leases run out, and the
   * dead one's shards are taken from it.
   */
  skipWaiting(): Promise<void>
  /** Waits until everything acknowledged has come and is recorded, and makes the row. */
  row(options: RowOptions): Promise<FaultRow>
}

/** A process whose API is up. */
export type ApiProcess = PosthornProcess & {
  readonly origin: string
  /** Opens everything. */
  readonly adminKey: string
}

type ServeOptions = Omit<PosthornProcessOptions, 'url' | 'receiverPort' | 'adminKey'>

export type SubscribeOptions = {
  name: string
  count: number
  maxInFlight?: number
  retryScheduleSeconds?: readonly number[]
  ordered?: boolean
}

/** What a row is counted from. */
export type Counted = Pick<Load, 'publications' | 'answers'>

export type RowOptions = {
  fault: string
  loads: readonly Counted[]
  /** When the fault was over, or a process was killed, by `performance.now()`. Of several the slowest recovery counts. */
  overAtMs?: number | readonly number[]
  /** Whose subscriptions must recover; all that are counted, when left out. */
  recovering?: readonly Counted[]
  duplicatesAllowed?: number
  notes?: readonly string[]
  wrong?: readonly string[]
  /** Answers of the API that may be among those of the load, beside 200 and 202. */
  answersAllowed?: readonly string[]
  /**
   * In the short form, leases that are held without a request run out at once: claims whose answers got lost with their
   * connection.
   */
  hasten?: boolean
}

export async function openGround(parts: FaultParts, url: string, options: TallyOptions = {}): Promise<Ground> {
  await using stack = new AsyncDisposableStack()
  const tally = stack.use(await startTally(options))
  const adminKey = `phk_${randomBytes(20).toString('hex')}`
  const own = stack.move()

  const ground: Ground = {
    url,
    tally,
    sql: (text, values) =>
      withClient(url, async (client) => {
        client.on('error', () => undefined) // the query rejects with it
        const { rows } = await client.query(text, values)
        return rows
      }),
    serve: (wanted = {}) => own.use(startPosthornProcess({ url, receiverPort: tally.port, adminKey, ...wanted })),
    async serveApi(wanted = {}) {
      const served = ground.serve({ role: 'api', ...wanted })
      const origin = await within(
        patienceMs,
        parts.stop,
        'the API',
        served.until(() => served.origin),
      )
      return Object.create(served, { origin: { value: origin }, adminKey: { value: adminKey } })
    },
    subscribe: (api, wanted) => subscribe({ adminKey, tally }, api.origin, wanted),
    load(api, wanted) {
      const load = own.use(startLoad({ origin: api.origin, adminKey, tally, ...wanted }))
      const finish = () => within(patienceMs, parts.stop, 'every publish to be accepted', load.finish())
      return Object.create(load, { finish: { value: finish } })
    },
    until: (what, look) => looking(patienceMs, parts.stop, what, look),
    soon: (what, promise) => within(patienceMs, parts.stop, what, promise),
    async more(requests) {
      const enough = tally.requests + requests
      await ground.until(`${requests} more requests`, () => tally.requests >= enough)
    },
    async manyMore(requests) {
      const enough = tally.requests + requests
      while (tally.requests < enough) await ground.more(Math.min(manyStep, enough - tally.requests))
    },
    async inFlight(since) {
      const text = 'select count(*)::int as n from backlog where leased_at >= $1'
      const [row] = await ground.sql<{ n: number }>(text, [since])
      return row?.n ?? 0
    },
    async databaseTime() {
      const [row] = await ground.sql<{ now: Date }>('select now()')
      if (row === undefined) throw new Error('the database has no time')
      return row.now
    },
    async recovered(loads, overAtMs) {
      await ground.until('recovery', () => recoveredMs(tally, loads, overAtMs) !== null)
    },
    async skipWaiting() {
      if (parts.size === 'long') return
      await ground.sql(`update backlog set next_attempt_at = 'epoch' where leased_at is not null`)
      await ground.sql('delete from dispatcher')
      await ground.sql(`delete from pgboss.job where name = 'dispatch-shard'`)
    },
    row: (wanted) => rowOf(ground, parts, wanted),
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  }
  return ground
}

async function subscribe(
  { adminKey, tally }: { adminKey: string; tally: Tally },
  origin: string,
  { name, count, maxInFlight = 10, retryScheduleSeconds, ordered = false }: SubscribeOptions,
): Promise<readonly string[]> {
  async function call(method: string, path: string, body: unknown): Promise<Record<string, unknown>> {
    const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    const response = await fetch(`${origin}/v1${path}`, { method, headers, body: JSON.stringify(body) })
    const answer = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${answer}`)
    return JSON.parse(answer)
  }
  const tenants = Array.from({ length: count }, (_, index) => `${name}-${index}`)
  for (const tenant of tenants) {
    const path = `/${tenant}`
    await call('PUT', `/tenants/${tenant}`, {})
    const { secret } = await call('POST', `/tenants/${tenant}/subscriptions`, {
      url: `http://127.0.0.1:${tally.port}${path}`,
      event_types: ['*'],
      timeout_ms: timeoutMs,
      max_in_flight: maxInFlight,
      ordered,
      ...(retryScheduleSeconds === undefined ? {} : { retry_schedule_seconds: retryScheduleSeconds }),
    })
    tally.trust(path, String(secret))
  }
  return tenants
}

async function rowOf(ground: Ground, { size, stop }: FaultParts, options: RowOptions): Promise<FaultRow> {
  const { tally } = ground
  const { fault, loads, recovering = loads, duplicatesAllowed = 0, overAtMs, notes = [], answersAllowed = [] } = options
  const wrong: string[] = [...(options.wrong ?? [])]
  const events = loads.flatMap((load) => [...load.publications])
  const acknowledged = events.filter(([, { acknowledgedMs }]) => acknowledgedMs !== undefined)
  const missing = () => acknowledged.filter(([number]) => !tally.arrivals.has(number)).length
  const rest = options.hasten && size === 'short' ? startHastening(ground) : () => undefined
  try {
    await allCome(
      ground,
      stop,
      acknowledged.map(([number]) => number),
    )
    await recorded(ground)
  } catch (error) {
    wrong.push(String(error))
  } finally {
    rest()
  }
  for (const load of loads) {
    for (const [status, count] of load.answers) {
      if (!['200', '202', ...answersAllowed].includes(status)) wrong.push(`${count} publishes were answered ${status}`)
    }
  }
  const lost = missing()
  return {
    fault,
    published: acknowledged.length,
    delivered: acknowledged.length - lost,
    lost,
    duplicated: events.reduce((sum, [number]) => sum + Math.max(0, (tally.arrivals.get(number)?.times ?? 0) - 1), 0),
    duplicatesAllowed,
    recoveredMs: slowest([overAtMs ?? []].flat().map((atMs) => recoveredMs(tally, recovering, atMs))),
    notes,
    wrong: [...wrong, ...tally.wrong.slice(0, 5)],
  }
}

/** Waits until all of them have come and nothing is answered any more. Patient as long as there is progress. */
async function allCome({ tally }: Ground, stop: AbortSignal, numbers: readonly number[]): Promise<void> {
  let missing = numbers
  while (missing.length > 0 || tally.open > 0) {
    const before = missing.length
    await looking(
      patienceMs,
      stop,
      `${before} that were acknowledged`,
      () => {
        missing = missing.filter((number) => !tally.arrivals.has(number))
        return missing.length < before || (before === 0 && tally.open === 0)
      },
      lookForAllEveryMs,
    )
  }
}

/**
 * Ends leases that are held without a request, once it has been quiet for so long that nothing can be under way: no
 * request came, and nothing was recorded.
 */
function startHastening({ sql, tally }: Ground): () => void {
  let before = ''
  let quiet = 0
  async function look(): Promise<void> {
    const [row] = await sql<{ leased: number; attempts: number }>(
      `select (select count(*)::int from backlog where leased_at is not null) as leased,
              (select count(*)::int from attempt) as attempts`,
    )
    const now = JSON.stringify([tally.requests, tally.open, row])
    quiet = now === before ? quiet + 1 : 0
    before = now
    if (quiet < quietLooks || tally.open > 0) return
    await sql(`update backlog set next_attempt_at = 'epoch' where leased_at is not null`)
  }
  // A look that failed is made again at the next beat.
  const timer = setInterval(() => void look().catch(() => undefined), hastenEveryMs)
  return () => clearInterval(timer)
}

function slowest(all: readonly (number | null)[]): number | null {
  return all.reduce<number | null>(
    (most, one) => (most === null || one === null ? one : Math.max(most, one)),
    all[0] ?? null,
  )
}

/** Waits until nothing is left to do. */
async function recorded(ground: Ground): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const [row] = await ground.sql<{ n: number }>('select count(*)::int as n from backlog')
    if (row?.n === 0) return
    if (performance.now() > deadline) throw new Error(`${row?.n} deliveries came and are not recorded`)
  }
}

/** The longest wait of a subscription for an event that was published after the fault; null when one got none. */
function recoveredMs(tally: Tally, loads: readonly Counted[], overAtMs: number): number | null {
  const firstAt = new Map<string, number>()
  const tenants = new Set<string>()
  for (const { publications } of loads) {
    for (const [number, { tenant, sentMs }] of publications) {
      tenants.add(tenant)
      const at = sentMs < overAtMs ? undefined : tally.arrivals.get(number)?.atMs
      if (at !== undefined) firstAt.set(tenant, Math.min(at, firstAt.get(tenant) ?? Number.POSITIVE_INFINITY))
    }
  }
  if (firstAt.size < tenants.size) return null
  return Math.max(...firstAt.values()) - overAtMs
}

/** What takes longer than this was lost, and says so. */
export async function within<T>(ms: number, stop: AbortSignal, what: string, promise: Promise<T>): Promise<T> {
  const ended = AbortSignal.any([stop, AbortSignal.timeout(ms)])
  const late = Promise.withResolvers<never>()
  const onEnd = () =>
    late.reject(new Error(stop.aborted ? `stopped, waiting for ${what}` : `waited ${ms / 1000} s in vain for ${what}`))
  if (ended.aborted) onEnd()
  ended.addEventListener('abort', onEnd, { once: true })
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    ended.removeEventListener('abort', onEnd)
  }
}

/** Looks again and again. */
async function looking<T>(
  ms: number,
  stop: AbortSignal,
  what: string,
  look: () => T | undefined | false,
  everyMs = lookEveryMs,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setInterval(() => {
    try {
      const found = look()
      if (found !== undefined && found !== false) resolve(found)
    } catch (error) {
      reject(error)
    }
  }, everyMs)
  try {
    return await within(ms, stop, what, promise)
  } finally {
    clearInterval(timer)
  }
}
