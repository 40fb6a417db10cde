/** The thread in which transforms run. One request, one reply. */
import { parentPort, workerData } from 'node:worker_threads'
import type { EvaluatorRequest } from '../protocol.ts'
import { createRealms } from '../realm.ts'

// The limits are given by the process that started this thread.
const realms = createRealms(workerData, () => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
})
parentPort?.on('message', (request: EvaluatorRequest) => parentPort?.postMessage(realms.evaluate(request)))
parentPort?.postMessage('ready')
