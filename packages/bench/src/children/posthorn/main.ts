/** The process of Posthorn itself. */
import { randomFillSync } from 'node:crypto'
import { storedRandomBytes } from '@posthorn/engine'
import { answerCalls } from '../answer.ts'
import { createPosthorn } from './posthorn.ts'

const world = { now: () => Date.now(), randomBytes: storedRandomBytes(randomFillSync) }

answerCalls(process, createPosthorn({ world, monotonicMs: () => performance.now(), cpuMs, stdout: process.stdout }))

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
