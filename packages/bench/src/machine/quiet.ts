/**
 * A measurement is worth something only when nobody else uses the machine: neighbours on two cores cost up to half of
 * every figure. Before each one the machine must be idle for a while; afterwards it is known how much others took.
 */
import { type ProcessorTimes, processorTimes, treeCpuMs } from './processor.ts'

/** Quiet means: this part of all processors idle, over this time in milliseconds. */
const idlePart = 0.8
const idleForMs = 1_500
const lookEveryMs = 250
/** What others may take of all processors during a measurement, as a part, for it to count as undisturbed. */
const othersPartMax = 0.05

/** Waits until the machine is quiet. Answers whether it was within the limit; true where that cannot be known. */
export async function waitForQuiet(limitMs: number): Promise<boolean> {
  const looks: ProcessorTimes[] = []
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const times = await processorTimes()
    if (times === undefined) return true
    looks.push(times)
    const before = looks.at(-1 - idleForMs / lookEveryMs)
    if (before !== undefined && idleBetween(before, times) > idlePart) return true
    if (waitedMs >= limitMs) return false
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

function idleBetween(from: ProcessorTimes, to: ProcessorTimes): number {
  return to.allMs === from.allMs ? 0 : (to.idleMs - from.idleMs) / (to.allMs - from.allMs)
}

/** Begins to watch what others take. The answer, when asked, is whether they took so little that it does not matter. */
export async function watchOthers(): Promise<() => Promise<boolean>> {
  const before = await usage()
  return async () => {
    const after = await usage()
    if (before === undefined || after === undefined) return true
    const busyMs = after.allMs - after.idleMs - (before.allMs - before.idleMs)
    const othersMs = busyMs - (after.ownMs - before.ownMs)
    return othersMs <= othersPartMax * (after.allMs - before.allMs)
  }
}

async function usage(): Promise<(ProcessorTimes & { ownMs: number }) | undefined> {
  const times = await processorTimes()
  const ownMs = await treeCpuMs('self')
  return times === undefined || ownMs === undefined ? undefined : { ...times, ownMs }
}
