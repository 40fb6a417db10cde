/**
 * Something that goes on for ever: rounds of work with a pause between them that can be cut short. A round that fails is
 * told and tried again; it never ends the process.
 */
import type { Telemetry } from '@posthorn/engine'

export type Rounds = {
  /** Ends the pause: the next round begins now, or right after the one under way. */
  hurry(): void
  /** No further round begins. Resolves when the one under way has ended. */
  stop(): Promise<void>
}

/**
 * @param round does the work and answers how many milliseconds to pause before the next round
 * @param pauseAfterFailureMs the pause after a round that threw
 */
export function startRounds(
  name: string,
  round: () => Promise<number>,
  options: { telemetry: Telemetry; pauseAfterFailureMs: number },
): Rounds {
  let stopped = false
  let hurried = false
  let endPause = (): void => undefined
  let failures = 0

  async function attempt(): Promise<number> {
    try {
      const ms = await round()
      failures = 0
      return ms
    } catch (error) {
      failures += 1
      options.telemetry({ what: 'round_failed', round: name, error, times: failures })
      return options.pauseAfterFailureMs
    }
  }

  function pause(ms: number): Promise<void> {
    if (hurried || stopped || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function goOn(): Promise<void> {
    while (!stopped) {
      hurried = false
      await pause(await attempt())
    }
  }

  const ended = goOn()
  return {
    hurry() {
      hurried = true
      endPause()
    },
    stop() {
      stopped = true
      endPause()
      return ended
    },
  }
}
