/**
 * `metrics`: what support waits for when it asks how deliveries went. The same questions are asked beside the rollups of ever
 * more attempts, of one tenant and of all of them.
 */
import { type Database, getCauses, getDeliveryMetrics, rollUpAttempts } from '@posthorn/engine'
import type { Figure } from '../report/row.ts'
import { percentile } from '../report/statistics.ts'
import { insertRollups } from '../sql/insert-rollups.ts'
import { vacuum } from '../sql/vacuum.ts'
import { type Bench, type Benchmark, expectCounts } from './benchmark.ts'

const tenants = 200
const subscriptionsPerTenant = 5
const days = 7
/** How often each question is asked. */
const asked = 15
/** A page of figures has about five of them, and should be there in half a second; in milliseconds. */
const tenantMsMax = 100
/** Of a whole installation, for the operator, in milliseconds. */
const allMsMax = 3_000

const hourMs = 3_600_000

/** What is told when nothing is said: the times of receivers, and not ours. */
const page = { times: true, waits: false } as const

type Question = { name: string; goalMs: number; ask(db: Database, bench: Bench): Promise<unknown> }

const questions: readonly Question[] = [
  {
    name: 'tenant-day',
    goalMs: tenantMsMax,
    ask: (db, { world }) =>
      getDeliveryMetrics(
        { db, world },
        { sinceMs: world.now() - 86_400_000, tenants: ['tenant-7'] },
        { groupBy: 'event_type', interval: '1h', ...page },
      ),
  },
  {
    name: 'tenant-week',
    goalMs: tenantMsMax,
    ask: (db, { world }) =>
      getDeliveryMetrics(
        { db, world },
        { sinceMs: world.now() - days * 86_400_000, tenants: ['tenant-7'] },
        { groupBy: undefined, interval: '1h', ...page },
      ),
  },
  {
    name: 'all-day',
    goalMs: allMsMax,
    ask: (db, { world }) =>
      getDeliveryMetrics(
        { db, world },
        { sinceMs: world.now() - 86_400_000 },
        { groupBy: 'failure_code', interval: '1h', ...page },
      ),
  },
  {
    name: 'all-day-5m',
    goalMs: allMsMax,
    ask: (db, { world }) =>
      getDeliveryMetrics(
        { db, world },
        { sinceMs: world.now() - 86_400_000 },
        { groupBy: undefined, interval: '5m', ...page },
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
    await insertRollups(stage.db, bench.world.now(), { attempts, days, tenants, subscriptionsPerTenant })
    await vacuum(stage.db)
    for (const question of questions) {
      const times = await bench.measured(`${question.name}, ${name} attempts`, () => timesOf(question, stage.db, bench))
      const goal = { of: 'value', is: '<=', limit: question.goalMs } as const
      figures.push({ name: `metrics.${name}.${question.name}`, value: percentile(times, 0.5), unit: 'ms', goal })
    }
    figures.push(await rollUp(stage.db, bench, name))
  }
  return figures
}

/** What the end of an hour costs, and that nothing is lost or doubled by it. */
async function rollUp(db: Database, bench: Bench, name: string): Promise<Figure> {
  // Until later than now: what is counted must not depend on when it is.
  const filter = { sinceMs: bench.world.now() - 86_400_000, untilMs: bench.world.now() + 86_400_000 }
  const nothingElse = { groupBy: undefined, interval: undefined, times: false, waits: false }
  const counted = async () => (await getDeliveryMetrics({ db, ...bench }, filter, nothingElse)).rows[0]?.attempts ?? 0
  const before = await counted()
  // As late in this hour as is enough for the one before to be over, whatever the minute is.
  const settled = Math.floor(bench.world.now() / hourMs) * hourMs + hourMs / 2
  const perSecond = await bench.measured(`an hour rolled up, ${name} attempts`, async () => {
    const begun = performance.now()
    const { rolledUp } = await rollUpAttempts(db, new Date(settled))
    return rolledUp / ((performance.now() - begun) / 1_000)
  })
  expectCounts({ attempts: await counted() }, { attempts: before })
  return { name: `metrics.${name}.roll-up`, value: perSecond, unit: 'rollups/s' }
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
