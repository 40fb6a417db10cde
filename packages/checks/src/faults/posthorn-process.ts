/**
 * Posthorn as an operator runs it: `posthorn serve` in a process of its own, which can be killed, stopped and ended. What
 * it does is read from its log, a line of JSON each.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Failpoint } from '@posthorn/dispatcher'
import { testMasterKeyText } from '@posthorn/engine/testing'
import { createSignals, type Signals } from '../flows/signals.ts'
import type { ClaimTimes, Order } from './rigged/order.ts'

const command = fileURLToPath(new URL('../../../../apps/posthorn/src/main.ts', import.meta.url))
const rigged = fileURLToPath(new URL('rigged/main.ts', import.meta.url))
/** Of what it wrote to its standard error, so much is told when it ended unexpectedly, in characters. */
const errorsLengthMax = 4_000

export type PosthornProcess = AsyncDisposable & {
  readonly pid: number
  /** Where the API listens, once it is up. */
  readonly origin: string | undefined
  /** The shards it owns now, by its own word. */
  readonly shards: readonly number[]
  /** Attempts that it says to have recorded, and those of them that moved no delivery because it had lost the lease. */
  readonly recorded: number
  readonly notMoved: number
  /** Attempts that did not deliver. */
  readonly failed: number
  /** Lines of its log by their message. */
  readonly said: ReadonlyMap<string, number>
  /** Resolves with what `look` finds, now or after a line of the log; rejects when the process ends without it. */
  until: Signals['until']
  /** The exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void
  /** Lets it end itself by SIGKILL the next time it passes a failpoint. Only of a rigged process. */
  dieAt(failpoint: Failpoint): void
  /** Moves its time of day. Only of a rigged process. */
  setClock(aheadMs: number): void
  /** How long its claims took since this was asked before, in milliseconds. Only of a rigged process. */
  claimMs(): Promise<readonly number[]>
  /** What the kernel says of it, where that can be read. */
  usage(): Promise<{ rssBytesMax: number; openFiles: number } | undefined>
}

export type PosthornProcessOptions = {
  url: string
  receiverPort: number
  role?: 'all' | 'api' | 'dispatcher'
  concurrency?: number
  adminKey?: string
  /** The port of its API; any free one when left out. */
  port?: number
  drainSeconds?: number
  /** Connections for hand-written statements; Prisma takes as many again. */
  connections?: number
  logLevel?: 'info' | 'trace'
  /** The limit of the JavaScript heap in MiB, as Node sets it in a container with little memory. Beyond it the process ends. */
  heapMiB?: number
  /** Started by the main that can be rigged. */
  rigged?: boolean
}

export function startPosthornProcess(options: PosthornProcessOptions): PosthornProcess {
  const { notify, until } = createSignals()
  const { role = 'dispatcher' } = options
  const child = fork(options.rigged === true ? rigged : command, ['serve', '--role', role], {
    env: environmentOf(options),
    execArgv: options.heapMiB === undefined ? [] : [`--max-old-space-size=${options.heapMiB}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let shards: readonly number[] = []
  let origin: string | undefined
  let recorded = 0
  let notMoved = 0
  let failed = 0
  const said = new Map<string, number>()
  let end: number | string | undefined
  const errors: string[] = []
  const asked: ((times: ClaimTimes) => void)[] = []

  function tell(order: Order): void {
    // A process that is ending may be gone before it hears it.
    child.send(order, () => undefined)
  }
  child.on('message', (times: ClaimTimes) => asked.shift()?.(times))

  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      end = code ?? signal ?? 'unknown'
      resolve(end)
      notify()
    })
  })
  readLines(child, (line) => {
    const message = String(line['msg'])
    said.set(message, (said.get(message) ?? 0) + 1)
    if (Array.isArray(line['shards'])) shards = line['shards']
    if (typeof line['origin'] === 'string') origin = line['origin']
    if (message === 'attempt') recorded += 1
    if (message === 'attempt' && line['moved'] === false) notMoved += 1
    if (message === 'attempt' && line['outcome'] !== 'delivered') failed += 1
    notify()
  })
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const pid = child.pid ?? 0

  return {
    pid,
    said,
    ended,
    get origin() {
      return origin
    },
    get shards() {
      return shards
    },
    get recorded() {
      return recorded
    },
    get failed() {
      return failed
    },
    get notMoved() {
      return notMoved
    },
    until: (look) =>
      until(() => {
        const found = look()
        if (found !== undefined && found !== false) return found
        if (end === undefined) return undefined
        throw new Error(`posthorn ended (${end}) without that. ${errors.join('').slice(-errorsLengthMax)}`)
      }),
    kill: (signal) => child.kill(signal),
    dieAt: (at) => tell({ tell: 'die', at }),
    setClock: (aheadMs) => tell({ tell: 'clock', aheadMs }),
    claimMs() {
      tell({ tell: 'claim times' })
      return new Promise((resolve) => asked.push((times) => resolve(times.claimMs)))
    },
    usage: () => usageOf(pid),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Whether it says that it is stopping. */
export function isStopping({ said }: PosthornProcess): boolean {
  return [...said.keys()].some((message) => message.startsWith('stopping'))
}

function environmentOf(options: PosthornProcessOptions): Record<string, string> {
  const { url, receiverPort, concurrency = 256, port = 0, connections = 4, drainSeconds, adminKey, logLevel } = options
  return {
    DATABASE_URL: url,
    PORT: String(port),
    // Node's usual place: a process starts in half the time.
    NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
    POSTHORN_MASTER_KEY: testMasterKeyText,
    POSTHORN_CREATE_EVENT_TYPES: 'true',
    POSTHORN_ALLOW_HTTP: 'true',
    POSTHORN_ALLOWED_RECEIVERS: `127.0.0.1:${receiverPort}`,
    POSTHORN_CONCURRENCY: String(concurrency),
    POSTHORN_DATABASE_CONNECTIONS: String(connections),
    ...(adminKey === undefined ? {} : { POSTHORN_ADMIN_KEY: adminKey }),
    ...(drainSeconds === undefined ? {} : { POSTHORN_DRAIN_SECONDS: String(drainSeconds) }),
    ...(logLevel === undefined ? {} : { LOG_LEVEL: logLevel }),
  }
}

function readLines({ stdout }: ChildProcess, onLine: (line: Record<string, unknown>) => void): void {
  if (stdout === null) return
  createInterface({ input: stdout }).on('line', (text) => onLine(JSON.parse(text)))
}

async function usageOf(pid: number): Promise<{ rssBytesMax: number; openFiles: number } | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
    const files = await readdir(`/proc/${pid}/fd`)
    return { rssBytesMax: Number(peak) * 1024, openFiles: files.length }
  } catch {
    return undefined // another system than Linux
  }
}
