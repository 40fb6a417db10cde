/**
 * A network of its own for a test: a Linux network namespace in which **every address there is** belongs to a receiver
 * of ours, public and private ones, the metadata services and loopback; and in which the only name server says what the
 * test wants. In it the address guard is tested as it runs in production: nothing private is allowed, the name servers
 * are those of `/etc/resolv.conf`, and what the guard lets through arrives somewhere.
 *
 * Root needs nothing else for it, others user namespaces. Where the kernel or the machine refuses, tests are skipped and
 * say why.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import type { Answer, Beginning, Calls, Question } from './network/calls.ts'

const main = fileURLToPath(new URL('./network/main.ts', import.meta.url))
const errorsLengthMax = 2_000

/** A mount namespace too: for a `/etc/resolv.conf` of its own. */
const asRoot = ['--net', '--mount']
const asUser = ['--user', '--map-root-user', ...asRoot]

export type Network = AsyncDisposable & {
  /** Why the machine lets us have none, if it does not. Then nothing can be asked. */
  readonly refusal: string | undefined
  /** For titles: where it is, or why tests are skipped. */
  readonly where: string
  /** The authority (PEM) that issued the certificates of the receivers. */
  readonly certificate: string
  ask<Name extends keyof Calls>(call: Name, ...args: Parameters<Calls[Name]>): Promise<Awaited<ReturnType<Calls[Name]>>>
}

/** @throws when the network is there and our process in it fails: that is no reason to skip a test */
export async function openNetwork(): Promise<Network> {
  const { uid } = inject('machine')
  const refusals: string[] = []
  for (const flags of uid === 0 ? [asRoot, asUser] : [asUser]) {
    const entered = await enter(flags)
    if (typeof entered !== 'string') return entered
    refusals.push(entered)
  }
  return noNetwork([...new Set(refusals)].join('; '))
}

function noNetwork(refusal: string): Network {
  return {
    refusal,
    where: `skipped, for this machine lets us have no network of our own: ${refusal}`,
    certificate: '',
    ask: () => Promise.reject(new Error(refusal)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** The network, or why there is none. */
async function enter(flags: readonly string[]): Promise<Network | string> {
  const { execPath, env } = inject('machine')
  const child = spawn('unshare', [...flags, execPath, main], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // JSON would make a null of what is left out.
    serialization: 'advanced',
  })
  const errors: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const ended = endOf(child).then((how) => `${how} ${errors.join('').slice(-errorsLengthMax).trim()}`)
  const told = new Promise<Beginning>((resolve) => child.once('message', (message: Beginning) => resolve(message)))
  const beginning = await Promise.race([told, ended])
  if (typeof beginning !== 'string')
    return 'refusal' in beginning ? beginning.refusal : networkOf(child, beginning.certificate, ended)
  if (!notEntered.test(beginning)) throw new Error(`the process in the network failed: ${beginning}`)
  return beginning
}

/** Words of `unshare` itself, or of whoever did not find it. */
const notEntered = /^(\(1\) unshare: |spawn unshare )/

function networkOf(child: ChildProcess, certificate: string, ended: Promise<string>): Network {
  const waiting = new Map<number, (answer: Answer) => void>()
  let asked = 0
  let over: string | undefined
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  void ended.then((how) => {
    over = `the process in the network ended: ${how}`
    for (const [id, hear] of waiting) hear({ id, error: over })
  })
  return {
    refusal: undefined,
    where: 'in a network of its own',
    certificate,
    async ask(call, ...args) {
      if (over !== undefined) throw new Error(over)
      asked += 1
      const question: Question = { id: asked, call, args }
      const answer = await new Promise<Answer>((resolve) => {
        waiting.set(question.id, resolve)
        child.send(question)
      })
      if (answer.error !== undefined) throw new Error(`${call}: ${answer.error}`)
      return answer.result as never // by the call of this name, whose result the type of `ask` gives
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(`(${code ?? signal})`))
  })
}
