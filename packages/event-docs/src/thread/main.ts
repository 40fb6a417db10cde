/** The thread in which a site is made: it answers with one file after the other, and takes what time the process has left. */
import { readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { createCodeMaker } from '../artifacts/code/code-maker.ts'
import { createDocumentation } from '../documentation.ts'
import { openSite } from '../site.ts'
import type { FileAnswered, FileAsked, SiteGiven } from './protocol.ts'

/** On Linux, where a thread has a priority of its own: a tenth of the share that others have while they want it. */
const nicer = 10

stepBack()
// One thread of generators is 100 MB, and what they make is asked for seldom.
const maker = createCodeMaker({ threadsMax: 1 })
const site = openSite(createDocumentation(workerData as SiteGiven), maker)

parentPort?.on('message', async ({ id, path }: FileAsked) => {
  parentPort?.postMessage(await answer(id, path))
})

async function answer(id: number, path: string): Promise<FileAnswered> {
  try {
    return { id, artifact: await site.find(path)?.() }
  } catch (error) {
    return { id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

/** Threads that this one starts do the same. Elsewhere than on Linux nothing happens. */
function stepBack(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(thread, Math.min(getPriority(thread) + nicer, constants.priority.PRIORITY_LOW))
  } catch {
    // It only takes longer for others then.
  }
}
