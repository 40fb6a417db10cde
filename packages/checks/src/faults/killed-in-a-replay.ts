/**
 * A replay of very many failed deliveries, whose dispatcher and API are killed twice on the way. It ends with each item
 * sent as its preview promised: none forgotten, none sent twice but those whose request was in flight at a kill.
 */
import { randomBytes } from 'node:crypto'
import { newUuid, shardOf } from '@posthorn/engine'
import type { Fault, FaultParts } from './fault.ts'
import { type Counted, type Ground, openGround } from './ground.ts'
import type { Load, Publication } from './load.ts'

/** Beside those that failed there are delivered ones, which the preview has to leave out. */
const sizes = {
  short: { failed: 5_000, delivered: 500, perSecond: 20 },
  long: { failed: 100_000, delivered: 5_000, perSecond: 20 },
}
const world = { now: () => Date.now(), randomBytes }
const rowsPerStatement = 5_000
const subscriptions = 40
const kills = 2
/** So many requests may come between two looks at all numbers. */
const requestsPerLook = 2_000
/** Numbers of the items begin here, and those of the delivered ones behind them. */
const itemsFrom = 10_000_000
const deliveredFrom = 20_000_000
/** Of the items, one of so many fails again, and another one of so many was delivered before its turn came. */
const failsAgainEvery = 97
const deliveredMeanwhileEvery = 89
/** Peak memory of a dispatcher in a heap as Node has it in a small container. It does not grow with the replay. */
const rssBytesMax = 384 * 1024 ** 2
const heapMiB = 192
/** What was published so shortly before a kill is part of its outage, in milliseconds. */
const beforeKillMs = 1_000

/** From a kill until every subscription of the others got something again, by `performance.now()`. */
type Outage = { fromMs: number; toMs: number }

type Wire = {
  id: string
  state: string
  preview: {
    count: number
    subscription_count: number
    by_cause: { failure_code: string | null; count: number }[]
    left_out: { reason: string; count: number }[]
  }
  progress: Record<'waiting' | 'under_way' | 'delivered' | 'failed' | 'skipped' | 'canceled', number> & {
    by_cause: { failure_code: string; count: number }[]
    by_skip_reason: { reason: string; count: number }[]
  }
}

export const killedInAReplay: Fault = {
  name: 'replay',
  async bringAbout(parts) {
    const { failed, delivered, perSecond } = sizes[parts.size]
    const failsAgain = (number: number) => number >= itemsFrom && (number - itemsFrom) % failsAgainEvery === 0
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url, {
      answerEveryMs: 10,
      answer: ({ body }) => ({ status: failsAgain(Number(/"number":(\d+)/.exec(body)?.[1])) ? 500 : 204 }),
    })
    let api = await ground.serveApi()
    const tenants = await ground.subscribe(api, { name: 'replayed', count: subscriptions, maxInFlight: 20 })
    const others = await ground.subscribe(api, { name: 'others', count: 5 })
    await store(ground, tenants, { from: itemsFrom, count: failed, state: 'failed' }, parts.tell)
    await store(ground, tenants, { from: deliveredFrom, count: delivered, state: 'delivered' }, parts.tell)

    const call = caller(parts)
    const draftedAtMs = performance.now()
    const draft = await call(api, 'POST', '/replays', {
      filter: { tenant: tenants, event_type: 'load', since: '1h' },
      note: 'after the outage',
    })
    const draftMs = performance.now() - draftedAtMs
    // What happens between the preview and the sending is seen, and said of each item.
    const meanwhile = await ground.sql<{ number: number }>(deliverMeanwhile, [itemsFrom, deliveredMeanwhileEvery])
    const skipped = new Set(meanwhile.map(({ number }) => number))
    const wanted = Array.from({ length: failed }, (_, index) => itemsFrom + index).filter((one) => !skipped.has(one))

    const load = ground.load(api, { tenants: others, perSecond })
    const startedAtMs = performance.now()
    let startedAt = await ground.databaseTime()
    let dispatcher = ground.serve({ heapMiB })
    await call(api, 'POST', `/replays/${draft.id}/run`)
    const outages: Outage[] = []
    const tooLate: string[] = []
    let inFlight = 0
    for (let kill = 1; kill <= kills; kill += 1) {
      await come(ground, wanted, (wanted.length * kill) / (kills + 1))
      const came = wanted.filter((number) => ground.tally.arrivals.has(number)).length
      if (came === wanted.length) tooLate.push(`all had come before kill ${kill}`)
      dispatcher.kill('SIGKILL')
      api.kill('SIGKILL')
      const outage = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY }
      outages.push(outage)
      await Promise.all([dispatcher.ended, api.ended])
      inFlight += await ground.inFlight(startedAt)
      await ground.skipWaiting()
      startedAt = await ground.databaseTime()
      api = await ground.serveApi()
      load.moveTo(api.origin)
      dispatcher = ground.serve({ heapMiB })
      await ground.recovered([load], outage.fromMs)
      outage.toMs = performance.now()
      parts.tell(`${kill} of ${kills} kills, ${inFlight} in flight at them`)
    }
    await come(ground, wanted, wanted.length)
    const replay = await completed(() => call(api, 'GET', `/replays/${draft.id}`))
    const tookMs = performance.now() - startedAtMs
    await load.finish()
    const usage = await dispatcher.usage()

    const sent = wanted.filter((number) => ground.tally.arrivals.has(number))
    const again = wanted.filter(failsAgain).length
    const stray = [...ground.tally.arrivals.keys()].filter(
      (number) => skipped.has(number) || number >= deliveredFrom,
    ).length
    const { preview, progress } = replay
    // On a machine that is too busy the receiver here may take longer than its time. That has a cause of its own.
    const timedOut = progress.by_cause.find((one) => one.failure_code === 'response_timeout')?.count ?? 0
    const expected = {
      promised: failed,
      left_out: [{ reason: 'delivered', count: delivered }],
      waiting: 0,
      under_way: 0,
      delivered: wanted.length - again - timedOut,
      failed: again + timedOut,
      skipped: skipped.size,
      by_skip_reason: [{ reason: 'delivered', count: skipped.size }],
    }
    const { waiting, under_way, by_skip_reason } = progress
    const found = {
      promised: preview.count,
      left_out: preview.left_out,
      ...{ waiting, under_way, delivered: progress.delivered, failed: progress.failed, skipped: progress.skipped },
      by_skip_reason,
    }
    const attempts = await attemptsOf(ground, replay)
    return [
      await ground.row({
        fault: `a replay of ${failed.toLocaleString('en')} items, killed ${kills} times`,
        loads: [load, asPublished(wanted, tenants)],
        recovering: [load],
        overAtMs: outages.map(({ fromMs }) => fromMs),
        duplicatesAllowed: inFlight,
        // A publisher whose API was killed has no answer, or one that says so, and asks again.
        answersAllowed: ['none', '503'],
        hasten: true,
        notes: [
          `preview ${preview.count} and ${delivered} left out, drafted in ${(draftMs / 1000).toFixed(1)} s`,
          `sent ${sent.length}: delivered ${progress.delivered}, failed again ${progress.failed}${timedOut > 0 ? ` (${timedOut} timed out)` : ''}`,
          `skipped ${progress.skipped} (delivered meanwhile)`,
          `in ${(tookMs / 1000).toFixed(0)} s (${Math.round((sent.length / tookMs) * 1000)}/s)`,
          `p99 of the others, outages aside, ${nearlyAll(load.publications, outages, ground).toFixed(0)} ms`,
          usage === undefined ? 'memory cannot be read here' : `${Math.round(usage.rssBytesMax / 1024 ** 2)} MiB`,
        ],
        wrong: [
          ...(JSON.stringify(found) === JSON.stringify(expected)
            ? []
            : [`the replay says ${JSON.stringify(found)} in place of ${JSON.stringify(expected)}`]),
          ...tooLate,
          ...(stray > 0 ? [`${stray} came that were not to be sent`] : []),
          ...(attempts.items === wanted.length ? [] : [`${attempts.items} deliveries have an attempt of the replay`]),
          ...(attempts.unlinked > 0 ? [`${attempts.unlinked} items name no attempt of theirs`] : []),
          ...(usage !== undefined && usage.rssBytesMax > rssBytesMax ? [`${usage.rssBytesMax} bytes of memory`] : []),
        ],
      }),
    ]
  },
}

/** Asks an API as a person would. */
function caller({ stop }: FaultParts) {
  return async (
    api: { origin: string; adminKey: string },
    method: string,
    path: string,
    body: unknown = method === 'POST' ? {} : undefined,
  ): Promise<Wire> => {
    const headers = { authorization: `Bearer ${api.adminKey}`, 'content-type': 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${api.origin}/v1${path}`, { method, headers, signal: stop, ...sent })
    const answer = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${answer}`)
    return JSON.parse(answer)
  }
}

/** Waits until so many of these have come. Patient as long as requests come. */
async function come(ground: Ground, numbers: readonly number[], count: number): Promise<void> {
  for (;;) {
    const came = numbers.filter((number) => ground.tally.arrivals.has(number)).length
    const wanted = Math.floor(count) - came
    if (wanted <= 0) return
    await ground.more(Math.min(wanted, requestsPerLook))
  }
}

/** Waits until it has ended, and all its outcomes are recorded. */
async function completed(read: () => Promise<Wire>): Promise<Wire> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const replay = await read()
    if (replay.state === 'completed') return replay
    if (performance.now() > deadline) throw new Error(`the replay does not end: ${JSON.stringify(replay.progress)}`)
  }
}

/** They count as published, each in its turn. */
function asPublished(numbers: readonly number[], tenants: readonly string[]): Counted {
  const acknowledgedMs = performance.now()
  const publications = new Map<number, Publication>(
    numbers.map((number) => [number, { tenant: tenantOf(number, tenants), sentMs: acknowledgedMs, acknowledgedMs }]),
  )
  return { publications, answers: new Map() }
}

function tenantOf(number: number, tenants: readonly string[]): string {
  return tenants[number % tenants.length] ?? ''
}

/** Stores deliveries that have ended, of events with a number each. */
async function store(
  ground: Ground,
  tenants: readonly string[],
  { from, count, state }: { from: number; count: number; state: 'failed' | 'delivered' },
  tell: FaultParts['tell'],
): Promise<void> {
  const rows = await ground.sql<{ id: string; tenant_id: string }>(
    'select id, tenant_id from subscription where tenant_id = any($1)',
    [tenants],
  )
  const idOf = new Map(rows.map((row) => [row.tenant_id, row.id]))
  for (let first = 0; first < count; first += rowsPerStatement) {
    const work = Array.from({ length: Math.min(rowsPerStatement, count - first) }, (_, index) => from + first + index)
    await ground.sql(insertEnded, [
      work.map(() => newUuid(world)),
      work.map(() => newUuid(world)),
      work.map((number) => tenantOf(number, tenants)),
      work.map((number) => idOf.get(tenantOf(number, tenants))),
      work.map((number) => JSON.stringify({ number })),
      state,
    ])
  }
  await ground.sql('vacuum (analyze) delivery')
  tell(`${count} deliveries are ${state}, in ${new Set(rows.map(({ id }) => shardOf(id))).size} shards`)
}

/** How many deliveries have an attempt that was made for the replay, and how many items do not name theirs. */
async function attemptsOf(ground: Ground, { preview }: Wire): Promise<{ items: number; unlinked: number }> {
  const [row] = await ground.sql<{ items: number; unlinked: number }>(
    `select (select count(distinct delivery_id)::int from attempt where trigger = 'replay' and reason = 'after the outage') as items,
            (select count(*)::int from replay_item i
             where i.outcome in ('delivered', 'failed')
               and not exists (select 1 from attempt a where a.id = i.attempt_id and a.delivery_id = i.delivery_id)) as unlinked`,
  )
  return row ?? { items: 0, unlinked: preview.count }
}

/** How long 99 of 100 of the others' events took at the most, from being published to their arrival; those of an outage are not asked. */
function nearlyAll(publications: Load['publications'], outages: readonly Outage[], { tally }: Ground): number {
  const tookMs = [...publications].flatMap(([number, { sentMs }]) => {
    if (outages.some(({ fromMs, toMs }) => sentMs > fromMs - beforeKillMs && sentMs < toMs)) return []
    const atMs = tally.arrivals.get(number)?.atMs
    return atMs === undefined ? [] : [atMs - sentMs]
  })
  tookMs.sort((a, b) => a - b)
  return tookMs[Math.ceil(tookMs.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY
}

const insertEnded = `
with planned as (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[]) with ordinality
    as p (event_id, delivery_id, tenant_id, subscription_id, data, place)
), published as (
  insert into event (id, tenant_id, type, "timestamp", data)
  select event_id, tenant_id, 'load', now(), data from planned
)
insert into delivery (id, tenant_id, event_id, event_type, subscription_id, state, attempt_count, last_failure_code,
  last_http_status, delivered_at, finished_at)
select delivery_id, tenant_id, event_id, 'load', subscription_id, $6, 1,
       case when $6 = 'failed' then case when place % 2 = 0 then 'http_5xx' else 'connect_refused' end end,
       case when $6 = 'delivered' then 204 when place % 2 = 0 then 503 end,
       case when $6 = 'delivered' then now() end, now()
from planned`

/** Somebody resent them, say. */
const deliverMeanwhile = `
update delivery d
set state = 'delivered', delivered_at = now(), last_failure_code = null, last_http_status = 204
from event e
where e.id = d.event_id and d.state = 'failed'
  and ((e.data::json ->> 'number')::bigint - $1) % $2 = 1
returning (e.data::json ->> 'number')::int as number`
