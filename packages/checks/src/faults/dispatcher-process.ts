/**
 * A dispatcher as an operator runs it: `posthorn serve --role dispatcher` in a process of its own, which can be killed.
 * What it does is read from its log, a line of JSON each.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { testMasterKeyText } from '@posthorn/engine/testing'
import { createSignals, type Signals } from '../flows/signals.ts'

const main = fileURLToPath(new URL('../../../../apps/posthorn/src/main.ts', import.meta.url))

export type DispatcherProcess = AsyncDisposable & {
  readonly pid: number
  /** The shards it owns now, by its own word. */
  readonly shards: readonly number[]
  /** Attempts that it says to have recorded. */
  readonly recorded: number
  /** Whether it says that it is stopping. */
  readonly stopping: boolean
  /** Resolves with what `look` finds, now or after a line of the log; rejects when the process ends without it. */
  until: Signals['until']
  /** The exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
  kill(signal: 'SIGKILL' | 'SIGTERM'): void
}

export type DispatcherProcessOptions = { url: string; receiverPort: number; concurrency: number }

export function startDispatcherProcess(options: DispatcherProcessOptions): DispatcherProcess {
  const { notify, until } = createSignals()
  const child = fork(main, ['serve', '--role', 'dispatcher'], {
    env: {
      DATABASE_URL: options.url,
      POSTHORN_MASTER_KEY: testMasterKeyText,
      POSTHORN_ALLOW_HTTP: 'true',
      POSTHORN_ALLOWED_RECEIVERS: `127.0.0.1:${options.receiverPort}`,
      POSTHORN_CONCURRENCY: String(options.concurrency),
      POSTHORN_DATABASE_CONNECTIONS: '4',
    },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let shards: readonly number[] = []
  let recorded = 0
  let stopping = false
  let end: number | string | undefined
  const errors: string[] = []

  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      end = code ?? signal ?? 'unknown'
      resolve(end)
      notify()
    })
  })
  readLines(child, (line) => {
    if (Array.isArray(line['shards'])) shards = line['shards']
    if (line['msg'] === 'attempt') recorded += 1
    if (String(line['msg']).startsWith('stopping')) stopping = true
    notify()
  })
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))

  return {
    pid: child.pid ?? 0,
    get shards() {
      return shards
    },
    get recorded() {
      return recorded
    },
    get stopping() {
      return stopping
    },
    until: (look) =>
      until(() => {
        const found = look()
        if (found !== undefined && found !== false) return found
        if (end !== undefined) throw new Error(`The dispatcher ended (${end}) without that. ${errors.join('')}`)
        return undefined
      }),
    ended,
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function readLines({ stdout }: ChildProcess, onLine: (line: Record<string, unknown>) => void): void {
  if (stdout === null) return
  createInterface({ input: stdout }).on('line', (text) => onLine(JSON.parse(text)))
}
