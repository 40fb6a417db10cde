import { expect, test } from 'vitest'
import { startTestPosthorn } from './posthorn.ts'

test('a changed URL applies to deliveries already waiting', async () => {
  await using posthorn = await startTestPosthorn({
    answer: ({ path }) => ({ status: path === '/new' ? 204 : 500 }),
  })
  const subscription = await posthorn.subscribe()
  posthorn.receiver.trust('/new', subscription.secret)
  const dispatcher = await posthorn.dispatch()
  await posthorn.publish()
  await posthorn.recorded(1)
  await dispatcher.leave()
  // One waits for its retry, and the other one for its first attempt.
  await posthorn.publish()
  await posthorn.change(subscription, { url: `${posthorn.receiver.origin}/new` })
  await posthorn.timePasses()
  await posthorn.dispatch()
  await posthorn.recorded(3)
  expect(posthorn.receiver.requests.map(({ path, signature }) => [path, signature])).toEqual([
    [subscription.path, 'valid'],
    ['/new', 'valid'],
    ['/new', 'valid'],
  ])
  const deliveries = await posthorn.db.prisma.delivery.findMany({ orderBy: { id: 'asc' } })
  expect(deliveries.map(({ state, attemptCount }) => [state, attemptCount])).toEqual([
    ['delivered', 2],
    ['delivered', 1],
  ])
  const attempts = await posthorn.db.prisma.attempt.findMany({ orderBy: { id: 'asc' } })
  expect(attempts[0]?.url).toBe(`${posthorn.receiver.origin}${subscription.path}`)
  expect(attempts.slice(1).map(({ url }) => url)).toEqual(Array(2).fill(`${posthorn.receiver.origin}/new`))
})
