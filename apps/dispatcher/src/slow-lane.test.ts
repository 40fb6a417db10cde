import { expect, test } from 'vitest'
import { createSlowLane } from './slow-lane.ts'

const lateAfterMs = 2_000

/** A lane with a clock that is set by hand. */
function laneOf(slots: number) {
  const inFlight = new Map<string, number>()
  const moves: string[] = []
  const lane = createSlowLane({
    slots,
    lateAfterMs,
    inFlightOf: (id) => inFlight.get(id) ?? 0,
    onMove: (id, isSlow) => moves.push(`${id} ${isSlow ? 'in' : 'out'}`),
  })
  const clock = { nowMs: 0 }
  function begin(id: string): object {
    const attempt = {}
    inFlight.set(id, (inFlight.get(id) ?? 0) + 1)
    lane.began(attempt, id, clock.nowMs)
    return attempt
  }
  function end(attempt: object, id: string, how: 'accepted' | 'refused' | 'timed_out'): void {
    lane.answered(attempt, id, how, clock.nowMs)
    lane.ended(attempt, id)
    inFlight.set(id, (inFlight.get(id) ?? 0) - 1)
  }
  function tryOnce(id: string, afterMs: number, how: 'accepted' | 'refused' | 'timed_out'): void {
    const attempt = begin(id)
    clock.nowMs += afterMs
    lane.look(clock.nowMs)
    end(attempt, id, how)
  }
  return { lane, moves, clock, begin, end, tryOnce }
}

test('three late attempts without an accepted one between them put a subscription into the slow lane', () => {
  const { lane, moves, tryOnce } = laneOf(16)
  tryOnce('a', 2_000, 'accepted')
  tryOnce('a', 1_000, 'timed_out')
  tryOnce('a', 10, 'refused')
  expect(moves).toEqual([])
  tryOnce('a', 15_000, 'timed_out')
  expect([lane.has('a'), moves]).toEqual([true, ['a in']])
})

test('one that is accepted in time begins the count anew, and ends the stay in the lane', () => {
  const { lane, moves, tryOnce } = laneOf(16)
  for (const _round of [1, 2, 3]) {
    tryOnce('a', 3_000, 'accepted')
    tryOnce('a', 3_000, 'accepted')
    tryOnce('a', 1_999, 'accepted')
  }
  expect(moves).toEqual([])
  for (const _late of [1, 2, 3]) tryOnce('a', 3_000, 'accepted')
  tryOnce('a', 5, 'refused')
  tryOnce('a', 3_000, 'accepted')
  expect(lane.has('a')).toBe(true)
  tryOnce('a', 5, 'accepted')
  expect([lane.has('a'), moves]).toEqual([false, ['a in', 'a out']])
})

test('quick refusals are no lateness, however many', () => {
  const { moves, tryOnce } = laneOf(16)
  for (let attempt = 0; attempt < 50; attempt += 1) tryOnce('a', 50, 'refused')
  expect(moves).toEqual([])
})

test('who hangs is known while it hangs, and what it holds beyond the lane’s part is lent and paid back', () => {
  const { lane, clock, begin, end } = laneOf(16)
  const attempts = Array.from({ length: 10 }, () => begin('a'))
  clock.nowMs = 1_999
  lane.look(clock.nowMs)
  expect([lane.has('a'), lane.room, lane.lent]).toEqual([false, 4, 0])
  clock.nowMs = 2_000
  lane.look(clock.nowMs)
  expect([lane.has('a'), lane.room, lane.lent]).toEqual([true, 0, 6])
  for (const [index, attempt] of attempts.entries()) {
    end(attempt, 'a', 'timed_out')
    const held = 9 - index
    expect([lane.room, lane.lent]).toEqual([Math.max(0, 4 - held), Math.max(0, held - 4)])
  }
})

test('what begins in the lane counts there, and what is in flight when it is left counts there no more', () => {
  const { lane, clock, begin, end, tryOnce } = laneOf(16)
  for (const _late of [1, 2, 3]) tryOnce('a', 3_000, 'timed_out')
  const [first, second] = [begin('a'), begin('a')]
  expect([lane.room, lane.lent]).toEqual([2, 0])
  clock.nowMs += 10
  end(first, 'a', 'accepted')
  expect([lane.has('a'), lane.room]).toEqual([false, 4])
  end(second, 'a', 'accepted')
  expect([lane.room, lane.lent]).toEqual([4, 0])
})

test('turns in the lane go round', () => {
  const { lane, begin, tryOnce } = laneOf(16)
  for (const id of ['a', 'b', 'c']) for (const _late of [1, 2, 3]) tryOnce(id, 3_000, 'timed_out')
  expect(lane.subscriptions).toEqual(['a', 'b', 'c'])
  begin('a')
  expect(lane.subscriptions).toEqual(['b', 'c', 'a'])
  begin('c')
  expect(lane.subscriptions).toEqual(['b', 'a', 'c'])
})

test('a lane has room for one however few slots there are, and lends a thousand at the most', () => {
  expect(laneOf(1).lane.room).toBe(1)
  const { lane, clock, begin } = laneOf(16)
  for (let attempt = 0; attempt < 5_000; attempt += 1) begin('a')
  clock.nowMs = 2_000
  lane.look(clock.nowMs)
  expect(lane.lent).toBe(1_000)
})

test('an hour without lateness is forgotten', () => {
  const { lane, clock, moves, tryOnce } = laneOf(16)
  for (const _late of [1, 2, 3]) tryOnce('a', 3_000, 'timed_out')
  for (const _late of [1, 2]) tryOnce('b', 3_000, 'timed_out')
  clock.nowMs += 3_600_000
  lane.look(clock.nowMs)
  expect(moves).toEqual(['a in', 'a out'])
  for (const _late of [1, 2]) tryOnce('b', 3_000, 'timed_out')
  expect(lane.subscriptions).toEqual([])
})
