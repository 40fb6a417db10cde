/**
 * Replays: many resends chosen by a filter, first as a draft that promises what would be sent, then run.
 *
 * A draft writes its items down, so what is sent is what was counted, whatever is published or fails meanwhile. Nothing
 * is sent before it is run. A tenant sees and moves the replays that it made itself.
 */
import {
  type DeliveryState,
  type FailureCode,
  formatId,
  limits,
  Problem,
  type ReplayChoice,
  type ReplayOutcome,
  type ReplaySkipReason,
  type ReplayState,
  replayCan,
  replaySends,
  type Uuid,
  uuidFloor,
  uuidTime,
} from '@posthorn/contract'
import { type AuditTarget, inAuditedTransaction, writeAudit, writeAuditOn } from './audit.ts'
import type { Database } from './db/database.ts'
import type { Prisma, Replay as ReplayRow } from './db/generated/client.ts'
import { poolTransaction } from './db/pool-transaction.ts'
import { cancelReplay as cancelStatement } from './db/sql/cancel-replay.ts'
import { countLeftOut } from './db/sql/count-left-out.ts'
import { countReplayItems, type ReplayCount } from './db/sql/count-replay-items.ts'
import type { DeliveryFilter } from './db/sql/filter-conditions.ts'
import { insertReplay } from './db/sql/insert-replay.ts'
import { insertReplayItems, type ReplayGroup } from './db/sql/insert-replay-items.ts'
import { listReplayItems as listItemsStatement, type ReplayItemRow } from './db/sql/list-replay-items.ts'
import { runReplay as runStatement } from './db/sql/run-replay.ts'
import { selectPacedSubscriptions } from './db/sql/select-paced-subscriptions.ts'
import { setReplayPreview } from './db/sql/set-replay-preview.ts'
import type { Runner } from './db/sql/statement.ts'
import { transaction } from './db/transaction.ts'
import { type FilterWords, parseListFilter } from './list-filters.ts'
import { isUuidKey, type Page, type PageRequest, planPage } from './paging.ts'
import { makeTargetSecret } from './replay-targets.ts'
import type { Seal } from './sealing.ts'
import { inTenant, type Within } from './tenancy.ts'
import { newUuid, type World } from './world.ts'

export type { ReplayItemRow } from './db/sql/list-replay-items.ts'

/** Deliveries looked at by one statement of a draft. */
const portionSizeDefault = 10_000

export type ReplayParts = {
  db: Database
  world: World
  /** Seals the secret of a replay to another URL. */
  seal?: Seal
  /** Deliveries that it may send, and those looked at by one statement; the usual ones when left out. */
  itemsMax?: number
  portionSize?: number
}

/** What is drafted, beside what it finds. */
export type ReplayDraft = {
  filter: FilterWords
  choice: ReplayChoice
  ratePerSecond: number | null
  note: string | null
  /** Another URL to send to, which has been checked. */
  targetUrl?: string | null
  /** Who asks: stands beside the replay and its attempts. */
  actor: string
}

/** What a draft promises, as it was when it was counted. */
export type ReplayPreview = {
  tenantCount: number
  subscriptionCount: number
  /** Those with the most items first. */
  bySubscription: { subscriptionId: Uuid; tenantId: string; count: number }[]
  /** How the deliveries had failed last; null for those whose last attempt was accepted, or that never had one. */
  byCause: { failureCode: FailureCode | null; count: number }[]
  leftOut: { reason: ReplaySkipReason; count: number }[]
  leftOutHasMore: boolean
  /** What the rates allow at the best; null where nothing limits them. */
  estimatedSeconds: number | null
}

export type Replay = Omit<ReplayRow, 'preview' | 'state' | 'choice' | 'targetKeySealed'> & {
  state: ReplayState
  choice: ReplayChoice
  preview: ReplayPreview
  counts: readonly ReplayCount[]
}

/**
 * Drafts a replay: counts and writes down what would be sent, and sends nothing.
 *
 * @throws Problem `limit_reached` when there are more than a replay may have, `invalid_request`
 */
export async function draftReplay(
  parts: ReplayParts,
  draft: ReplayDraft,
  within: Within,
): Promise<Replay & { targetSecret: string | null }> {
  const { db, world } = parts
  const nowMs = world.now()
  const given = parseListFilter(draft.filter, { within, nowMs, pointer: (word) => `/filter/${word}` })
  // The times are resolved here, once: what is published in the next second is not part of it.
  const now = uuidFloor(nowMs)
  const before = given.before === undefined || given.before > now ? now : given.before
  const filter = { ...given, before }
  const id = newUuid(world)
  const target = targetOf(parts, draft, id)
  await poolTransaction(db, async (runner) => {
    await insertReplay(runner, {
      id,
      tenantId: within ?? null,
      filter: JSON.stringify(draft.filter),
      choice: draft.choice,
      since: filter.from === undefined ? null : new Date(uuidTime(filter.from)),
      until: new Date(uuidTime(before)),
      ratePerSecond: draft.ratePerSecond,
      note: draft.note,
      actor: draft.actor,
      targetUrl: draft.targetUrl ?? null,
      targetKey: target?.sealed ?? null,
      draftHours: limits.replayDraftHours,
    })
    const tally = await writeItems(runner, { id, filter, states: replaySends[draft.choice] }, parts)
    const others = await countOthers(runner, filter, replaySends[draft.choice])
    const preview: ReplayPreview = {
      ...tally.shown(),
      ...others,
      leftOut: [...others.leftOut, ...tally.leftOut()],
      estimatedSeconds: await estimate(runner, tally, draft.ratePerSecond),
    }
    await setReplayPreview(runner, id, { itemCount: tally.itemCount(), json: JSON.stringify(preview) })
    const concerned = concernedTenant({ tenantId: within ?? null, filter: draft.filter })
    await writeAuditOn(runner, db, { target: formatId('replay', id), tenantId: concerned })
  })
  return { ...(await getReplay(db, id, within)), targetSecret: target?.secret ?? null }
}

/** Whose a replay is for the audit log: its maker's tenant, or the only one that its filter lets through. */
function concernedTenant({ tenantId, filter }: { tenantId: string | null; filter: unknown }): string | null {
  if (tenantId !== null) return tenantId
  const { tenant } = Object(filter) as { tenant?: unknown }
  const [only, ...others] = Array.isArray(tenant) ? new Set(tenant) : [tenant]
  return typeof only === 'string' && others.length === 0 ? only : null
}

function targetOf({ seal, world }: ReplayParts, { targetUrl }: ReplayDraft, id: Uuid) {
  if (targetUrl === undefined || targetUrl === null) return undefined
  if (seal === undefined) throw new Error('a secret is to be made, and there is nothing to seal it with')
  return makeTargetSecret({ seal, world }, id)
}

/** Portion by portion, so that a hundred thousand deliveries take no more memory here than ten. */
async function writeItems(
  client: Runner,
  { id, filter, states }: { id: Uuid; filter: DeliveryFilter; states: readonly DeliveryState[] },
  { itemsMax = limits.replayItemsMax, portionSize = portionSizeDefault }: ReplayParts,
): Promise<Tally> {
  const tally = createTally()
  let below: Uuid | undefined
  for (;;) {
    const { groups, last } = await insertReplayItems(client, id, filter, { states, below, take: portionSize })
    for (const group of groups) tally.add(group)
    if (tally.itemCount() > itemsMax) throw tooMany(itemsMax)
    if (last === null || groups.reduce((sum, { count }) => sum + count, 0) < portionSize) return tally
    below = last
  }
}

function tooMany(itemsMax: number): Problem {
  return new Problem(
    'limit_reached',
    `The filter finds more than ${itemsMax} deliveries to send. Narrow it, by \`since\` and \`until\` for example, and make several replays.`,
  )
}

type Tally = {
  add(group: ReplayGroup): void
  itemCount(): number
  items(): ReadonlyMap<Uuid, number>
  leftOut(): ReplayPreview['leftOut']
  shown(): Pick<ReplayPreview, 'tenantCount' | 'subscriptionCount' | 'bySubscription' | 'byCause'>
}

/** Counts of counts: as large as there are subscriptions, however many deliveries there are. */
function createTally(): Tally {
  const bySubscription = new Map<Uuid, number>()
  const tenants = new Map<Uuid, string>()
  const byCause = new Map<FailureCode | null, number>()
  const byReason = new Map<ReplaySkipReason, number>()
  let items = 0
  return {
    add({ subscription_id, tenant_id, failure_code, reason, count }) {
      if (reason !== null) {
        more(byReason, reason, count)
        return
      }
      items += count
      more(bySubscription, subscription_id, count)
      tenants.set(subscription_id, tenant_id)
      more(byCause, failure_code, count)
    },
    itemCount: () => items,
    items: () => bySubscription,
    leftOut: () => largestFirst(byReason).map(([reason, count]) => ({ reason, count })),
    shown: () => ({
      tenantCount: new Set(tenants.values()).size,
      subscriptionCount: bySubscription.size,
      bySubscription: largestFirst(bySubscription)
        .slice(0, limits.replaySubscriptionsShownMax)
        .map(([subscriptionId, count]) => ({ subscriptionId, tenantId: tenants.get(subscriptionId) ?? '', count })),
      byCause: largestFirst(byCause).map(([failureCode, count]) => ({ failureCode, count })),
    }),
  }
}

function more<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}

function largestFirst<Key>(counts: ReadonlyMap<Key, number>): [Key, number][] {
  return [...counts].sort(([one, a], [other, b]) => b - a || (String(one) < String(other) ? -1 : 1))
}

/** What the filter finds and is not in a state to be sent. */
async function countOthers(
  client: Runner,
  filter: DeliveryFilter,
  sent: readonly DeliveryState[],
): Promise<Pick<ReplayPreview, 'leftOut' | 'leftOutHasMore'>> {
  const countMax = limits.replayLeftOutCountMax
  const leftOut = await countLeftOut(client, filter, sent, countMax + 1)
  const count = leftOut.reduce((sum, one) => sum + one.count, 0)
  return { leftOut, leftOutHasMore: count > countMax }
}

/** How long it takes where rates are the only limit. */
async function estimate(client: Runner, tally: Tally, ratePerSecond: number | null): Promise<number | null> {
  const items = tally.items()
  const paced = await selectPacedSubscriptions(client, [...items.keys()])
  const seconds = paced.map(({ id, rate_limit_per_second }) => (items.get(id) ?? 0) / rate_limit_per_second)
  if (ratePerSecond !== null) seconds.push(tally.itemCount() / ratePerSecond)
  return seconds.length === 0 ? null : Math.ceil(seconds.reduce((most, one) => Math.max(most, one), 0))
}

/** @throws Problem `replay_not_found` */
export async function getReplay(db: Database, id: Uuid, within: Within): Promise<Replay> {
  const row = await db.prisma.replay.findFirst({ where: { ...inTenant(within), id } })
  if (row === null) throw notFound(id)
  return replayOf(row, await countReplayItems(db.pool, [id]))
}

/** Replays that a tenant has made, or whose filter names it, in either of its forms. */
function aboutTenant(tenant: string): Prisma.ReplayWhereInput[] {
  return [
    { tenantId: tenant },
    { filter: { path: ['tenant'], equals: tenant } },
    { filter: { path: ['tenant'], array_contains: [tenant] } },
  ]
}

/** By the time they were drafted. */
export async function listReplays(
  db: Database,
  filter: { within: Within; tenants?: readonly string[] | undefined; states: readonly ReplayState[] | undefined },
  request: PageRequest,
): Promise<Page<Replay>> {
  const plan = planPage('replays', request, isUuidKey)
  const [beyond] = plan.beyond ?? []
  const rows = await db.prisma.replay.findMany({
    where: {
      ...inTenant(filter.within),
      ...(filter.tenants === undefined ? {} : { OR: filter.tenants.flatMap(aboutTenant) }),
      ...(filter.states === undefined ? {} : { state: { in: [...filter.states] } }),
      ...(beyond === undefined ? {} : { id: plan.order === 'asc' ? { gt: beyond } : { lt: beyond } }),
    },
    orderBy: { id: plan.order },
    take: plan.take,
  })
  const counts = Map.groupBy(
    await countReplayItems(
      db.pool,
      rows.map(({ id }) => id),
    ),
    (count) => count.replay_id,
  )
  return plan.page(
    rows.map((row) => replayOf(row, counts.get(row.id) ?? [])),
    (replay) => [replay.id],
  )
}

function replayOf({ targetKeySealed: _sealed, ...row }: ReplayRow, counts: readonly ReplayCount[]): Replay {
  return {
    ...row,
    // The columns' CHECKs are held to the lists of words by a test; the preview was written by `draftReplay`.
    state: row.state as ReplayState,
    choice: row.choice as ReplayChoice,
    preview: row.preview as ReplayPreview,
    counts,
  }
}

/** The items of a replay, by the time of their deliveries. */
export async function listReplayItems(
  db: Database,
  replay: { id: Uuid; within: Within },
  outcomes: readonly ReplayOutcome[] | undefined,
  request: PageRequest,
): Promise<Page<ReplayItemRow>> {
  const found = await db.prisma.replay.findFirst({ where: { ...inTenant(replay.within), id: replay.id } })
  if (found === null) throw notFound(replay.id)
  const plan = planPage('replay-items', request, isUuidKey)
  const page = { id: plan.beyond?.[0], order: plan.order, take: plan.take }
  const rows = await listItemsStatement(db.pool, replay.id, outcomes, page)
  return plan.page(rows, (item) => [item.delivery_id])
}

export type ReplayMove = keyof typeof replayCan

/**
 * Runs, pauses, resumes or cancels a replay. Dispatchers find one that runs by its row, so nobody has to be told.
 *
 * @throws Problem `replay_not_found`, `replay_state_conflict`, `replay_expired`
 */
export async function moveReplay(
  { db }: Pick<ReplayParts, 'db'>,
  move: ReplayMove,
  { id, within }: { id: Uuid; within: Within },
): Promise<Replay> {
  const states = replayCan[move]
  const where = { ...inTenant(within), id }
  const found = await db.prisma.replay.findFirst({ where, select: { tenantId: true, filter: true } })
  if (found === null) throw notFound(id)
  const target = { target: formatId('replay', id), tenantId: concernedTenant(found) }
  if (!(await moved(db, move, { where, states, target }))) {
    const { state, expiresAt } = await getReplay(db, id, within)
    // A draft that cannot be run is one whose time is over; that it has ended is written down within a minute.
    if (move === 'run' && (state === 'expired' || state === 'draft')) throw expired(expiresAt)
    throw new Problem(
      'replay_state_conflict',
      `The replay is ${state}; only one that is ${states.join(' or ')} can be ${past[move]}.`,
    )
  }
  return getReplay(db, id, within)
}

const past = { run: 'run', pause: 'paused', resume: 'resumed', cancel: 'canceled' } as const satisfies Record<
  ReplayMove,
  string
>

async function moved(
  db: Database,
  move: ReplayMove,
  { where, states, target }: { where: { id: Uuid }; states: readonly ReplayState[]; target: AuditTarget },
): Promise<boolean> {
  if (move === 'run' || move === 'cancel') {
    const statement = move === 'run' ? runStatement : cancelStatement
    return inAuditedTransaction(db, async (runner, write) => {
      const isMoved = await statement(runner, where.id, states)
      if (isMoved) await write(target)
      return isMoved
    })
  }
  const data = { state: move === 'resume' ? 'running' : 'paused' }
  return transaction(db, async (tx) => {
    const { count } = await tx.replay.updateMany({ where: { ...where, state: { in: [...states] } }, data })
    if (count > 0) await writeAudit(tx, db, target)
    return count > 0
  })
}

/**
 * Changes how fast a replay goes on, and what is said of it.
 *
 * @throws Problem `replay_not_found`, `replay_state_conflict` when it has ended
 */
export async function patchReplay(
  db: Database,
  { id, within }: { id: Uuid; within: Within },
  patch: { ratePerSecond?: number | null | undefined; note?: string | null | undefined },
): Promise<Replay> {
  const before = await getReplay(db, id, within)
  const open: readonly ReplayState[] = replayCan.cancel
  const where = { ...inTenant(within), id, state: { in: [...open] } }
  const data = {
    ...(patch.ratePerSecond === undefined ? {} : { ratePerSecond: patch.ratePerSecond }),
    ...(patch.note === undefined ? {} : { note: patch.note }),
  }
  const isChanged = await transaction(db, async (tx) => {
    const { count } = await tx.replay.updateMany({ where, data })
    if (count > 0) await writeAudit(tx, db, { target: formatId('replay', id), tenantId: concernedTenant(before) })
    return count > 0
  })
  if (isChanged) return getReplay(db, id, within)
  throw new Problem('replay_state_conflict', `The replay is ${before.state}, so there is nothing to change any more.`)
}

function expired(at: Date): Problem {
  return new Problem(
    'replay_expired',
    `The draft was not run before ${at.toISOString()}, so it expired: what it had counted may be true no longer. Draft a new one with the same filter, look at its preview, and run that.`,
  )
}

function notFound(id: Uuid): Problem {
  return new Problem('replay_not_found', `There is no replay ${formatId('replay', id)}.`)
}
