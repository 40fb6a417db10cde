/** `posthorn` within this process, which starts faster than one of its own. */
import { Readable } from 'node:stream'
import { runCommand } from 'posthorn/command'

export type Ended = { code: number; stdout: string; stderr: string }

export type Within = {
  environment?: Readonly<Record<string, string>>
  stop?: AbortSignal
  /** Told what is written to standard error, as it comes. */
  heard?(text: string): void
}

export async function runPosthorn(
  words: readonly string[],
  { environment = {}, stop, heard }: Within = {},
): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const code = await runCommand(words, {
    environment,
    world: { now: () => Date.now(), randomBytes: (size) => new Uint8Array(size) },
    host: { uid: -1, pid: 1, env: {} },
    nodeVersion: '',
    stdin: () => Readable.from([]),
    stdout: {
      write(text) {
        said.stdout += text
      },
    },
    stderr: {
      write(text) {
        said.stderr += text
        heard?.(text)
      },
    },
    stop: stop ?? new AbortController().signal,
    onExit: () => undefined,
  })
  return { code, ...said }
}

export function docs(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  stop?: AbortSignal,
): Promise<Ended> {
  return runPosthorn(['docs', ...words], { environment, ...(stop === undefined ? {} : { stop }) })
}
