import type { Occurrence } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { startRounds } from './rounds.ts'

const hourMs = 3_600_000
const quiet = { telemetry: () => undefined, pauseAfterFailureMs: hourMs }

/** A round whose ends are told one by one. */
function stepped() {
  const begun: PromiseWithResolvers<number>[] = []
  const waiters: (() => void)[] = []
  return {
    begun,
    round(): Promise<number> {
      const one = Promise.withResolvers<number>()
      begun.push(one)
      for (const resolve of waiters.splice(0)) resolve()
      return one.promise
    },
    async times(count: number): Promise<void> {
      while (begun.length < count) await new Promise<void>((resolve) => waiters.push(resolve))
    },
  }
}

test('a round that asks for no pause is followed by the next one at once', async () => {
  const steps = stepped()
  const rounds = startRounds('test', steps.round, quiet)
  for (let count = 1; count <= 3; count += 1) {
    await steps.times(count)
    steps.begun[count - 1]?.resolve(0)
  }
  await steps.times(4)
  const stopped = rounds.stop()
  steps.begun[3]?.resolve(0)
  await stopped
  expect(steps.begun).toHaveLength(4)
})

test('hurrying ends a pause', async () => {
  const steps = stepped()
  const rounds = startRounds('test', steps.round, quiet)
  steps.begun[0]?.resolve(hourMs)
  await steps.begun[0]?.promise
  await new Promise(setImmediate) // into the pause
  rounds.hurry()
  await steps.times(2)
  steps.begun[1]?.resolve(hourMs)
  await rounds.stop()
})

test('hurrying during a round makes the next one follow at once: what came meanwhile is not missed', async () => {
  const steps = stepped()
  const rounds = startRounds('test', steps.round, quiet)
  rounds.hurry()
  rounds.hurry()
  steps.begun[0]?.resolve(hourMs)
  await steps.times(2)
  steps.begun[1]?.resolve(hourMs)
  await new Promise(setImmediate)
  // Two hurries are one more round.
  expect(steps.begun).toHaveLength(2)
  await rounds.stop()
})

test('a round that fails is told, and tried again after a pause', async () => {
  const told: Occurrence[] = []
  const steps = stepped()
  const options = { telemetry: (occurrence: Occurrence) => told.push(occurrence), pauseAfterFailureMs: 1 }
  const rounds = startRounds('look', steps.round, options)
  const error = new Error('no database')
  steps.begun[0]?.reject(error)
  await steps.times(2)
  expect(told).toEqual([{ what: 'round_failed', round: 'look', error, times: 1 }])
  const stopped = rounds.stop()
  steps.begun[1]?.resolve(0)
  await stopped
})

test('stopping ends a pause, waits for a round under way, and may be asked for twice', async () => {
  const steps = stepped()
  const rounds = startRounds('test', steps.round, quiet)
  let ended = false
  const stopped = Promise.all([rounds.stop(), rounds.stop()]).then(() => (ended = true))
  await new Promise(setImmediate)
  expect(ended).toBe(false)
  steps.begun[0]?.resolve(hourMs)
  await stopped
  rounds.hurry()
  await rounds.stop()
  expect(steps.begun).toHaveLength(1)
})
