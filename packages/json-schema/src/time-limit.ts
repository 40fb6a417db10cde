/**
 * Interrupts synchronous code that takes too long: the one thing that a promise, a timer or an abort signal cannot do.
 *
 * Node's `vm` watches from another thread and terminates whatever runs, regular expressions included; the function may
 * come from anywhere and sees its own scope. Starting the watch costs about 0.2 ms a call on the 2-core target, so this
 * is for code whose cost a stranger chooses, not for the hot path. Not interrupted are single built-in calls (a sort, a
 * JSON.parse): the caller bounds their input.
 *
 * What was interrupted may have left its own data half written. Whoever catches `TimeLimitExceeded` throws those away.
 */
import vm from 'node:vm'

/** The work was ended after its time. */
export class TimeLimitExceeded extends Error {
  override readonly name = 'TimeLimitExceeded'
  readonly code = 'time_limit_exceeded'
}

const sandbox: { work: (() => void) | undefined } = { work: undefined }
const script = new vm.Script('work()')
vm.createContext(sandbox)

/**
 * Runs `work` to its end, or ends it. Not to be nested.
 *
 * @param limitMs time on the clock, in milliseconds; a machine that stalls counts too, so be generous
 * @throws TimeLimitExceeded; whatever `work` throws
 */
export function withinTime<T>(limitMs: number, work: () => T): T {
  const outcome: { value?: T } = {}
  sandbox.work = () => {
    outcome.value = work()
  }
  try {
    script.runInContext(sandbox, { timeout: limitMs })
  } catch (error) {
    // The error comes from the other context, where `Error` is another class.
    const code = error !== null && typeof error === 'object' && 'code' in error ? error.code : undefined
    if (code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new TimeLimitExceeded(`ended after ${limitMs} ms`)
  } finally {
    sandbox.work = undefined
  }
  // The work has returned, so its value is there.
  return outcome.value as T
}
