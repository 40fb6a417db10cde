import { expect, test } from 'vitest'
import { openDatabase } from './db/database.ts'
import { transaction } from './db/transaction.ts'
import { installJobs, openJobs, queues } from './jobs.ts'
import { createTestDatabase } from './testing/index.ts'
import { startProxy } from './testing/proxy.ts'

const subscriptionId = '01900000-0000-7000-8000-000000000001'

test('a connection of the queue that falls silent is given up, and the next question takes a new one', async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const proxy = stack.use(await startProxy(database.url))
  const options = { url: proxy.url, mode: 'send', onError: () => undefined, answerTimeoutMs: 500 } as const
  const jobs = stack.use(await openJobs(options))
  expect(await jobs.boss.fetch('dispatch-shard')).toEqual([])
  proxy.fallSilent()
  await expect(jobs.boss.fetch('dispatch-shard')).rejects.toThrow()
  expect(await jobs.boss.fetch('dispatch-shard')).toEqual([])
})

test('a job is born with the transaction it belongs to, and dies with it', async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 2 }))
  const jobs = stack.use(await openJobs({ url: database.url, mode: 'send', onError: () => undefined }))
  const send = (id: string) =>
    transaction(db, async (tx) => {
      await jobs.send(tx, 'hold-deliveries', { subscription_id: id }, id)
      if (id !== subscriptionId) throw new RangeError('rolled back')
    })
  await expect(send('another')).rejects.toBeInstanceOf(RangeError)
  expect(await jobs.boss.fetch('hold-deliveries')).toEqual([])
  await send(subscriptionId)
  expect(await jobs.boss.fetch('hold-deliveries')).toMatchObject([{ data: { subscription_id: subscriptionId } }])
})

test('a job that still waits makes a second one of its key unnecessary, and one that is being worked does not', async () => {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const db = stack.use(openDatabase({ url: database.url, poolSize: 2 }))
  const jobs = stack.use(await openJobs({ url: database.url, mode: 'send', onError: () => undefined }))
  const send = (key: string) =>
    transaction(db, (tx) => jobs.send(tx, 'hold-deliveries', { subscription_id: subscriptionId }, key))
  for (const key of ['a', 'a', 'b']) await send(key)
  const worked = await jobs.boss.fetch('hold-deliveries', { batchSize: 10 })
  expect(worked).toHaveLength(2)
  await send('a')
  // It waits for the one of its key that is being worked.
  expect(await jobs.boss.fetch('hold-deliveries', { batchSize: 10 })).toEqual([])
  await jobs.boss.complete(
    'hold-deliveries',
    worked.map((job) => job.id),
  )
  expect(await jobs.boss.fetch('hold-deliveries', { batchSize: 10 })).toHaveLength(1)
})

test('the queues can be installed again, also by several processes at once', async () => {
  await using database = await createTestDatabase()
  await Promise.all([installJobs(database.url), installJobs(database.url), installJobs(database.url)])
  await using db = openDatabase({ url: database.url, poolSize: 1 })
  const { rows } = await db.pool.query(`select name from pgboss.queue where name not like '\\_\\_%' order by name`)
  expect(rows.map((row) => row.name)).toEqual(Object.keys(queues).sort())
})
