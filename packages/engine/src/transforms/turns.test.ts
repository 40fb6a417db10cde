import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTurns, type Turn } from './turns.ts'

const turn = (tenantId: string, subscriptionId = `${tenantId}-1`): Turn => ({ tenantId, subscriptionId })

test('the tenant that has used the least time comes first, and of his subscriptions the one that has', () => {
  const turns = createTurns<Turn>(1)
  for (let n = 0; n < 5; n += 1) {
    for (const one of [turn('acme', 'a1'), turn('acme', 'a2'), turn('globex', 'g1')]) turns.wait(one)
  }
  const order: string[] = []
  for (let next = turns.take(); next !== undefined; next = turns.take()) {
    order.push(next.subscriptionId)
    turns.ended(next, next.subscriptionId === 'a1' ? 50 : 10)
  }
  // acme uses 60 ms for its first two, in which globex gets all of its turns; then a2 catches up with a1.
  expect(order).toEqual(['a1', 'g1', 'g1', 'g1', 'g1', 'g1', 'a2', 'a2', 'a2', 'a2', 'a2', 'a1', 'a1', 'a1', 'a1'])
})

test('a subscription that hangs gets one turn while another gets hundreds', () => {
  const turns = createTurns<Turn>(1)
  const counts = new Map<string, number>()
  turns.wait(turn('hanging'))
  turns.wait(turn('quick'))
  for (let ms = 0; ms < 3_000; ) {
    const next = turns.take()
    if (next === undefined) throw new Error('somebody waits always')
    turns.wait(next)
    const took = next.tenantId === 'hanging' ? 1_000 : 1
    turns.ended(next, took)
    ms += took
    counts.set(next.tenantId, (counts.get(next.tenantId) ?? 0) + 1)
  }
  expect(counts.get('hanging')).toBe(2)
  expect(counts.get('quick')).toBe(1_000)
})

test('those that were slow never have all slots at once, until they are quick again', () => {
  const turns = createTurns<Turn>(2)
  const [slow, slower, quick] = [turn('slow'), turn('slower'), turn('quick')]
  for (const one of [slow, slower]) {
    turns.wait(one)
    expect(turns.take()).toBe(one)
    turns.ended(one, 1_000)
  }
  turns.wait(slow)
  turns.wait(slower)
  expect(turns.take()).toBe(slow)
  expect(turns.take()).toBeUndefined()
  turns.wait(quick)
  expect(turns.take()).toBe(quick)
  turns.ended(slow, 1)
  // It was quick this time, so that one more that is slow may go beside it.
  turns.wait(slow)
  expect([turns.take(), turns.take()]).toEqual(expect.arrayContaining([slow, slower]))
})

test('with one slot those that are slow get it too', () => {
  const turns = createTurns<Turn>(1)
  const slow = turn('slow')
  for (let n = 0; n < 3; n += 1) {
    turns.wait(slow)
    expect(turns.take()).toBe(slow)
    turns.ended(slow, 1_000)
  }
})

test('who comes anew begins where the others are, and not with all the time that they have used', () => {
  const turns = createTurns<Turn>(1)
  const old = turn('old')
  turns.wait(old)
  for (let n = 0; n < 10; n += 1) {
    turns.wait(old)
    turns.take()
    turns.ended(old, 10)
  }
  const fresh = turn('fresh')
  for (let n = 0; n < 10; n += 1) turns.wait(fresh)
  for (let n = 0; n < 10; n += 1) turns.wait(old)
  const order = Array.from({ length: 6 }, () => {
    const next = turns.take()
    if (next !== undefined) turns.ended(next, 10)
    return next?.tenantId
  })
  expect(order.filter((tenantId) => tenantId === 'fresh')).toHaveLength(3)
})

test('everybody who waits gets a turn exactly once, or is taken back, whatever happens in between', () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant('wait' as const), tenant: fc.nat(3), subscription: fc.nat(2) }),
    fc.record({ what: fc.constant('take' as const) }),
    fc.record({ what: fc.constant('end' as const), ms: fc.nat(2_000), which: fc.nat() }),
    fc.record({ what: fc.constant('leave' as const), which: fc.nat() }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 200 }), (slots, steps) => {
      const turns = createTurns<Turn>(slots)
      const waiting = new Set<Turn>()
      const underWay: Turn[] = []
      const take = () => {
        if (underWay.length >= slots) return
        const next = turns.take()
        if (next === undefined) return
        expect(waiting.delete(next)).toBe(true)
        underWay.push(next)
      }
      const end = (which: number, ms: number) => {
        const [ended] = underWay.splice(which % Math.max(1, underWay.length), 1)
        if (ended !== undefined) turns.ended(ended, ms)
      }
      for (const one of steps) {
        if (one.what === 'wait') {
          const made = turn(`t${one.tenant}`, `t${one.tenant}-s${one.subscription}`)
          turns.wait(made)
          waiting.add(made)
        } else if (one.what === 'take') take()
        else if (one.what === 'end') end(one.which, one.ms)
        else {
          const left = [...waiting][one.which % Math.max(1, waiting.size)]
          if (left !== undefined) turns.leave(left)
          if (left !== undefined) waiting.delete(left)
        }
        expect(turns.waiting).toBe(waiting.size)
      }
      while (underWay.length > 0) end(0, 1)
      for (let left = waiting.size; left > 0; left -= 1) {
        take()
        end(0, 1)
      }
      expect([waiting.size, turns.waiting]).toEqual([0, 0])
    }),
  )
})
