import type { GivenAuth } from '@posthorn/contract'
import { createSeal } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { everythingIn, expectNowhere, logOf } from './canary.ts'
import { startTestPosthorn, world } from './posthorn.ts'

const canary = 'canary-4f9d2c7be1a8'
const kinds: readonly { auth: GivenAuth; header: string; sent: string }[] = [
  {
    auth: { type: 'basic', username: 'acme', password: canary },
    header: 'authorization',
    sent: `Basic ${Buffer.from(`acme:${canary}`).toString('base64')}`,
  },
  { auth: { type: 'bearer', token: canary }, header: 'authorization', sent: `Bearer ${canary}` },
  { auth: { type: 'api_key', header: 'X-Token', value: canary }, header: 'x-token', sent: canary },
]

test.for(kinds)(
  'the receiver gets the credentials of type $auth.type, and nobody else does',
  async ({ auth, header, sent }) => {
    await using posthorn = await startTestPosthorn({
      answer: ({ earlier }) => ({ status: earlier === 0 ? 401 : 204 }),
    })
    await posthorn.dispatch()
    const subscription = await posthorn.subscribe()
    await posthorn.change(subscription, { auth, headers: { 'x-own': 'visible' } })
    await posthorn.publish()
    await posthorn.recorded(1)
    await posthorn.timePasses()
    await posthorn.recorded(2)
    for (const request of posthorn.receiver.requests) {
      expect(request).toMatchObject({ signature: 'valid', headers: { [header]: sent, 'x-own': 'visible' } })
    }
    const attempts = await posthorn.db.prisma.attempt.findMany()
    expect(attempts.map((attempt) => attempt.requestHeaders)).toEqual([
      expect.objectContaining({ [header]: '[redacted]', 'x-own': 'visible' }),
      expect.objectContaining({ [header]: '[redacted]', 'x-own': 'visible' }),
    ])
    expectNowhere([canary, sent, sent.split(' ').at(-1) ?? sent], logOf(posthorn), await everythingIn(posthorn))
  },
)

test('an attempt whose credentials cannot be opened is not sent without them, and says nothing of them', async () => {
  await using posthorn = await startTestPosthorn()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { auth: { type: 'bearer', token: canary } })
  const other = createSeal([world.randomBytes(32)], world)
  await posthorn.dispatch({ seal: other })
  await posthorn.publish()
  const [attempt] = await posthorn.recorded(1)
  expect(attempt?.record).toMatchObject({ failureCode: 'internal_error', next: { kind: 'retry' } })
  expect(posthorn.receiver.requests).toEqual([])
  expect(logOf(posthorn)).toContain('unknown_master_key')
  expectNowhere([canary], logOf(posthorn), await everythingIn(posthorn))
})

test('credentials that are changed or taken away apply to deliveries already waiting', async () => {
  await using posthorn = await startTestPosthorn({
    answer: ({ headers }) => ({ status: headers.authorization === 'Bearer new' ? 204 : 401 }),
  })
  await posthorn.dispatch()
  const subscription = await posthorn.subscribe()
  await posthorn.change(subscription, { auth: { type: 'bearer', token: 'old' } })
  await posthorn.publish()
  await posthorn.recorded(1)
  await posthorn.change(subscription, { auth: null })
  await posthorn.timePasses()
  await posthorn.recorded(2)
  await posthorn.change(subscription, { auth: { type: 'bearer', token: 'new' } })
  await posthorn.timePasses()
  const attempts = await posthorn.recorded(3)
  expect(attempts.map(({ record }) => record.status)).toEqual([401, 401, 204])
  expect(posthorn.receiver.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer old',
    undefined,
    'Bearer new',
  ])
})
