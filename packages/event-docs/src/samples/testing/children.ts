/** Processes that the samples need: compilers, and the samples themselves. Each is bounded in time and ended. */
import { type ExecFileException, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { promisify } from 'node:util'

export type Command = readonly [string, ...string[]]
export type Environment = Readonly<Record<string, string | undefined>>

export type Ended = {
  /** Undefined when there is no such command, or a signal ended it. */
  readonly exitCode: number | undefined
  /** Its time was up. */
  readonly isOverdue: boolean
  readonly output: string
}

const run = promisify(execFile)
const outputBytesMax = 4 * 1024 * 1024

/** Runs a command to its end, or until its time is up. */
export async function runToEnd(
  [file, ...args]: Command,
  { cwd, env, timeoutMs, input }: { cwd?: string; env: Environment; timeoutMs: number; input?: Buffer },
): Promise<Ended> {
  const running = run(file, args, {
    cwd,
    env: { ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: outputBytesMax,
  })
  running.child.stdin?.on('error', () => undefined)
  running.child.stdin?.end(input)
  try {
    const { stdout, stderr } = await running
    return { exitCode: 0, isOverdue: false, output: stdout + stderr }
  } catch (error) {
    // What promisify(execFile) rejects with.
    const { code, killed, stdout, stderr } = error as Partial<ExecFileException & Record<'stdout' | 'stderr', string>>
    const exitCode = typeof code === 'number' ? code : undefined
    return { exitCode, isOverdue: killed === true, output: `${stdout ?? ''}${stderr ?? ''}` }
  }
}

export type Running = {
  readonly port: number
  /** Everything that it has written so far. */
  output(): string
  /** Ends it; resolves when all that it wrote has been read. */
  end(): Promise<void>
}

/** The process ended before it said that it listens; `exitCode` is null when its time was up. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted'
  readonly exitCode: number | null

  constructor(exitCode: number | null, output: string) {
    super(`it ended with ${exitCode} before it listened:\n${output.slice(-4000)}`)
    this.exitCode = exitCode
  }
}

/**
 * Starts a server and waits until it tells its port, whatever the words: that is what all of them write once they listen.
 *
 * @throws NotStarted
 */
export async function startServer(
  [file, ...args]: Command,
  { port, startTimeoutMs, ...options }: { cwd: string; env: Environment; port: number; startTimeoutMs: number },
): Promise<Running> {
  const spawnOptions: SpawnOptions = { cwd: options.cwd, env: { ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] }
  const child = spawn(file, args, spawnOptions)
  const closed = once(child, 'close')
  let output = ''
  const listens = Promise.withResolvers<'listens'>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (new RegExp(`\\b${port}\\b`).test(output)) listens.resolve('listens')
    })
  }
  const timeIsUp = AbortSignal.timeout(startTimeoutMs)
  timeIsUp.addEventListener('abort', () => listens.reject(new Error('its time was up')))
  const endedFirst = closed.then(([code]) => {
    throw new NotStarted(typeof code === 'number' ? code : null, output)
  })
  try {
    await Promise.race([listens.promise, endedFirst])
  } catch (error) {
    child.kill('SIGKILL')
    await closed.catch(() => undefined)
    throw error instanceof NotStarted ? error : new NotStarted(null, output)
  } finally {
    endedFirst.catch(() => undefined)
    listens.promise.catch(() => undefined)
  }
  return {
    port,
    output: () => output,
    async end() {
      child.kill('SIGKILL')
      await closed
    },
  }
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
