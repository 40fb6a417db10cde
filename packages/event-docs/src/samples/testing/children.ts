/** Processes that the samples need: compilers, and the samples themselves. Each is bounded in time and ended. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { kill } from 'node:process'

export type Command = readonly [string, ...string[]]
export type Environment = Readonly<Record<string, string | undefined>>

export type Ended = {
  /** Undefined when there is no such command, or a signal ended it. */
  readonly exitCode: number | undefined
  /** Its time was up. */
  readonly isOverdue: boolean
  readonly output: string
}

const outputCharactersMax = 4 * 1024 * 1024

/**
 * Runs a command to its end, or until its time is up: then everything that it started is ended with it, compilers below a
 * shell included.
 */
export async function runToEnd(
  [file, ...args]: Command,
  { cwd, env, timeoutMs, input }: { cwd?: string; env: Environment; timeoutMs: number; input?: Buffer },
): Promise<Ended> {
  const child = spawn(file, args, { cwd, env: { ...env }, stdio: 'pipe', detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-outputCharactersMax)
    })
  }
  child.stdin.on('error', () => undefined).end(input)
  const timeIsUp = AbortSignal.timeout(timeoutMs)
  const end = () => endGroup(child)
  timeIsUp.addEventListener('abort', end)
  try {
    const [exitCode] = await once(child, 'close')
    return { exitCode: typeof exitCode === 'number' ? exitCode : undefined, isOverdue: timeIsUp.aborted, output }
  } catch (error) {
    // There is no such command.
    return { exitCode: undefined, isOverdue: false, output: error instanceof Error ? error.message : String(error) }
  } finally {
    timeIsUp.removeEventListener('abort', end)
  }
}

/** Ends a process that was started detached, with all that it started. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    kill(-pid, 'SIGKILL')
  } catch {
    // It has ended in this very moment.
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
