/**
 * Ids that sort in the order in which this process made them, also within one millisecond (RFC 9562 §6.2, method 2).
 */
import { type Uuid, uuidV7 } from '@posthorn/contract'
import type { World } from './world.ts'

const randomBytesPerId = 10
/** The last four of them count. */
const counterOffset = 6
const counterMax = 2 ** 32 - 1

/**
 * Gives one id after the other, each greater than all before. While the clock goes back they keep the latest time that
 * it has shown.
 */
export function createAscendingIds(world: World): () => Uuid {
  let lastMs = Number.NEGATIVE_INFINITY
  let bytes = new Uint8Array(randomBytesPerId)

  function begin(ms: number): void {
    lastMs = ms
    bytes = Uint8Array.from(world.randomBytes(randomBytesPerId))
    // Half of the counter is left to count.
    bytes[counterOffset] = (bytes[counterOffset] ?? 0) & 0x7f
  }

  return () => {
    const nowMs = Math.trunc(world.now())
    const counter = new DataView(bytes.buffer)
    const count = counter.getUint32(counterOffset)
    if (nowMs > lastMs) begin(nowMs)
    else if (count === counterMax) begin(lastMs + 1)
    else counter.setUint32(counterOffset, count + 1)
    return uuidV7(lastMs, bytes)
  }
}
