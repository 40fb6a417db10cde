/** The thread in which transforms run. One request, one answer. */
import { parentPort, workerData } from 'node:worker_threads'
import type { EvaluatorRequest } from './protocol.ts'
import { createRealms } from './realm.ts'

// Given by the process that started this thread.
const realms = createRealms(workerData)
parentPort?.on('message', (request: EvaluatorRequest) => parentPort?.postMessage(realms.evaluate(request)))
parentPort?.postMessage('ready')
