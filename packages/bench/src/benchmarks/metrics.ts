/**
 * `metrics`: what support waits for when it asks how deliveries went. The same questions are asked beside the rollups of ever
 * more attempts, of one tenant and of all of them.
 */
import { type Database, getCauses, getDeliveryMetrics } from '@posthorn/engine'
import type { Figure } from '../report/row.ts'
import { percentile } from '../report/statistics.ts'
import { insertRollups } from '../sql/insert-rollups.ts'
import { vacuum } from '../sql/vacuum.ts'
import type { Bench, Benchmark } from './benchmark.ts'

const tenants = 200
const subscriptionsPerTenant = 5
const days = 7
/** How often each question is asked. */
const asked = 15
/** A page of figures has about five of them, and should be there in half a second; in milliseconds. */
const tenantMsMax = 100
/** Of a whole installation, for the operator, in milliseconds. */
const allMsMax = 3_000

type Question = { name: string; goalMs: number; ask(db: Database, bench: Bench): Promise<unknown> }

const questions: readonly Question[] = [
  {
    name: 'tenant-day',
    goalMs: tenantMsMax,
    ask: (db, { world }) =>
      getDeliveryMetrics(
        { db, world },
        { sinceMs: world.now() - 86_400_000, tenants: ['tenant-7'] },
        { groupBy: 'event_type', interval: '1h' },
      ),
  },
  {
    name: 'tenant-week',
    goalMs: tenantMsMax,
    ask: (db, { world }) =>
      getDeliveryMetrics(
        { db, world },
        { sinceMs: world.now() - days * 86_400_000, tenants: ['tenant-7'] },
        { groupBy: undefined, interval: '1h' },
      ),
  },
  {
    name: 'all-day',
    goalMs: allMsMax,
    ask: (db, { world }) =>
      getDeliveryMetrics(
        { db, world },
        { sinceMs: world.now() - 86_400_000 },
        { groupBy: 'failure_code', interval: '1h' },
      ),
  },
  {
    name: 'causes-day',
    goalMs: allMsMax,
    ask: (db, { world }) => getCauses({ db, world }, { sinceMs: world.now() - 86_400_000 }),
  },
]

export const metrics: Benchmark = async (bench) => {
  const figures: Figure[] = []
  for (const { name, attempts } of bench.sizes.metrics.attempts) {
    await using stage = await bench.openStage()
    await insertRollups(stage.db, { attempts, days, tenants, subscriptionsPerTenant })
    await vacuum(stage.db)
    for (const question of questions) {
      const times = await bench.measured(`${question.name}, ${name} attempts`, () => timesOf(question, stage.db, bench))
      const goal = { of: 'value', is: '<=', limit: question.goalMs } as const
      figures.push({ name: `metrics.${name}.${question.name}`, value: percentile(times, 0.5), unit: 'ms', goal })
    }
  }
  return figures
}

async function timesOf(question: Question, db: Database, bench: Bench): Promise<number[]> {
  const times: number[] = []
  for (let turn = 0; turn < asked; turn += 1) {
    const begun = performance.now()
    await question.ask(db, bench)
    times.push(performance.now() - begun)
  }
  return times
}
