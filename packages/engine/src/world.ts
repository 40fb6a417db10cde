/**
 * What comes from outside and is therefore passed in: the time of day and randomness.
 *
 * The time here names things (ids, the signed timestamp). Whether something is *due* is decided by the database's clock
 * alone, so that machines whose clocks differ neither send early nor late.
 */
import type { Uuid } from '@posthorn/contract'
import { uuidV7 } from '@posthorn/contract'

export type World = {
  /** Unix time in milliseconds. */
  now(): number
  /** Cryptographically strong bytes. */
  randomBytes(count: number): Uint8Array
}

/** A new id, sorted by time. */
export function newUuid(world: World): Uuid {
  return uuidV7(world.now(), world.randomBytes(10))
}
