/**
 * Shares free slots out: which subscriptions may give how many deliveries, in which order. Pure: what it goes by is
 * passed in.
 *
 * A free slot goes to the tenant that has the fewest requests in flight. While several tenants have work, a turn brings a
 * tenant no further than to what all of them would have if they had equally many; what they leave goes to whoever has
 * work. A tenant alone gets every slot.
 */
import type { Uuid } from '@posthorn/contract'
import type { Offer } from '@posthorn/engine'
import type { Due, DueSubscriptions } from './due-subscriptions.ts'

/** Offers for each slot: not every subscription has as much due as it may give. */
const offersPerSlot = 2
const offersMin = 16
/** Subscriptions of a tenant that are offered at least, if it has them: the first may have less due than it may give. */
const offersPerTenantMin = 2

export type SharingOut = {
  /** Slots to be filled. */
  count: number
  due: Pick<DueSubscriptions, 'inTurns'>
  /** How many deliveries a subscription may give in this turn; none for 0 and less. */
  roomOf(due: Due): number
  inFlightOf(subscriptionId: Uuid): number
  inFlightOfTenant(tenantId: string): number
  /** Since when what may be claimed of it has been due, as far as that is known. */
  dueFromOf(subscriptionId: Uuid): Date | null
}

export type DueOffer = Offer & { due: Due }

type Able = { due: Due; room: number }
type Tenant = { inFlight: number; first: Able; rest: Iterator<Due> }

/**
 * What may be claimed, the first ones first. Together the offers may be for more than the slots.
 *
 * Looks at no more tenants and subscriptions than the slots need, so that thousands of them with work cost a claim nothing.
 */
export function shareOut(sharing: SharingOut): DueOffer[] {
  const { count, inFlightOf } = sharing
  const offersMax = Math.max(offersMin, offersPerSlot * count)
  const tenants = ableTenants(sharing, offersMax)
  const inFlightInAll = tenants.reduce((sum, tenant) => sum + tenant.inFlight, 0)
  // What each tenant would have in flight if they all had equally many.
  const level = Math.ceil((count + inFlightInAll) / tenants.length)
  const offersPerTenant = Math.max(offersPerTenantMin, Math.ceil(offersMax / tenants.length))

  const queue = tenants.flatMap(({ inFlight, first, rest }, place) => {
    const able = [first]
    while (able.length < offersPerTenant) {
      const next = nextAble(rest, sharing.roomOf)
      if (next === undefined) break
      able.push(next)
    }
    let ahead = inFlight
    return able.map(({ due, room }, turn) => {
      const part = Math.min(room, Math.max(1, level - inFlight))
      const entry = { due, part, ahead, turn, place }
      ahead += part
      return entry
    })
  })
  queue.sort((a, b) => a.ahead - b.ahead || a.turn - b.turn || a.place - b.place)
  return queue.slice(0, offersMax).map(({ due, part }) => ({
    shard: due.shard,
    tenantId: due.tenantId,
    subscriptionId: due.subscriptionId,
    part,
    inFlight: inFlightOf(due.subscriptionId),
    dueFrom: sharing.dueFromOf(due.subscriptionId),
    due,
  }))
}

/**
 * Tenants with a subscription that may give something, in their turns: those with few requests in flight, and then the
 * others if there are not enough of them.
 */
function ableTenants({ count, due, roomOf, inFlightOfTenant }: SharingOut, tenantsMax: number): Tenant[] {
  const few: Tenant[] = []
  const many: Tenant[] = []
  for (const [tenantId, subscriptions] of due.inTurns()) {
    const inFlight = inFlightOfTenant(tenantId)
    const tenants = inFlight < count / tenantsMax + 1 ? few : many
    if (tenants.length >= tenantsMax) continue
    const rest = subscriptions[Symbol.iterator]()
    const first = nextAble(rest, roomOf)
    if (first === undefined) continue
    tenants.push({ inFlight, first, rest })
    if (few.length >= tenantsMax) break
  }
  return few.length >= tenantsMax ? few : [...few, ...many].slice(0, tenantsMax)
}

function nextAble(subscriptions: Iterator<Due>, roomOf: (due: Due) => number): Able | undefined {
  for (let next = subscriptions.next(); !next.done; next = subscriptions.next()) {
    const room = roomOf(next.value)
    if (room > 0) return { due: next.value, room }
  }
  return undefined
}
