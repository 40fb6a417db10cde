/**
 * `fairness`: what the trouble of some costs the others. The same events are published at the same rate three times: alone;
 * while another customer has a backlog that is being delivered; and while some of the receivers accept connections and
 * never answer.
 */
import type { PosthornCalls } from '../children/posthorn/posthorn.ts'
import type { ReceiverCalls } from '../children/receiver/receiver.ts'
import type { Figure } from '../report/row.ts'
import { percentile } from '../report/statistics.ts'
import { checkpoint } from '../sql/checkpoint.ts'
import { owe, type Scenery, settle, subscribe } from '../stage/scenery.ts'
import { type Bench, type Benchmark, newAdminKey, start } from './benchmark.ts'
import { publishLoad, setPublishers } from './publishing.ts'
import { measureReceipts } from './receipts.ts'

/** How many times longer the slowest hundredth may take because of others. */
const slowdownMax = 2
/** Deliveries that wait for each receiver that never answers: more than it can be sent meanwhile. */
const waitingForSilent = 50

type Ports = { receiverPort: number; silentPort: number }
type Trouble = { name: string; make(scenery: Scenery, ports: Ports): Promise<void> }

export const fairness: Benchmark = async (bench) => {
  const { rush, silent } = bench.sizes.fairness
  const troubles: Trouble[] = [
    { name: 'alone', make: async () => undefined },
    {
      name: 'rush',
      make: async (scenery) => {
        await owe(scenery, await subscribe(scenery, { name: 'rush', count: 1, perTenant: 1 }), {
          count: rush,
          due: true,
        })
      },
    },
    {
      name: 'silent',
      make: async (scenery, { silentPort }) => {
        const there = { ...scenery, receiverPort: silentPort }
        const subscribed = await subscribe(there, { name: 'silent', count: silent, perTenant: 1 })
        await owe(there, subscribed, { count: silent * waitingForSilent, due: true })
      },
    },
  ]
  const figures: Figure[] = []
  let alone = Number.NaN
  for (const trouble of troubles) {
    const receiptMs = await measureBeside(bench, trouble)
    const p99 = percentile(receiptMs, 0.99)
    const name = `fairness.${trouble.name}`
    figures.push({ name: `${name}.p50`, value: percentile(receiptMs, 0.5), unit: 'ms to the receiver' })
    figures.push({ name: `${name}.p99`, value: p99, unit: 'ms to the receiver' })
    if (trouble.name === 'alone') alone = p99
    else {
      const goal = { of: 'value', is: '<=', limit: slowdownMax } as const
      figures.push({ name: `${name}.slowdown`, value: p99 / alone, unit: '× the p99 alone', goal })
    }
  }
  return figures
}

async function measureBeside(bench: Bench, trouble: Trouble): Promise<number[]> {
  const { perSecond, tenants, ...times } = bench.sizes.fairness
  await using stage = await bench.openStage()
  await using receiver = await start<ReceiverCalls>(bench, 'receiver')
  const { port: receiverPort } = await receiver.ask('listen')
  const { port: silentPort } = await receiver.ask('listenSilently')
  const scenery = { db: stage.db, world: bench.world, receiverPort }
  await setPublishers(scenery, tenants)
  await trouble.make(scenery, { receiverPort, silentPort })
  await settle(scenery)
  await checkpoint(stage.db)
  await using posthorn = await start<PosthornCalls>(bench, 'posthorn')
  const adminKey = newAdminKey()
  const databaseUrl = stage.db.url
  const { origin } = await posthorn.ask('start', { role: 'all', databaseUrl, receiverPort, silentPort, adminKey })
  const target = publishLoad({ ...times, tenants, origin, key: adminKey })
  const what = `${perSecond}/s, ${trouble.name}`
  return await measureReceipts(bench, { receiver, target, perSecond, what, besideOthers: true })
}
