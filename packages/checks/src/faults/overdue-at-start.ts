/**
 * Very many deliveries are overdue when the dispatcher starts, as after an outage of ours: it makes them due in portions
 * and delivers them, and meanwhile others do not wait behind them.
 */
import { randomBytes } from 'node:crypto'
import { newUuid, shardOf } from '@posthorn/engine'
import type { Fault, FaultParts } from './fault.ts'
import { type Counted, type Ground, openGround } from './ground.ts'
import type { Load, Publication } from './load.ts'

const sizes = { short: { overdue: 12_000, perSecond: 20 }, long: { overdue: 1_000_000, perSecond: 20 } }
const world = { now: () => Date.now(), randomBytes }
const rowsPerStatement = 5_000
/** What a dispatcher makes due by one statement. */
const portionMax = 5_000
const subscriptions = 200
/** Numbers of the overdue events begin here. */
const overdueFrom = 10_000_000
/**
 * Memory of the whole process in a heap as Node has it in a container of 512 MiB. Where there is more, Node lets garbage
 * lie until there is much of it (60 MiB in use, 340 MiB of heap), so a peak without this limit would say nothing of us.
 */
const rssBytesMax = 512 * 1024 ** 2
const heapMiB = 256
/** Connections to receivers, to the database, and what else a process has. */
const openFilesMax = 1_000
/**
 * Nearly all of the others' new events come within this time, in milliseconds, or, on a machine that is too busy for
 * that, within a quarter of the time that the overdue ones take: they do not wait behind them.
 */
const othersMsMax = 2_000
const othersPartMax = 1 / 4

export const overdueAtStart: Fault = {
  name: 'overdue',
  async bringAbout(parts) {
    const { overdue, perSecond } = sizes[parts.size]
    await using database = await parts.openDatabase()
    await using ground = await openGround(parts, database.url)
    const api = await ground.serveApi()
    const late = await ground.subscribe(api, { name: 'overdue', count: subscriptions, maxInFlight: 50 })
    const others = await ground.subscribe(api, { name: 'others', count: 10 })
    await owe(ground, late, overdue, parts.tell)
    const owed = asPublished(overdue, late)

    // It tells each portion.
    const dispatcher = ground.serve({ logLevel: 'trace', heapMiB })
    const startedAtMs = performance.now()
    await ground.more(1)
    const load = ground.load(api, { tenants: others, perSecond })
    await ground.recovered([load], startedAtMs)
    await drained(ground, overdue, parts.tell)
    const drainedMs = performance.now() - startedAtMs
    await load.finish()
    const portions = dispatcher.said.get('deliveries_woken') ?? 0
    const usage = await dispatcher.usage()
    const others99Ms = nearlyAll(load.publications, ground)

    const row = await ground.row({
      fault: `${overdue.toLocaleString('en')} overdue at start, and ${perSecond}/s for others`,
      loads: [load, owed],
      recovering: [load],
      overAtMs: startedAtMs,
      notes: [
        `drained in ${(drainedMs / 1000).toFixed(0)} s (${Math.round((overdue / drainedMs) * 1000)}/s)`,
        `made due in ${portions} portions`,
        `p99 of the others ${others99Ms.toFixed(0)} ms`,
        usage === undefined
          ? 'memory and files cannot be read here'
          : `${Math.round(usage.rssBytesMax / 1024 ** 2)} MiB, ${usage.openFiles} files`,
      ],
      wrong: [
        ...(portions < overdue / portionMax ? [`made due in ${portions} portions`] : []),
        ...(others99Ms > Math.max(othersMsMax, drainedMs * othersPartMax)
          ? [`others waited ${others99Ms.toFixed(0)} ms`]
          : []),
        ...(usage !== undefined && usage.rssBytesMax > rssBytesMax ? [`${usage.rssBytesMax} bytes of memory`] : []),
        ...(usage !== undefined && usage.openFiles > openFilesMax ? [`${usage.openFiles} open files`] : []),
      ],
    })
    return [row]
  },
}

/** They count as published, each in its turn. */
function asPublished(count: number, tenants: readonly string[]): Counted {
  const acknowledgedMs = performance.now()
  const publications = new Map<number, Publication>()
  for (let number = 0; number < count; number += 1) {
    const tenant = tenantOf(number, tenants)
    publications.set(overdueFrom + number, { tenant, sentMs: acknowledgedMs, acknowledgedMs })
  }
  return { publications, answers: new Map() }
}

/** Deliveries whose first attempt failed before the outage, and whose retry has been due for a while. */
async function owe(ground: Ground, tenants: readonly string[], count: number, tell: FaultParts['tell']): Promise<void> {
  const rows = await ground.sql<{ id: string; tenant_id: string }>(
    'select id, tenant_id from subscription where tenant_id = any($1)',
    [tenants],
  )
  for (let first = 0; first < count; first += rowsPerStatement) {
    const work = Array.from({ length: Math.min(rowsPerStatement, count - first) }, (_, index) => {
      const number = first + index
      const subscription = rows.find((row) => row.tenant_id === tenantOf(number, tenants))
      if (subscription === undefined) throw new Error('a tenant has no subscription')
      return { number, subscription }
    })
    await ground.sql(insertOverdue, [
      work.map(() => newUuid(world)),
      work.map(() => newUuid(world)),
      work.map(({ subscription }) => subscription.tenant_id),
      work.map(({ subscription }) => subscription.id),
      work.map(({ subscription }) => shardOf(subscription.id)),
      work.map(({ number }) => JSON.stringify({ number: overdueFrom + number })),
    ])
    if ((first + rowsPerStatement) % 100_000 === 0) tell(`${first + rowsPerStatement} of ${count} are owed`)
  }
  await ground.sql('vacuum (analyze) backlog')
}

function tenantOf(number: number, tenants: readonly string[]): string {
  return tenants[number % tenants.length] ?? ''
}

/** Waits until all of them have come. */
async function drained({ tally, until }: Ground, overdue: number, tell: FaultParts['tell']): Promise<void> {
  let next = 0
  while (next < overdue) {
    // In the order of their numbers, more or less: those that have come are passed.
    const step = next + Math.min(1_000, overdue - next)
    await until(`overdue event ${next}`, () => {
      while (next < step && tally.arrivals.has(overdueFrom + next)) next += 1
      return next === step
    })
    if (step % 100_000 === 0) tell(`${step} of ${overdue} have come`)
  }
}

/** How long 99 of 100 of the others' events took at the most, from being published to their arrival. */
function nearlyAll(publications: Load['publications'], { tally }: Ground): number {
  const tookMs = [...publications].flatMap(([number, { sentMs }]) => {
    const atMs = tally.arrivals.get(number)?.atMs
    return atMs === undefined ? [] : [atMs - sentMs]
  })
  tookMs.sort((a, b) => a - b)
  return tookMs[Math.ceil(tookMs.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY
}

const insertOverdue = `
with planned as (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::smallint[], $6::text[])
    as p (event_id, delivery_id, tenant_id, subscription_id, shard, data)
), published as (
  insert into event (id, tenant_id, type, "timestamp", data)
  select event_id, tenant_id, 'load', now(), data from planned
), owed as (
  insert into delivery (id, tenant_id, event_id, event_type, subscription_id, state, attempt_count)
  select delivery_id, tenant_id, event_id, 'load', subscription_id, 'retrying', 1 from planned
)
insert into backlog (delivery_id, tenant_id, event_id, subscription_id, shard, ready, next_attempt_at, attempt_number, schedule_step)
select delivery_id, tenant_id, event_id, subscription_id, shard, false, now() - interval '10 minutes', 1, 1 from planned`
