import { formatId, type ReplayOutcome } from '@posthorn/contract'
import {
  createReplaying,
  draftReplay,
  type FilterWords,
  feedReplay,
  getReplay,
  hold,
  listReplayItems,
  moveReplay,
  newUuid,
  patchReplay,
  type ReplayDraft,
  settleTargetItem,
  takeTargetItems,
} from '@posthorn/engine'
import { type ReceivedRequest, startReceiver } from 'posthorn/receiver'
import { describe, expect, test } from 'vitest'
import { createGate } from './gate.ts'
import { seal, startTestPosthorn, type TestPosthorn, type TestSubscription, world } from './posthorn.ts'

describe('what a replay sends', () => {
  test('is each failed delivery that the filter found, once more, under its id, with who asked and why', async () => {
    await using posthorn = await startTestPosthorn()
    const { path } = await posthorn.subscribe()
    const failed = await publishEnded(posthorn, 3, 'failed')
    await publishEnded(posthorn, 2, 'delivered')
    const replay = await draft(posthorn, { tenant: 'acme' }, { note: 'after the fix', actor: 'staff:ada' })
    expect([replay.state, replay.itemCount, replay.preview.leftOut]).toEqual([
      'draft',
      3,
      [{ reason: 'delivered', count: 2 }],
    ])
    await posthorn.publish({ type: 'invoice.later' })
    await posthorn.dispatch()
    await posthorn.recorded(1)
    expect(posthorn.receiver.requests).toHaveLength(1)

    await move(posthorn, 'run', replay.id)
    await ended(posthorn, replay.id)
    const requests = posthorn.receiver.requests.filter(isReplayed)
    expect(requests.map(({ headers }) => headers['webhook-id']).toSorted()).toEqual(
      failed.map(({ event }) => formatId('event', event)).toSorted(),
    )
    for (const { headers, ...request } of requests) {
      expect([request.path, headers['posthorn-replay'], headers['posthorn-attempt']]).toEqual([
        path,
        formatId('replay', replay.id),
        '2',
      ])
    }
    for (const { delivery } of failed) {
      expect(await posthorn.db.prisma.attempt.findMany({ where: { deliveryId: delivery } })).toMatchObject([
        { trigger: 'replay', actor: 'staff:ada', reason: 'after the fix', number: 2 },
      ])
    }
    expect(await counts(posthorn, replay.id)).toEqual({ delivered: 3 })
    const items = await listReplayItems(posthorn.db, { id: replay.id, within: undefined }, undefined, {})
    const attempts = await posthorn.db.prisma.attempt.findMany({ where: { trigger: 'replay' } })
    expect(items.rows.map(({ attempt_id }) => attempt_id).toSorted()).toEqual(attempts.map(({ id }) => id).toSorted())
  })

  test('is one attempt: what fails again has failed, names its cause, and can be replayed alone', async () => {
    let status = 500
    await using posthorn = await startTestPosthorn({ answer: () => ({ status }) })
    const subscription = await posthorn.subscribe()
    await publishEnded(posthorn, 2, 'failed')
    await posthorn.dispatch()
    const first = await draft(posthorn, {})
    await move(posthorn, 'run', first.id)
    await ended(posthorn, first.id)
    expect((await getReplay(posthorn.db, first.id, undefined)).counts).toMatchObject([
      { outcome: 'failed', failure_code: 'http_5xx', count: 2 },
    ])
    expect(posthorn.receiver.requests).toHaveLength(2)
    // Nobody's streak of failures begins with what a person asked for.
    const row = await posthorn.db.prisma.subscription.findUniqueOrThrow({ where: { id: subscription.id } })
    expect([row.failingSince, row.breakerOpenedAt]).toEqual([null, null])

    status = 204
    const second = await draft(posthorn, { replay: formatId('replay', first.id) })
    expect([second.itemCount, second.preview.byCause]).toEqual([2, [{ failureCode: 'http_5xx', count: 2 }]])
    await move(posthorn, 'run', second.id)
    await ended(posthorn, second.id)
    expect(await counts(posthorn, second.id)).toEqual({ delivered: 2 })
    expect((await draft(posthorn, { replay: formatId('replay', first.id) })).itemCount).toBe(0)
  })

  test('is all that has ended, when that is asked; a delivered one that fails now stays delivered', async () => {
    await using posthorn = await startTestPosthorn({ answer: () => ({ status: 500 }) })
    await posthorn.subscribe()
    const [delivered] = await publishEnded(posthorn, 1, 'delivered')
    const [canceled] = await publishEnded(posthorn, 1, 'canceled')
    await publishEnded(posthorn, 1, 'failed')
    await posthorn.dispatch()
    const replay = await draft(posthorn, {}, { choice: 'all' })
    expect([replay.itemCount, replay.preview.leftOut]).toEqual([3, []])
    await move(posthorn, 'run', replay.id)
    await ended(posthorn, replay.id)
    expect(await counts(posthorn, replay.id)).toEqual({ failed: 3 })
    const state = async (id = '') => (await posthorn.db.prisma.delivery.findUniqueOrThrow({ where: { id } })).state
    expect([await state(delivered?.delivery), await state(canceled?.delivery)]).toEqual(['delivered', 'failed'])
  })

  test('is shared between two dispatchers, and nothing is sent twice', async () => {
    await using posthorn = await startTestPosthorn()
    await posthorn.subscribeMany(8)
    const failed = await publishEnded(posthorn, 20, 'failed')
    await Promise.all([posthorn.dispatch({ ownDatabase: true }), posthorn.dispatch({ ownDatabase: true })])
    const replay = await draft(posthorn, {})
    await move(posthorn, 'run', replay.id)
    await ended(posthorn, replay.id)
    expect(failed).toHaveLength(160)
    expect(await counts(posthorn, replay.id)).toEqual({ delivered: 160 })
    expect(posthorn.receiver.requests).toHaveLength(160)
  })
})

test('whoever feeds a replay at the same moment feeds other items, or none', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribeMany(20, { maxInFlight: 100 })
  const failed = await publishEnded(posthorn, 10, 'failed')
  const { id } = await draft(posthorn, {})
  await move(posthorn, 'run', id)
  const targeted = await draft(posthorn, {}, { targetUrl: `${posthorn.receiver.origin}/staging` })
  await move(posthorn, 'run', targeted.id)
  const atOnce = [1, 2, 3, 4, 5]
  const taken: string[] = []
  for (let round = 1; round <= failed.length / 2; round += 1) {
    // Two more items may be under way than in the round before, and five ask for them.
    const request = { replayId: id, states: ['failed'], behind: null, lanesMax: 64, underWayMax: 2 * round } as const
    const portions = await Promise.all(
      atOnce.map(() => feedReplay(posthorn.db.pool, { ...request, underWayPerSubscriptionMax: 50 })),
    )
    expect(portions.reduce((sum, portion) => sum + (portion?.skipped ?? 0), 0)).toBe(0)
    const items = await Promise.all(
      atOnce.map(() => {
        const attemptIds = Array.from({ length: 2 * round }, () => newUuid(world))
        return takeTargetItems(posthorn.db.pool, targeted.id, { attemptIds, lostAfterSeconds: 90 })
      }),
    )
    taken.push(...items.flat().map(({ delivery_id }) => delivery_id))
  }
  expect(await counts(posthorn, id)).toEqual({ under_way: failed.length })
  expect(await posthorn.db.prisma.backlog.count()).toBe(failed.length)
  expect([taken.length, new Set(taken).size]).toEqual([failed.length, failed.length])
})

describe('what has changed since the draft', () => {
  test('is seen when the turn of a delivery comes: it is skipped, and the reason stands there', async () => {
    await using posthorn = await startTestPosthorn()
    const [kept, paused, deleted] = await posthorn.subscribeMany(3)
    const items = await publishEnded(posthorn, 3, 'failed')
    const replay = await draft(posthorn, {})
    expect(replay.itemCount).toBe(9)
    const ofKept = items.filter(({ subscription }) => subscription === kept?.id)
    const deliveredAt = new Date()
    await posthorn.db.prisma.delivery.update({
      where: { id: ofKept[0]?.delivery ?? '' },
      data: { state: 'delivered', deliveredAt },
    })
    await posthorn.db.prisma.delivery.delete({ where: { id: ofKept[1]?.delivery ?? '' } })
    await change(posthorn, paused, { state: 'paused' })
    await change(posthorn, deleted, { deletedAt: new Date() })
    await posthorn.dispatch()
    await move(posthorn, 'run', replay.id)
    await ended(posthorn, replay.id)
    const { counts: all } = await getReplay(posthorn.db, replay.id, undefined)
    const told = all.map(({ outcome, skip_reason, count }) => [`${outcome} ${skip_reason}`, count])
    expect(Object.fromEntries(told)).toEqual({
      'delivered null': 1,
      'skipped delivered': 1,
      'skipped removed': 1,
      'skipped subscription_paused': 3,
      'skipped subscription_deleted': 3,
    })
    expect(posthorn.receiver.requests).toHaveLength(1)
  })

  test.each(['there', 'elsewhere'])(
    'what was erased since the draft is skipped and says so: sent %s',
    async (where) => {
      await using posthorn = await startTestPosthorn()
      await posthorn.subscribe()
      const items = await publishEnded(posthorn, 2, 'failed')
      const targetUrl = where === 'there' ? null : `${posthorn.receiver.origin}/staging`
      const { id } = await draft(posthorn, {}, { targetUrl })
      await erase(posthorn, items[0])
      await posthorn.dispatch()
      await move(posthorn, 'run', id)
      await ended(posthorn, id)
      const { counts: all } = await getReplay(posthorn.db, id, undefined)
      expect(all.map(({ outcome, skip_reason, count }) => [outcome, skip_reason, count]).toSorted()).toEqual([
        ['delivered', null, 1],
        ['skipped', 'erased', 1],
      ])
      expect(posthorn.receiver.requests).toHaveLength(1)
    },
  )

  test('leaves out from the beginning what cannot be sent', async () => {
    await using posthorn = await startTestPosthorn()
    const [active, paused, disabled] = await posthorn.subscribeMany(3)
    await publishEnded(posthorn, 2, 'failed')
    const [erased] = (await publishEnded(posthorn, 1, 'failed')).filter(
      ({ subscription }) => subscription === active?.id,
    )
    await erase(posthorn, erased)
    await posthorn.publish()
    await change(posthorn, paused, { state: 'paused' })
    await change(posthorn, disabled, { state: 'disabled', disabledReason: 'gone' })
    const replay = await draft(posthorn, {})
    const { tenantCount, bySubscription } = replay.preview
    expect([replay.itemCount, tenantCount]).toEqual([2, 1])
    expect(bySubscription).toEqual([{ subscriptionId: active?.id, tenantId: 'acme', count: 2 }])
    expect(replay.preview.leftOut).toEqual([
      { reason: 'pending', count: 3 },
      ...['subscription_disabled', 'subscription_paused'].map((reason) => ({ reason, count: 3 })),
      { reason: 'erased', count: 1 },
    ])
  })

  test('an item whose work is taken away before it was sent is settled, and the replay ends', async () => {
    await using posthorn = await startTestPosthorn()
    const subscription = await posthorn.subscribe()
    await publishEnded(posthorn, 2, 'failed')
    const replay = await draft(posthorn, {})
    await move(posthorn, 'run', replay.id)
    const replaying = createReplaying(posthorn.db)
    expect(await replaying.step()).toMatchObject({ busy: true, fed: 2, skipped: 0, finished: [] })
    await change(posthorn, subscription, { state: 'paused' })
    await hold(posthorn.db, subscription.id)
    expect(await replaying.step()).toMatchObject({ fed: 0, settled: 2, finished: [replay.id] })
    const { counts: all, state } = await getReplay(posthorn.db, replay.id, undefined)
    expect([state, all]).toMatchObject(['completed', [{ outcome: 'skipped', skip_reason: 'held', count: 2 }]])
    expect(await replaying.step()).toMatchObject({ busy: false })
  })
})

describe('a replay on its way', () => {
  test('takes half of the slots of a subscription, so that its own events find some', async () => {
    const gate = createGate(isReplayed)
    await using posthorn = await startTestPosthorn({ answer: gate.answer })
    await posthorn.subscribe({ maxInFlight: 4 })
    await publishEnded(posthorn, 10, 'failed')
    await posthorn.dispatch()
    const replay = await draft(posthorn, {})
    await move(posthorn, 'run', replay.id)
    await gate.holds(2)
    for (let n = 1; n <= 5; n += 1) {
      await posthorn.publish()
      await posthorn.recorded(n)
    }
    expect([gate.waiting.length, await counts(posthorn, replay.id)]).toEqual([2, { under_way: 2, waiting: 8 }])
    gate.open()
    await ended(posthorn, replay.id)
    expect(gate.mostAtOnce).toBe(2)
    expect(await counts(posthorn, replay.id)).toEqual({ delivered: 10 })
  })

  test('stops when it is paused, goes on when it is resumed, and never when it is canceled', async () => {
    const gate = createGate()
    await using posthorn = await startTestPosthorn({ answer: gate.answer })
    await posthorn.subscribe({ maxInFlight: 2 })
    await publishEnded(posthorn, 4, 'failed')
    await posthorn.dispatch()
    const { id } = await draft(posthorn, {})
    await move(posthorn, 'run', id)
    await gate.holds(1)
    await move(posthorn, 'pause', id)
    gate.let(1)
    await posthorn.recorded(1)
    expect(await createReplaying(posthorn.db).step()).toMatchObject({ busy: false, fed: 0 })
    expect(await counts(posthorn, id)).toEqual({ delivered: 1, waiting: 3 })
    await move(posthorn, 'resume', id)
    await gate.holds(1)
    await move(posthorn, 'cancel', id)
    gate.let(1)
    await posthorn.recorded(2)
    expect(await counts(posthorn, id)).toEqual({ delivered: 2, canceled: 2 })
    const replay = await getReplay(posthorn.db, id, undefined)
    expect([replay.state, replay.finishedAt]).toEqual(['canceled', expect.any(Date)])
    expect(posthorn.receiver.requests).toHaveLength(2)
    const states = await posthorn.db.prisma.delivery.groupBy({ by: ['state'], _count: true })
    expect(states.toSorted((a, b) => a.state.localeCompare(b.state))).toEqual([
      { state: 'delivered', _count: 2 },
      { state: 'failed', _count: 2 },
    ])
    for (const wanted of ['run', 'pause', 'resume', 'cancel'] as const) {
      await expect(move(posthorn, wanted, id)).rejects.toMatchObject({ code: 'replay_state_conflict' })
    }
  })

  test('keeps to its rate, whoever feeds it, and to another one as soon as it is changed', async () => {
    await using posthorn = await startTestPosthorn()
    await posthorn.subscribeMany(20)
    await publishEnded(posthorn, 5, 'failed')
    const { id, preview } = await draft(posthorn, {}, { ratePerSecond: 1 })
    expect(preview.estimatedSeconds).toBe(100)
    await move(posthorn, 'run', id)
    const startedAtMs = performance.now()
    const fed = async () => (await createReplaying(posthorn.db).step()).fed
    let all = 0
    for (let n = 0; n < 10; n += 1) all += await fed()
    const elapsedSeconds = (performance.now() - startedAtMs) / 1000
    expect(all).toBeGreaterThanOrEqual(1)
    expect(all).toBeLessThanOrEqual(1 + elapsedSeconds)
    await patchReplay(posthorn.db, { id, within: undefined }, { ratePerSecond: null })
    expect(await fed()).toBeGreaterThan(50)
  })

  test('sends the items of an ordered subscription one at a time, oldest first', async () => {
    await using posthorn = await startTestPosthorn()
    await posthorn.subscribe({ ordered: true, maxInFlight: 10 })
    const failed = await publishEnded(posthorn, 6, 'failed')
    await posthorn.dispatch()
    const { id } = await draft(posthorn, {})
    await move(posthorn, 'run', id)
    await ended(posthorn, id)
    expect(posthorn.receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual(
      failed.map(({ event }) => formatId('event', event)),
    )
  })
})

describe('a replay to another URL', () => {
  test('reaches it with a secret of its own, and with nothing that is meant for the customer; nothing else learns of it', async () => {
    let status = 204
    await using staging = await startReceiver({ answer: () => ({ status }) })
    await using posthorn = await startTestPosthorn()
    const subscription = await posthorn.subscribe()
    await posthorn.db.prisma.subscription.update({
      where: { id: subscription.id },
      data: { headers: { 'x-customer': 'theirs' } },
    })
    const failed = await publishEnded(posthorn, 12, 'failed')
    const before = await everything(posthorn)
    const target = { targetUrl: `${staging.origin}/staging` }
    const { id, targetSecret, itemCount } = await draft(posthorn, {}, target)
    staging.trust('/staging', targetSecret ?? '')
    await posthorn.dispatch({ otherPort: staging.port })
    await move(posthorn, 'run', id)
    await ended(posthorn, id)
    expect([itemCount, await counts(posthorn, id)]).toEqual([12, { delivered: 12 }])
    expect(staging.requests.map(({ headers }) => headers['webhook-id']).toSorted()).toEqual(
      failed.map(({ event }) => formatId('event', event)).toSorted(),
    )
    for (const { path, signature, headers } of staging.requests) {
      expect([path, signature, headers['x-customer']]).toEqual(['/staging', 'valid', undefined])
      expect(headers['posthorn-replay']).toBe(formatId('replay', id))
    }
    expect(posthorn.receiver.requests).toEqual([])

    status = 410
    const second = await draft(posthorn, {}, target)
    staging.trust('/staging', second.targetSecret ?? '')
    await move(posthorn, 'run', second.id)
    await ended(posthorn, second.id)
    expect((await getReplay(posthorn.db, second.id, undefined)).counts).toMatchObject([
      { outcome: 'failed', failure_code: 'http_410', count: 12 },
    ])
    expect(await everything(posthorn)).toEqual(before)
  })

  test('an item whose process was killed is sent again by another one, and what the first had to say counts no more', async () => {
    await using posthorn = await startTestPosthorn()
    await posthorn.subscribe()
    await publishEnded(posthorn, 1, 'failed')
    const { id } = await draft(posthorn, {}, { targetUrl: `${posthorn.receiver.origin}/staging` })
    await move(posthorn, 'run', id)
    const take = () => takeTargetItems(posthorn.db.pool, id, { attemptIds: [newUuid(world)], lostAfterSeconds: 90 })
    const [first] = await take()
    expect(await take()).toEqual([])
    expect(await createReplaying(posthorn.db).step()).toMatchObject({ busy: true, settled: 0, finished: [] })
    await posthorn.db.prisma.replayItem.updateMany({ data: { startedAt: new Date(Date.now() - 91_000) } })
    const [again] = await take()
    expect([again?.delivery_id, again?.attempt_id === first?.attempt_id]).toEqual([first?.delivery_id, false])
    const settle = (attemptId = '', outcome: 'delivered' | 'failed' = 'delivered') =>
      settleTargetItem(posthorn.db.pool, {
        replayId: id,
        deliveryId: first?.delivery_id ?? '',
        attemptId,
        outcome,
        failureCode: outcome === 'failed' ? 'connect_refused' : null,
        status: null,
      })
    await settle(first?.attempt_id, 'failed')
    expect(await counts(posthorn, id)).toEqual({ under_way: 1 })
    await settle(again?.attempt_id)
    expect(await counts(posthorn, id)).toEqual({ delivered: 1 })
    expect(await createReplaying(posthorn.db).step()).toMatchObject({ finished: [id] })
  })
})

test('a draft that nobody runs is ended by the job of a dispatcher, and its list of deliveries goes', async () => {
  await using posthorn = await startTestPosthorn()
  const { db } = posthorn
  await posthorn.subscribe()
  await publishEnded(posthorn, 3, 'failed')
  const [old, young] = [await draft(posthorn, {}), await draft(posthorn, {})]
  await db.prisma.replay.update({ where: { id: old.id }, data: { expiresAt: new Date(Date.now() - 1_000) } })
  const { jobs } = await posthorn.dispatch()
  await jobs.boss.send('sweep-backlog', {}, { singletonKey: '' })
  await posthorn.until(() => posthorn.told.some((one) => one.what === 'drafts_expired' && one.count === 1))
  expect([(await getReplay(db, old.id, undefined)).state, await counts(posthorn, old.id)]).toEqual(['expired', {}])
  expect([(await getReplay(db, young.id, undefined)).state, await counts(posthorn, young.id)]).toEqual([
    'draft',
    { waiting: 3 },
  ])
  await expect(move(posthorn, 'run', old.id)).rejects.toMatchObject({ code: 'replay_expired' })
  expect(posthorn.receiver.requests).toEqual([])
})

describe('a draft of very many', () => {
  test('is written in portions, and has each delivery once', async () => {
    await using posthorn = await startTestPosthorn()
    await posthorn.subscribeMany(2)
    const failed = await publishEnded(posthorn, 5, 'failed')
    const whole = { filter: {}, choice: 'failed', ratePerSecond: null, note: null, actor: 'staff:test' } as const
    const parts = { db: posthorn.db, world: later, portionSize: 3 }
    const replay = await draftReplay(parts, whole, undefined)
    expect([replay.itemCount, replay.preview.bySubscription.map(({ count }) => count)]).toEqual([10, [5, 5]])
    const { rows } = await listReplayItems(posthorn.db, { id: replay.id, within: undefined }, undefined, {})
    expect(rows.map(({ delivery_id }) => delivery_id).toSorted()).toEqual(
      failed.map(({ delivery }) => delivery).toSorted(),
    )
  })

  test('is refused beyond its limit, and nothing of it is left', async () => {
    await using posthorn = await startTestPosthorn()
    await posthorn.subscribe()
    await publishEnded(posthorn, 5, 'failed')
    const whole = { filter: {}, choice: 'failed', ratePerSecond: null, note: null, actor: 'staff:test' } as const
    const parts = { db: posthorn.db, world: later, portionSize: 2, itemsMax: 4 }
    await expect(draftReplay(parts, whole, undefined)).rejects.toMatchObject({ code: 'limit_reached' })
    expect(await posthorn.db.prisma.replay.count()).toBe(0)
    expect(await posthorn.db.prisma.replayItem.count()).toBe(0)
    expect((await draftReplay({ ...parts, itemsMax: 5 }, whole, undefined)).itemCount).toBe(5)
  })
})

test('drafts that are made and never run send nothing, and leave deliveries as they are', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.subscribe()
  await publishEnded(posthorn, 2, 'failed')
  const { id } = await draft(posthorn, {})
  expect(await createReplaying(posthorn.db).step()).toMatchObject({ busy: false, fed: 0 })
  expect(await posthorn.db.prisma.delivery.count({ where: { state: 'failed' } })).toBe(2)
  await move(posthorn, 'cancel', id)
  expect(await counts(posthorn, id)).toEqual({ canceled: 2 })
})

type Item = { event: string; delivery: string; subscription: string }

/** Publishes so many events, and brings their deliveries to an end without a dispatcher. */
async function publishEnded(
  posthorn: TestPosthorn,
  count: number,
  state: 'failed' | 'delivered' | 'canceled',
): Promise<Item[]> {
  const items: Item[] = []
  for (let n = 0; n < count; n += 1) {
    const { eventId, deliveries } = await posthorn.publish()
    items.push(...deliveries.map((one) => ({ event: eventId, delivery: one.id, subscription: one.subscriptionId })))
  }
  await endedAs(
    posthorn,
    items.map(({ delivery }) => delivery),
    state,
  )
  return items
}

async function endedAs(
  posthorn: TestPosthorn,
  ids: string[],
  state: 'failed' | 'delivered' | 'canceled',
): Promise<void> {
  const now = new Date()
  await posthorn.db.prisma.backlog.deleteMany({ where: { deliveryId: { in: ids } } })
  await posthorn.db.prisma.delivery.updateMany({
    where: { id: { in: ids } },
    data: {
      state,
      attemptCount: 1,
      finishedAt: now,
      deliveredAt: state === 'delivered' ? now : null,
      lastFailureCode: state === 'failed' ? 'http_5xx' : null,
    },
  })
}

/** Bounds are whole milliseconds: what was published within this one is found, too. */
const later = { ...world, now: () => Date.now() + 1 }

function draft(posthorn: TestPosthorn, filter: FilterWords, more: Partial<ReplayDraft> = {}) {
  const whole = { filter, choice: 'failed', ratePerSecond: null, note: null, actor: 'staff:test', ...more } as const
  return draftReplay({ db: posthorn.db, world: later, seal }, whole, undefined)
}

function move({ db }: TestPosthorn, wanted: Parameters<typeof moveReplay>[1], id: string) {
  return moveReplay({ db }, wanted, { id, within: undefined })
}

/** As an erasure leaves it. */
async function erase({ db }: TestPosthorn, item: Item | undefined): Promise<void> {
  const erasedAt = new Date()
  await db.prisma.delivery.updateMany({ where: { id: item?.delivery ?? '' }, data: { erasedAt } })
  await db.prisma.event.updateMany({ where: { id: item?.event ?? '' }, data: { data: 'null', erasedAt } })
}

async function change(
  { db }: TestPosthorn,
  subscription: TestSubscription | undefined,
  data: { state?: string; disabledReason?: string; deletedAt?: Date },
): Promise<void> {
  await db.prisma.subscription.update({ where: { id: subscription?.id ?? '' }, data })
}

/** Resolves when a dispatcher has told that the replay ended. */
async function ended({ until, told }: TestPosthorn, _id: string): Promise<void> {
  const before = told.length
  await until(() => told.slice(before).some((one) => one.what === 'replays_fed' && one.finished > 0))
}

async function counts(posthorn: TestPosthorn, id: string): Promise<Partial<Record<ReplayOutcome, number>>> {
  const { counts: all } = await getReplay(posthorn.db, id, undefined)
  return Object.fromEntries(all.map(({ outcome, count }) => [outcome, count]))
}

/** All that a replay to another URL must leave as it is. */
async function everything({ db }: TestPosthorn) {
  const { subscription, delivery, attempt, backlog } = db.prisma
  return [
    await subscription.findMany({ orderBy: { id: 'asc' } }),
    await delivery.findMany({ orderBy: { id: 'asc' } }),
    await attempt.findMany(),
    await backlog.findMany(),
  ]
}

function isReplayed({ headers }: ReceivedRequest): boolean {
  return headers['posthorn-replay'] !== undefined
}
