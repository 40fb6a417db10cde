import { openJobs, requestErasure } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { startTestPosthorn, type TestPosthorn, world } from '../flows/posthorn.ts'
import { startPosthornProcess } from './posthorn-process.ts'

/** Two whole portions, and a part of one. */
const eventCount = 120
const portion = 50
const canary = 'CANARY_2604'

test('kill -9 of a dispatcher in the middle of an erasure: another one goes on behind the last whole portion, and ends it', {
  timeout: 120_000,
}, async () => {
  await using posthorn = await startTestPosthorn()
  await using jobs = await openJobs({ url: posthorn.url, mode: 'send', onError: () => undefined })
  const { db } = posthorn
  await posthorn.subscribe()
  const options = { url: posthorn.url, receiverPort: posthorn.receiver.port }
  for (let index = 0; index < eventCount; index += 1) {
    await posthorn.publish({ data: JSON.stringify(canary), keys: { order: 'ord_1' } })
  }
  await posthorn.publish({ data: JSON.stringify(canary), keys: { order: 'ord_2' } })
  await db.prisma.backlog.deleteMany()
  await db.prisma.delivery.updateMany({ data: { state: 'failed', finishedAt: new Date(), attemptCount: 1 } })
  const key = { name: 'order', value: 'ord_1' }
  const draft = { tenantId: 'acme', key, actor: 'staff:ada', reason: 'request 9' }
  const { id } = await requestErasure({ db, world, jobs }, draft)
  const events = await db.prisma.event.findMany({
    where: { keys: { path: ['order'], equals: 'ord_1' } },
    orderBy: { id: 'asc' },
  })

  await withClient(posthorn.url, async (client) => {
    // The second portion comes upon an event that somebody has locked, and waits: that is the middle.
    await client.query('begin')
    await client.query('select from event where id = $1 for update', [events[portion + 9]?.id])
    await using first = startPosthornProcess(options)
    await waitsForALock(posthorn)
    first.kill('SIGKILL')
    expect(await first.ended).toBe('SIGKILL')
    await client.query('rollback')
  })
  expect(await stateOf(posthorn, id)).toEqual({
    state: 'running',
    events: portion,
    whole: eventCount - portion,
    empty: portion,
  })

  // Its job counts as lost when three minutes are over. That is made so, in place of waiting for it.
  await withClient(posthorn.url, (client) =>
    client.query(
      `update pgboss.job set started_on = now() - interval '181 seconds' where name = 'erase' and state = 'active'`,
    ),
  )
  await using second = startPosthornProcess(options)
  await isLost(posthorn)
  // The next minute's.
  await jobs.boss.send('erase', {}, { singletonKey: '' })
  await second.until(() => (second.said.get('events_erased') ?? 0) > 0)
  expect(await stateOf(posthorn, id)).toEqual({ state: 'completed', events: eventCount, whole: 0, empty: eventCount })
  // The fact of each delivery is there, and the other key's event is untouched.
  expect(await db.prisma.delivery.count({ where: { state: 'failed', attemptCount: 1 } })).toBe(eventCount + 1)
  expect(await db.prisma.event.findMany({ where: { erasedAt: null } })).toMatchObject([
    { data: JSON.stringify(canary), keys: { order: 'ord_2' } },
  ])
})

/** How far the erasure is by its own word, and how many of its events are whole and how many empty. */
async function stateOf({ db }: TestPosthorn, id: string) {
  const { state, eventCount: events } = await db.prisma.erasure.findUniqueOrThrow({ where: { id } })
  const whole = { data: JSON.stringify(canary), keys: { path: ['order'], equals: 'ord_1' } }
  return {
    ...{ state, events },
    whole: await db.prisma.event.count({ where: { ...whole, erasedAt: null } }),
    empty: await db.prisma.event.count({ where: { data: 'null', erasedAt: { not: null } } }),
  }
}

/** Resolves when a statement waits for a row that somebody else has locked. */
async function waitsForALock({ db }: TestPosthorn): Promise<void> {
  for (let waiting: unknown[] = []; waiting.length === 0; ) {
    waiting = await db.prisma.$queryRaw`
      select pid from pg_stat_activity
      where datname = current_database() and application_name = 'posthorn' and wait_event_type = 'Lock'`
  }
}

/** Resolves when nobody is taken to be at the erasures any more. */
async function isLost({ db }: TestPosthorn): Promise<void> {
  for (let active: unknown[] = [1]; active.length > 0; ) {
    active = await db.prisma.$queryRaw`select id from pgboss.job where name = 'erase' and state = 'active'`
  }
}
