import { createStream, type StreamedRow } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { startTestPosthorn, world } from './posthorn.ts'
import { createSignals } from './signals.ts'

test('who streams is told what dispatchers record, of its own tenant; while nobody streams nobody is told anything', async () => {
  await using posthorn = await startTestPosthorn()
  await posthorn.dispatch()
  await posthorn.subscribe()
  const { notify, until } = createSignals()
  const heard: string[] = []
  const client = await posthorn.db.pool.connect()
  client.on('notification', ({ payload }) => {
    heard.push(payload ?? '')
    notify()
  })
  await client.query('listen posthorn_attempts')
  await posthorn.publish()
  await posthorn.recorded(1)
  // Whatever was told before is heard before it.
  await posthorn.db.pool.query(`select pg_notify('posthorn_attempts', 'mark')`)
  await until(() => heard.length > 0)
  expect(heard).toEqual(['mark'])
  client.release(true)

  await using stream = createStream({ db: posthorn.db, world })
  const told: StreamedRow[] = []
  const foreign: StreamedRow[] = []
  const reader = (rows: StreamedRow[]) => ({
    attempts(given: readonly StreamedRow[]) {
      rows.push(...given)
      notify()
    },
    reset: () => undefined,
  })
  const tenantId = (await posthorn.db.prisma.subscription.findFirstOrThrow()).tenantId
  await stream.read({ within: tenantId }, reader(told), undefined)
  await stream.read({ within: 'somebody-else' }, reader(foreign), undefined)
  // The dispatcher hears that somebody has asked within a moment; what it recorded before is not told.
  for (let published = 2; told.length === 0; published += 1) {
    await posthorn.publish()
    await posthorn.recorded(published)
  }
  const last = await posthorn.publish()
  await until(() => told.some((row) => row.event_id === last.eventId))
  expect(told.at(-1)).toMatchObject({
    tenant_id: tenantId,
    event_type: 'invoice.paid',
    state: 'delivered',
    number: 1,
    http_status: 204,
  })
  expect(foreign).toEqual([])
})

test('every attempt of a dispatcher is counted in the rollups, with its cause, its receiver and its times', async () => {
  await using posthorn = await startTestPosthorn({
    answer: ({ body }) => ({ status: body.includes('fails') ? 503 : 204 }),
  })
  await posthorn.dispatch()
  await posthorn.subscribe({ retryScheduleSeconds: [1] })
  for (const data of ['"works"', '"fails"', '"works"']) await posthorn.publish({ data })
  await posthorn.recorded(3)
  await posthorn.timePasses()
  await posthorn.recorded(4)
  const rollups = await posthorn.db.prisma.attemptMinute.findMany()
  const sum = (code: string, of: 'attempts' | 'ended' | 'entered') =>
    rollups.filter(({ failureCode }) => failureCode === code).reduce((all, row) => all + row[of], 0)
  expect([sum('', 'attempts'), sum('', 'ended'), sum('', 'entered')]).toEqual([2, 2, 0])
  expect([sum('http_5xx', 'attempts'), sum('http_5xx', 'ended'), sum('http_5xx', 'entered')]).toEqual([2, 1, 1])
  const timed = rollups.flatMap(({ times }) => times).reduce((all, count) => all + count, 0)
  expect(timed).toBe(4)
  for (const { host, eventType, trigger } of rollups) {
    expect([new URL(`http://${host}`).port, eventType, trigger]).toEqual([
      String(posthorn.receiver.port),
      'invoice.paid',
      'automatic',
    ])
  }
})
