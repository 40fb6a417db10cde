/** What a rigged process can be told (see `main.ts` beside this), as messages over Node's own channel. */
import type { Failpoint } from '@posthorn/dispatcher'

export type Order =
  /** To end itself the next time it passes a failpoint. */
  | { tell: 'die'; at: Failpoint }
  /** From now on its time of day is so much ahead, in milliseconds. Durations are measured by another clock. */
  | { tell: 'clock'; aheadMs: number }
  /** Asks for a `ClaimTimes`. */
  | { tell: 'claim times' }

/** How long each claim took that took something, since it was asked before, in milliseconds. */
export type ClaimTimes = { claimMs: readonly number[] }
