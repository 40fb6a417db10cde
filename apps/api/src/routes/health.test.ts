import { beatDispatcher, type CheckOutcome } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { startTestApi } from '../testing/api.ts'

const anonymous = { as: null }

test('200 when everything that is required is well; a missing dispatcher is told and stops nothing', async () => {
  await using api = await startTestApi()
  const ready = () => api.ask('GET', '/readyz', undefined, anonymous)
  const { status, body } = await ready()
  expect(status).toBe(200)
  expect(body).toEqual({
    ready: true,
    checks: [
      { name: 'database', ok: true, required: true },
      { name: 'migrations', ok: true, required: true },
      { name: 'partitions', ok: true, required: true, detail: expect.stringMatching(/^until \d{4}-/) },
      { name: 'queue', ok: true, required: true },
      { name: 'dispatcher', ok: false, required: false, detail: 'none has been seen' },
    ],
  })
  const id = crypto.randomUUID()
  await beatDispatcher(api.db.pool, id, 15_000)
  expect((await ready()).body.checks[4]).toMatchObject({ ok: true })
  await api.db.prisma.dispatcher.update({ where: { id }, data: { heartbeatAt: new Date(Date.now() - 60_000) } })
  expect((await ready()).body.checks[4]).toMatchObject({ ok: false, detail: expect.stringContaining('60.') })
})

test('503 when a migration is missing, a partition, or the queue', async () => {
  await using api = await startTestApi()
  const failing = async () => {
    const { status, body } = await api.ask('GET', '/readyz', undefined, anonymous)
    return [status, body.checks.filter((check: { ok: boolean }) => !check.ok).map(({ name }: { name: string }) => name)]
  }
  await api.db.pool.query('delete from pgboss.schedule')
  await api.db.pool.query(`delete from pgboss.queue where name = 'hold-deliveries'`)
  expect(await failing()).toEqual([503, ['queue', 'dispatcher']])
  const { rows } = await api.db.pool.query(
    `select format('drop table %I', relname) as drop from pg_class where relispartition and relkind = 'r' and relname like 'event\\_2%'`,
  )
  for (const { drop } of rows) await api.db.pool.query(drop)
  expect(await failing()).toEqual([503, ['partitions', 'queue', 'dispatcher']])
  await api.db.pool.query('delete from _prisma_migrations')
  expect(await failing()).toEqual([503, ['migrations', 'partitions', 'queue', 'dispatcher']])
})

test('503 when a check does not come back', { timeout: 10_000 }, async () => {
  const never = Promise.withResolvers<CheckOutcome>()
  await using api = await startTestApi({ readiness: [{ name: 'slow', required: true, look: () => never.promise }] })
  const { status, body } = await api.ask('GET', '/readyz', undefined, anonymous)
  expect([status, body.checks]).toEqual([
    503,
    [{ name: 'slow', required: true, ok: false, detail: 'does not answer in time' }],
  ])
})
