/** Every fault, in the order of the table. */
import type { Fault } from './fault.ts'
import { killedAtFailpoints } from './killed-at-failpoints.ts'

export const faults: readonly Fault[] = [killedAtFailpoints]
