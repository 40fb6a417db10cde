/**
 * A site whose files are made in a thread of its own. A server has other things to do than documentation: making one file
 * may take tenths of a second, types of many schemas take many, and what a schema asks for is not known before. So it
 * costs the thread that serves nothing but the copy of a file, and has a limit of memory.
 *
 * The thread is started when a file is asked for, and ended when none is for a while.
 */
import { Worker } from 'node:worker_threads'
import type { Artifact } from '../artifact.ts'
import type { FileAnswered, FileAsked, SiteGiven } from './protocol.ts'

/** What is kept of some thousand schemas, and one page of the largest. */
const memoryMibDefault = 512
const idleMsDefault = 5 * 60_000
/** Files that are asked for and not made yet. */
const waitingMax = 500
/** A thread that died may die again by the same file. */
const restMsDefault = 10_000

/** The file cannot be made now. The message says why. */
export class SiteUnavailable extends Error {
  override readonly name = 'SiteUnavailable'
  readonly code = 'site_unavailable'
}

export type ServedSite = {
  /**
   * Undefined where there is none.
   *
   * @throws SiteUnavailable
   */
  file(path: string): Promise<Artifact | undefined>
  /** Ends the thread when what was asked for is made, or after so many milliseconds. Nothing more can be asked. */
  end(msMax: number): Promise<void>
}

type Waiting = { resolve: (artifact: Artifact | undefined) => void; reject: (error: Error) => void }

export function serveSite(
  given: SiteGiven,
  { memoryMib = memoryMibDefault, idleMs = idleMsDefault, restMs = restMsDefault } = {},
): ServedSite {
  let worker: Worker | undefined
  let restsUntilMs = Number.NEGATIVE_INFINITY
  let isEnded = false
  let idle: NodeJS.Timeout | undefined
  let nextId = 0
  const waiting = new Map<number, Waiting>()
  let whenEmpty: (() => void) | undefined

  function started(): Worker {
    const thread = new Worker(new URL('./main.ts', import.meta.url), {
      workerData: given,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: memoryMib },
      stdout: true,
      stderr: true,
    })
    // Between files it keeps no process alive.
    thread.unref()
    thread.on('message', answered)
    thread.on('error', (error) => died(thread, error))
    thread.on('exit', () => died(thread, new Error('its thread ended')))
    return thread
  }

  function died(thread: Worker, error: Error): void {
    if (worker !== thread) return
    worker = undefined
    restsUntilMs = performance.now() + restMs
    for (const { reject } of waiting.values()) reject(new SiteUnavailable(`The file was not made: ${error.message}.`))
    waiting.clear()
    whenEmpty?.()
  }

  function answered(answer: FileAnswered): void {
    const one = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('failure' in answer) one?.reject(new Error(answer.failure))
    else one?.resolve(answer.artifact)
    if (waiting.size > 0) return
    whenEmpty?.()
    rest()
  }

  function rest(): void {
    worker?.unref()
    clearTimeout(idle)
    idle = setTimeout(() => void stop(), idleMs)
    idle.unref()
  }

  async function stop(): Promise<void> {
    clearTimeout(idle)
    const thread = worker
    worker = undefined
    await thread?.terminate()
  }

  return {
    async file(path) {
      if (isEnded) throw new SiteUnavailable('The documentation is made anew.')
      if (waiting.size >= waitingMax) throw new SiteUnavailable(`${waitingMax} files are being made.`)
      if (worker === undefined && performance.now() < restsUntilMs)
        throw new SiteUnavailable('The thread that makes the files has just died.')
      clearTimeout(idle)
      worker ??= started()
      worker.ref()
      const { promise, resolve, reject } = Promise.withResolvers<Artifact | undefined>()
      nextId += 1
      waiting.set(nextId, { resolve, reject })
      worker.postMessage({ id: nextId, path } satisfies FileAsked)
      return promise
    },
    async end(msMax) {
      isEnded = true
      if (waiting.size > 0) {
        const { promise, resolve } = Promise.withResolvers<void>()
        whenEmpty = resolve
        const late = setTimeout(resolve, msMax)
        await promise.finally(() => clearTimeout(late))
      }
      for (const { reject } of waiting.values()) reject(new SiteUnavailable('The documentation is made anew.'))
      waiting.clear()
      await stop()
    },
  }
}
