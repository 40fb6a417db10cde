/**
 * A process of a benchmark, seen from the one that measures: it is started, asked, and ended.
 *
 * Every part that costs time of a CPU has its own process, as in production, so that the receiver's work never counts as
 * the dispatcher's. Asking goes over Node's own channel, a message each way.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answer, Handlers, Question } from './answer.ts'

/** Of what a process wrote to its standard error, so much is told when it failed, in characters. */
const errorsLengthMax = 4_000

/** The mains that can be started. */
export type ChildName = 'receiver' | 'posthorn' | 'load' | 'raw'

export type ChildOptions = {
  /** Where its standard output goes, as `<name>.log`. */
  folder: string
  /** Ends it at once. */
  stop: AbortSignal
  /** Where it leaves a CPU profile when it ends. */
  profileFolder?: string | undefined
}

export type Child<Calls extends Handlers> = AsyncDisposable & {
  readonly pid: number
  /** @throws ChildFailed when the call failed, or the process ended without an answer */
  ask<Name extends keyof Calls & string>(
    name: Name,
    ...args: Parameters<Calls[Name]>
  ): Promise<Awaited<ReturnType<Calls[Name]>>>
}

/** A process of the benchmark failed; the message has what it said. */
export class ChildFailed extends Error {
  override readonly name = 'ChildFailed'
}

/** Starts `children/<name>/main.ts`. Disposing waits until it has ended. */
export async function startChild<Calls extends Handlers>(
  name: ChildName,
  options: ChildOptions,
): Promise<Child<Calls>> {
  options.stop.throwIfAborted()
  const child = await forkInto(name, options)
  const waiting = new Map<number, (answer: Answer) => void>()
  const errors: string[] = []
  let asked = 0

  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  const ended = endOf(child).then((how) => {
    const text = `the ${name} process ended (${how}) ${errors.join('').slice(-errorsLengthMax)}`
    for (const [id, hear] of waiting) hear({ id, error: text })
    return text
  })
  const kill = () => child.kill('SIGKILL')
  options.stop.addEventListener('abort', kill, { once: true })

  return {
    pid: child.pid ?? 0,
    async ask(call, ...args) {
      asked += 1
      const question: Question = { id: asked, call, args }
      const answered = new Promise<Answer>((resolve) => waiting.set(question.id, resolve))
      if (!child.connected) throw new ChildFailed(await ended)
      child.send(question)
      const answer = await answered
      if (answer.error !== undefined) throw new ChildFailed(`${name}.${call}: ${answer.error}`)
      return answer.result as never // by the handler of this name, whose result the type of `ask` gives
    },
    async [Symbol.asyncDispose]() {
      options.stop.removeEventListener('abort', kill)
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

async function forkInto(name: ChildName, { folder, profileFolder }: ChildOptions): Promise<ChildProcess> {
  const main = fileURLToPath(new URL(`${name}/main.ts`, import.meta.url))
  await using log = await open(join(folder, `${name}.log`), 'a')
  const profiling = ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${name}-\${pid}.cpuprofile`]
  return fork(main, [], {
    execArgv: profileFolder === undefined ? [] : profiling,
    serialization: 'advanced',
    stdio: ['ignore', log.fd, 'pipe', 'ipc'],
  })
}

/** Resolves when it has ended and all it wrote is read. Its 'close' never comes when we end the channel. */
async function endOf(child: ChildProcess): Promise<string> {
  const silent = child.stderr === null ? undefined : once(child.stderr, 'close')
  const [code, signal]: unknown[] = await once(child, 'exit')
  await silent
  return String(code ?? signal)
}
