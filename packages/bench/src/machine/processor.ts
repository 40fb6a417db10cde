/**
 * What the processors did, as Linux tells it in `/proc`. On another system nothing is known, and every answer is
 * undefined.
 */
import { readdir, readFile } from 'node:fs/promises'

/** Length of a tick of `/proc`, in milliseconds. `CLK_TCK` is 100 wherever Node runs. */
const tickMs = 10

/** All processors together since the machine started, in milliseconds. */
export type ProcessorTimes = { idleMs: number; allMs: number }

export async function processorTimes(): Promise<ProcessorTimes | undefined> {
  const text = await readFile('/proc/stat', 'utf8').catch(() => undefined)
  const [user, nice, system, idle, waiting, interrupts, softInterrupts, stolen] = numbers(text?.split('\n', 1)[0])
  if (idle === undefined || waiting === undefined) return undefined
  const all = [user, nice, system, idle, waiting, interrupts, softInterrupts, stolen].map((ticks) => ticks ?? 0)
  return { idleMs: (idle + waiting) * tickMs, allMs: all.reduce((sum, ticks) => sum + ticks, 0) * tickMs }
}

/**
 * The time on a processor that a process and all its children have had, ended ones included, in milliseconds.
 *
 * @param pid `self` for our own
 */
export async function treeCpuMs(pid: number | 'self'): Promise<number | undefined> {
  const own = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (own === undefined) return undefined
  // The name, in parentheses, may hold anything; the first number behind it is field 4. User, system, and both of children
  // that were waited for are fields 14 to 17 (proc_pid_stat(5)).
  const fields = numbers(own.slice(own.lastIndexOf(')')))
  const ticks = fields.slice(10, 14).reduce((sum, each) => sum + each, 0)
  const children = await Promise.all((await childrenOf(pid)).map((child) => treeCpuMs(child)))
  return ticks * tickMs + children.reduce<number>((sum, ms) => sum + (ms ?? 0), 0)
}

async function childrenOf(pid: number | 'self'): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  )
  return lists.flatMap(numbers)
}

function numbers(text: string | undefined): number[] {
  return (text?.match(/-?\d+/g) ?? []).map(Number)
}
