/** `posthorn docs` within this process, which starts faster than one of its own. */
import { Readable } from 'node:stream'
import { runCommand } from 'posthorn/command'

export type Ended = { code: number; stdout: string; stderr: string }

export async function docs(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  stop: AbortSignal = new AbortController().signal,
): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const code = await runCommand(['docs', ...words], {
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
      },
    },
    stop,
    onExit: () => undefined,
  })
  return { code, ...said }
}
