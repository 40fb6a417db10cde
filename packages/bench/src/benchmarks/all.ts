/** The benchmarks by name, and how much each measures. */
import { backlog } from './backlog.ts'
import type { Benchmark, Sizes } from './benchmark.ts'
import { drain, drainWide } from './drain.ts'
import { fairness } from './fairness.ts'
import { latency } from './latency.ts'
import { metrics } from './metrics.ts'
import { publish } from './publish.ts'

export const benchmarks: Readonly<Record<string, Benchmark>> = {
  drain,
  'drain-wide': drainWide,
  backlog,
  publish,
  latency,
  fairness,
  metrics,
}

export const fullSizes: Sizes = {
  drain: { deliveries: 60_000, subscriptions: 1_000 },
  drainWide: { deliveries: 60_000, subscriptions: 60_000 },
  backlog: {
    deliveries: 20_000,
    subscriptions: 1_000,
    waiting: [
      { name: '10k', count: 10_000 },
      { name: '100k', count: 100_000 },
      { name: '1m', count: 1_000_000 },
    ],
    scheduled: { name: '1m-later', count: 1_000_000 },
  },
  publish: { seconds: 10, warmUpSeconds: 3, tenants: 100 },
  latency: { seconds: 20, warmUpSeconds: 5, tenants: 100, perSecond: [200, 500] },
  fairness: { seconds: 20, warmUpSeconds: 5, tenants: 960, perSecond: 100, rush: 100_000, silent: 40 },
  metrics: {
    attempts: [
      { name: '100k', attempts: 100_000 },
      { name: '10m', attempts: 10_000_000 },
    ],
  },
}
