/** `listen` within this process, heard line by line, and local receivers for it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Limits, listen } from '@posthorn/event-docs/listen'
import { inject } from 'vitest'
import { createSignals } from '../flows/signals.ts'

export type Listening = AsyncDisposable & {
  /** What came, a line each. */
  readonly lines: readonly string[]
  /** What it says beside that. */
  said(): string
  /** Its exit code. */
  readonly ended: Promise<number>
  /** Ends it as Ctrl+C does. */
  stop(): Promise<number>
  /** Resolves with what `look` finds, now or after something was written. Rejects when it ends without that. */
  until<T>(look: () => T | undefined | false): Promise<T>
}

export type ListeningOptions = { key?: string; stdin?: string; limits?: Partial<Limits> }

/** Pauses that tests need not wait for. */
const short: Partial<Limits> = { pauseMs: 1, pauseMsMax: 20 }

export function startListening(words: readonly string[], options: ListeningOptions = {}): Listening {
  const { key = 'phk_of_a_test', stdin = '', limits = {} } = options
  const { notify, until } = createSignals()
  const stop = new AbortController()
  let output = ''
  let errors = ''
  let code: number | undefined
  const ended = listen(words, {
    environment: key === '' ? {} : { POSTHORN_API_KEY: key },
    stdin: () => Readable.from([stdin]),
    stdout: {
      write(text) {
        output += text
        notify()
      },
    },
    stderr: {
      write(text) {
        errors += text
        notify()
      },
    },
    stop: stop.signal,
    limits: { ...short, ...limits },
  }).then((exitCode) => {
    code = exitCode
    notify()
    return exitCode
  })
  const end = () => {
    stop.abort('SIGINT')
    return ended
  }
  return {
    get lines() {
      return output.split('\n').slice(0, -1)
    },
    said: () => errors,
    ended,
    stop: end,
    until: (look) =>
      until(() => {
        const found = look()
        if ((found === undefined || found === false) && code !== undefined)
          throw new Error(`it has ended with ${code}: ${output}${errors}`)
        return found
      }),
    [Symbol.asyncDispose]: async () => void (await end()),
  }
}

/** Ends by itself: what it wrote, and its exit code. */
export async function listened(words: readonly string[], options: ListeningOptions = {}) {
  await using listening = startListening(words, options)
  const code = await listening.ended
  return { code, lines: listening.lines, said: listening.said() }
}

const sample = fileURLToPath(new URL('../../../event-docs/samples/node/no-library.mjs', import.meta.url))

export type LocalSample = AsyncDisposable & {
  readonly origin: string
  /** What it has written so far. */
  output(): string
  /** Resolves when it has written that it received the event. */
  received(event: string): Promise<unknown>
}

/** The receiver of the documentation, started as its reader starts it. */
export async function startSample(secret: string): Promise<LocalSample> {
  const { execPath, env } = inject('machine')
  const child = spawn(execPath, [sample], {
    env: { ...env, WEBHOOK_SECRET: secret, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const { notify, until } = createSignals()
  let output = ''
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      notify()
      const [, found] = /^port (\d+)$/m.exec(output) ?? []
      if (found !== undefined) resolve(found)
    })
    closed.then(() => reject(new Error('the sample has ended')), reject)
  })
  return {
    origin: `http://127.0.0.1:${port}`,
    output: () => output,
    received: (event) => until(() => output.includes(`received ${event}\n`)),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
