/** Every fault, in the order of the table. */
import type { Fault } from './fault.ts'
import { fullDisk } from './full-disk.ts'
import { jumpingClock } from './jumping-clock.ts'
import { killedAtFailpoints } from './killed-at-failpoints.ts'
import { killedAtRandom } from './killed-at-random.ts'
import { killedDatabase } from './killed-database.ts'
import { killedInAReplay } from './killed-in-a-replay.ts'
import { noConnectionsLeft } from './no-connections-left.ts'
import { overdueAtStart } from './overdue-at-start.ts'
import { stoppedInOrder } from './stopped-in-order.ts'
import { stoppedPastItsLease } from './stopped-past-its-lease.ts'
import { stoppedWithoutDatabase } from './stopped-without-database.ts'
import { terminatedSessions } from './terminated-sessions.ts'
import { transactionHeldOpen } from './transaction-held-open.ts'

export const faults: readonly Fault[] = [
  killedAtFailpoints,
  killedAtRandom,
  stoppedPastItsLease,
  killedDatabase,
  terminatedSessions,
  noConnectionsLeft,
  transactionHeldOpen,
  fullDisk,
  jumpingClock,
  overdueAtStart,
  killedInAReplay,
  stoppedInOrder,
  stoppedWithoutDatabase,
]
