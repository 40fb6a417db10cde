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

/** Bytes fetched at a time. */
const randomPoolBytes = 4096

/**
 * Random bytes from a store that is filled many at a time: fetching them is a system call, whatever their number, and a
 * busy dispatcher needs a dozen for every attempt. No byte is given out twice.
 *
 * @param fill fills an array with cryptographically strong bytes
 */
export function storedRandomBytes(fill: (bytes: Uint8Array) => unknown): World['randomBytes'] {
  let store = new Uint8Array(0)
  let given = 0
  return (count) => {
    if (given + count > store.length) {
      store = new Uint8Array(Math.max(randomPoolBytes, count))
      fill(store)
      given = 0
    }
    given += count
    return store.subarray(given - count, given)
  }
}
