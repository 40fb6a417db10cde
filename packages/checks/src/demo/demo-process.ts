/**
 * The demo as a user starts it: a process of its own, spoken to through its JSON lines, its API and signals.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const main = fileURLToPath(new URL('../../../../apps/posthorn/src/main.ts', import.meta.url))

/** One JSON line of the transcript. */
export type DemoLine = Record<string, unknown> & { kind: string }

export type DemoProcess = AsyncDisposable & {
  readonly pid: number
  readonly lines: readonly DemoLine[]
  /** Resolves with the first line, past or future, that `is` accepts; rejects when the process ends without it. */
  line(is: (line: DemoLine) => boolean): Promise<DemoLine>
  /** The exit code, or the name of the signal. */
  readonly ended: Promise<number | string>
  /** What it wrote to standard error. */
  errors(): string
  kill(signal: NodeJS.Signals): void
}

/** Starts `posthorn demo` with these words, in its own process group and without a terminal. */
export function startDemoProcess(words: readonly string[], environment: Record<string, string>): DemoProcess {
  const { execPath, env } = inject('machine')
  const child: ChildProcess = spawn(execPath, [main, 'demo', ...words], {
    env: { ...env, DATABASE_URL: '', NODE_ENV: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const lines: DemoLine[] = []
  const waiters = new Set<() => void>()
  const errors: string[] = []
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (text) => {
      lines.push(JSON.parse(text))
      for (const waiter of [...waiters]) waiter()
    })
  }
  return {
    pid: child.pid ?? 0,
    lines,
    ended,
    errors: () => errors.join(''),
    line(is) {
      return new Promise((resolve, reject) => {
        function look(): void {
          const found = lines.find(is)
          if (found === undefined) return
          waiters.delete(look)
          resolve(found)
        }
        waiters.add(look)
        look()
        void ended.then((code) =>
          reject(new Error(`the demo ended (${code}) without that line: ${JSON.stringify(lines)} ${errors.join('')}`)),
        )
      })
    },
    kill(signal) {
      child.kill(signal)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** How to speak to a demo that has come up. */
export type DemoApi = {
  origin: string
  key: string
  /** GET, or POST when there is a body. */
  call(path: string, body?: unknown): Promise<Response>
  /** The rows of a list. */
  list(path: string): Promise<Record<string, unknown>[]>
}

/** Waits for the verified delivery. */
export async function apiOf(demo: DemoProcess): Promise<DemoApi> {
  const { url } = await demo.line((line) => line.kind === 'ready' && line['part'] === 'api')
  const { api_key } = await demo.line((line) => line.kind === 'scene')
  await demo.line((line) => line.kind === 'verified')
  const origin = String(url)
  const key = String(api_key)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  function call(path: string, body?: unknown): Promise<Response> {
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    return fetch(origin + path, init)
  }
  async function list(path: string): Promise<Record<string, unknown>[]> {
    const page: unknown = await (await call(path)).json()
    const hasRows = page !== null && typeof page === 'object' && 'data' in page && Array.isArray(page.data)
    if (!hasRows) throw new Error(`${path} is no list: ${JSON.stringify(page)}`)
    return page.data as Record<string, unknown>[] // rows of a list are objects
  }
  return { origin, key, call, list }
}
