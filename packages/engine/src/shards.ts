/**
 * Shards divide the subscriptions among dispatchers. A subscription's shard never changes, so everything that concerns
 * one subscription (its order, its concurrency, its pauses) happens in one process.
 */
import type { Uuid } from '@posthorn/contract'

/** How many there are. Fixed: stored with every subscription and in the `CHECK` of its column. */
export const shardCount = 64

/** The shard of a subscription: six of the random bits of its id. */
export function shardOf(subscriptionId: Uuid): number {
  return Number.parseInt(subscriptionId.slice(-2), 16) % shardCount
}
