/** Fills a stage: tenants with subscriptions, and deliveries that wait. */
import { type Database, newUuid, shardOf, type World } from '@posthorn/engine'
import { checkpoint } from '../sql/checkpoint.ts'
import { insertSubscriptions } from '../sql/insert-subscriptions.ts'
import { insertWork } from '../sql/insert-work.ts'
import { vacuum } from '../sql/vacuum.ts'
import { benchSeal } from './master-key.ts'

/** Rows in one statement. */
const rowsPerStatement = 10_000
/** The one event type of all benchmarks. */
export const eventType = 'order.paid'
const dataBytes = 1_000

/** The JSON of `data` of every event: 1 kB. */
export const eventData = filled(dataBytes)

export type SceneSubscription = { id: string; tenantId: string; url: string; shard: number }

export type Scenery = { db: Database; world: World; receiverPort: number }

/** Makes subscriptions of the receiver, each with its own path. Their tenants are `<name>-0`, `<name>-1` and so on. */
export async function subscribe(
  { db, world, receiverPort }: Scenery,
  { name, count, perTenant }: { name: string; count: number; perTenant: number },
): Promise<SceneSubscription[]> {
  const made = Array.from({ length: count }, (_, index) => {
    const id = newUuid(world)
    const tenantId = `${name}-${Math.floor(index / perTenant)}`
    return { id, tenantId, url: `http://127.0.0.1:${receiverPort}/${name}/${index}`, shard: shardOf(id) }
  })
  for (const part of parts(made)) await insertSubscriptions(db, benchSeal, part)
  return made
}

/** Makes deliveries that wait: one after the other, each for the next subscription. */
export async function owe(
  { db, world }: Scenery,
  subscriptions: readonly SceneSubscription[],
  { count, due }: { count: number; due: boolean },
): Promise<void> {
  for (let first = 0; first < count; first += rowsPerStatement) {
    const turns = Array.from({ length: Math.min(rowsPerStatement, count - first) }, (_, index) => first + index)
    const work = turns.flatMap((turn) => {
      const to = subscriptions[turn % subscriptions.length]
      if (to === undefined) return []
      const { id: subscriptionId, tenantId, shard } = to
      return { eventId: newUuid(world), deliveryId: newUuid(world), tenantId, subscriptionId, shard }
    })
    await insertWork(db, work, { type: eventType, data: eventData, due })
  }
}

/** Lets the database come to rest after it was filled. */
export async function settle({ db }: Scenery): Promise<void> {
  await vacuum(db)
  await checkpoint(db)
}

function parts<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / rowsPerStatement)
  return Array.from({ length: count }, (_, part) => all.slice(part * rowsPerStatement, (part + 1) * rowsPerStatement))
}

function filled(bytes: number): string {
  const empty = JSON.stringify({ note: '' })
  return JSON.stringify({ note: 'x'.repeat(bytes - empty.length) })
}
