/** The process of Posthorn itself. */
import { randomBytes } from 'node:crypto'
import { answerCalls } from '../answer.ts'
import { createPosthorn } from './posthorn.ts'

const world = { now: () => Date.now(), randomBytes: (count: number) => randomBytes(count) }

answerCalls(process, createPosthorn({ world, monotonicMs: () => performance.now(), cpuMs, stdout: process.stdout }))

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
