import { withClient } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { createGate } from '../flows/gate.ts'
import { startTestPosthorn, type TestPosthorn } from '../flows/posthorn.ts'

test('attempts in flight when every connection to the database breaks are recorded when it is back, and none is made twice', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  await posthorn.dispatch({ ownDatabase: true })
  await posthorn.subscribe({ maxInFlight: 20 })
  await publishMany(posthorn, 40)
  await gate.holds(20)
  await breakConnections(posthorn)
  gate.open()
  await posthorn.recorded(40)
  expect(posthorn.receiver.requests).toHaveLength(40)
  expect(posthorn.attempts.every(({ moved }) => moved)).toBe(true)
  expect(await posthorn.db.prisma.delivery.count({ where: { state: 'delivered', attemptCount: 1 } })).toBe(40)
})

test('an outcome waits for a database that stays away, and is recorded when it comes back', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const dispatcher = await posthorn.dispatch({ ownDatabase: true })
  await posthorn.subscribe()
  await posthorn.publish()
  await gate.holds(1)
  await allowConnections(posthorn, false)
  await breakConnections(posthorn)
  gate.open()
  const failedRecordings = () => dispatcher.told.filter((o) => o.what === 'round_failed' && o.round === 'record')
  await posthorn.until(() => failedRecordings().length >= 3)
  expect(posthorn.attempts).toEqual([])
  await allowConnections(posthorn, true)
  await posthorn.recorded(1)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered', attemptCount: 1 })
  expect(posthorn.receiver.requests).toHaveLength(1)
})

test('an outcome waits for a table that does not fit, instead of being given up and sent once more', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const dispatcher = await posthorn.dispatch()
  await posthorn.subscribe()
  await posthorn.publish()
  await gate.holds(1)
  // As by a migration that this process is too old for, and that is then taken back.
  await posthorn.db.pool.query('alter table attempt rename column wait_ms to waited_ms')
  gate.open()
  await posthorn.until(() => dispatcher.told.some((o) => o.what === 'round_failed' && o.round === 'record'))
  await posthorn.db.pool.query('alter table attempt rename column waited_ms to wait_ms')
  await posthorn.recorded(1)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered', attemptCount: 1 })
  expect(dispatcher.told.filter((o) => o.what === 'delivery_fault')).toEqual([])
})

test('outcomes that waited for longer than their leases lasted are recorded before anything is made again', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const dispatcher = await posthorn.dispatch()
  await posthorn.subscribe()
  await posthorn.publish()
  await gate.holds(1)
  // As on a disk without room: outcomes cannot be written, and everything else goes on.
  await posthorn.db.pool.query(`
    create function no_room() returns trigger language plpgsql as
      $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$;
    create trigger no_room before insert on attempt for each row when (new.failure_code is null) execute function no_room()`)
  gate.open()
  const failedRecordings = () => dispatcher.told.filter((o) => o.what === 'round_failed' && o.round === 'record').length
  await posthorn.until(() => failedRecordings() > 0)
  await posthorn.leasesRunOut()
  // As long as several looks for what has run out.
  const before = failedRecordings()
  await posthorn.until(() => failedRecordings() >= before + 4)
  await posthorn.db.pool.query('drop trigger no_room on attempt')
  await posthorn.recorded(1)
  expect(posthorn.receiver.requests).toHaveLength(1)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered', attemptCount: 1 })
  expect(dispatcher.told.filter((o) => o.what === 'deliveries_woken')).toEqual([])
})

test('a dispatcher whose database stays away while it stops gives up on the outcome, which costs one more attempt and no event', async () => {
  const gate = createGate()
  await using posthorn = await startTestPosthorn({ answer: gate.answer })
  const dispatcher = await posthorn.dispatch({ ownDatabase: true, drainMs: 1 })
  await posthorn.subscribe()
  await posthorn.publish()
  await gate.holds(1)
  await allowConnections(posthorn, false)
  await breakConnections(posthorn)
  gate.open()
  await posthorn.until(() => dispatcher.told.some((o) => o.what === 'round_failed' && o.round === 'record'))
  await dispatcher.stop()
  expect(dispatcher.told).toContainEqual(expect.objectContaining({ what: 'dispatcher_stopped' }))
  await posthorn.until(() => dispatcher.told.some((o) => o.what === 'delivery_fault'))
  expect(posthorn.attempts).toEqual([])
  await allowConnections(posthorn, true)
  // The shards could not be given back, so their heartbeat runs out first; that is tested with real processes.
  await posthorn.db.pool.query('delete from dispatcher')
  await posthorn.db.pool.query(`delete from pgboss.job where name = 'dispatch-shard'`)
  await posthorn.leasesRunOut()
  await posthorn.dispatch()
  await posthorn.recorded(1)
  expect(await posthorn.db.prisma.delivery.findFirstOrThrow()).toMatchObject({ state: 'delivered', attemptCount: 2 })
  expect(posthorn.receiver.requests.map((request) => request.earlier)).toEqual([0, 1])
})

test('connections that break again and again under load cost no event and no second request', async () => {
  await using posthorn = await startTestPosthorn()
  const dispatcher = await posthorn.dispatch({ ownDatabase: true })
  await posthorn.subscribeMany(10)
  await publishMany(posthorn, 60)
  for (const requests of [50, 150, 250, 350, 450]) {
    await posthorn.received(requests)
    await breakConnections(posthorn)
  }
  const claimed = () => dispatcher.told.reduce((sum, o) => (o.what === 'deliveries_claimed' ? sum + o.count : sum), 0)
  // A claim whose answer got lost with its connection has sent nothing; its leases run out.
  await expect
    .poll(
      async () => {
        const idle = claimed() === posthorn.attempts.length
        if (idle && (await posthorn.db.prisma.backlog.count({ where: { ready: true } })) === 0)
          await posthorn.leasesRunOut()
        return posthorn.db.prisma.delivery.count({ where: { state: 'delivered' } })
      },
      { timeout: 20_000 },
    )
    .toBe(600)
  expect(posthorn.receiver.requests).toHaveLength(600)
  expect(posthorn.receiver.requests.filter((request) => request.earlier > 0)).toEqual([])
})

/** Ends every session of this database but the one that does it. */
async function breakConnections({ url }: TestPosthorn): Promise<void> {
  await atServer(url, async (query, name) => {
    await query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  })
}

/** Lets nobody in, as a server that is restarting. */
async function allowConnections({ url }: TestPosthorn, allowed: boolean): Promise<void> {
  await atServer(url, async (query, name) => {
    await query(`alter database "${name}" with allow_connections ${allowed}`)
  })
}

type Query = (text: string, values?: unknown[]) => Promise<unknown>

/** From another database of the same server. */
async function atServer(url: string, work: (query: Query, name: string) => Promise<void>): Promise<void> {
  const server = new URL(url)
  const name = server.pathname.slice(1)
  server.pathname = '/postgres'
  await withClient(server.href, (client) => work((text, values) => client.query(text, values), name))
}

async function publishMany(posthorn: TestPosthorn, count: number): Promise<void> {
  const draft = { tenantId: 'acme', type: 'invoice.paid', data: '{}' }
  const results = await posthorn.publisher.publishMany(Array.from({ length: count }, () => draft))
  expect(results.filter((result) => result instanceof Error)).toEqual([])
}
