/**
 * Another judge of whether receivers of one schema can read the data of another: `jsoncompat`, written by others in
 * another language. It knows yes and no, is young, and was seen to take for ever; so it runs in a thread with a time limit.
 * Only its check is used, never its generator.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** It takes 10 to 350 ms. A machine that others use may be ten times as slow. */
const answerMsMax = 5_000

export type Judgement = 'compatible' | 'incompatible' | 'undecided'

export type Oracle = {
  /** Undecided: it cannot judge these two, or not in time. */
  judge(before: object, now: object): Promise<Judgement>
  close(): Promise<void>
}

export function createOracle(): Oracle {
  let worker: Worker | undefined

  async function judge(before: object, now: object): Promise<Judgement> {
    worker ??= new Worker(new URL('./oracle-worker.ts', import.meta.url))
    const asked = worker
    const answer = once(asked, 'message', { signal: AbortSignal.timeout(answerMsMax) })
    asked.postMessage({ before: textOf(before), now: textOf(now) })
    try {
      const [message] = await answer
      if ('refused' in message) return 'undecided'
      return message.compatible ? 'compatible' : 'incompatible'
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AbortError') throw error
      worker = undefined
      await asked.terminate()
      return 'undecided'
    }
  }

  return {
    judge,
    async close() {
      await worker?.terminate()
      worker = undefined
    },
  }
}

/** It refuses schemas that have a name. */
function textOf({ ...schema }: Record<string, unknown> | object): string {
  return JSON.stringify({ ...schema, $id: undefined })
}
