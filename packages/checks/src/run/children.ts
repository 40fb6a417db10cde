/**
 * Child processes of the run: one at a time, each in a process group of its own, so that a signal ends the whole family
 * (turbo's wrapper starts turbo, which starts compilers) and leaves nothing behind.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'

/** Told to the children of a run that stops. A second signal from the outside is not waited for: it kills. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export type Children = {
  /** Runs a program to its end, with our output as its own, and gives its exit code: 128 + n when signal n ended it. */
  run(command: readonly [program: string, ...args: string[]]): Promise<number>
  /** Ends what runs, and whatever would be run later. */
  end(signal: EndingSignal): void
  /** The signal that ended the run, if one did. */
  readonly ended: EndingSignal | undefined
}

export type ChildrenOptions = {
  folder: string
  environment: Readonly<Record<string, string | undefined>>
  /** `process.kill`: a negative id means a whole group. Throws `ESRCH` when nothing of it runs any more. */
  kill(id: number, signal: NodeJS.Signals): void
}

export function createChildren({ folder, environment, kill }: ChildrenOptions): Children {
  let group: number | undefined
  let ended: EndingSignal | undefined
  return {
    get ended() {
      return ended
    },
    run([program, ...args]) {
      if (ended !== undefined) return Promise.resolve(128 + constants.signals[ended])
      const child = spawn(program, args, {
        cwd: folder,
        env: environment,
        stdio: ['ignore', 'inherit', 'inherit'],
        detached: true,
      })
      group = child.pid
      return new Promise((resolve, reject) => {
        child.once('error', reject)
        child.once('exit', (code, signal) => {
          if (ended !== undefined) killGroup('SIGKILL') // those who outlive the one they belong to
          group = undefined
          resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
        })
      })
    },
    end(signal) {
      killGroup(ended === undefined ? signal : 'SIGKILL')
      ended ??= signal
    },
  }

  function killGroup(signal: NodeJS.Signals): void {
    try {
      if (group !== undefined) kill(-group, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

/**
 * The environment of every child: ours, with the tools of the checkout found first, nothing sent to their makers, caches
 * kept on this machine and, where nobody watches a terminal, no colours. What Node has compiled is kept with the checkout:
 * the tests start a few hundred processes of Posthorn, and each is up in half the time.
 */
export function environmentOf(
  ours: Readonly<Record<string, string | undefined>>,
  options: { root: string; hasTerminal: boolean },
): Record<string, string | undefined> {
  const folders = [options.root, join(options.root, 'packages/checks')].map((at) => join(at, 'node_modules/.bin'))
  return {
    ...ours,
    PATH: [...folders, ours['PATH']].join(delimiter),
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    TURBO_CACHE: 'local:rw',
    CHECKPOINT_DISABLE: '1',
    NODE_COMPILE_CACHE: join(options.root, 'node_modules/.cache/node-compile'),
    ...(options.hasTerminal ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined, CLICOLOR_FORCE: undefined }),
  }
}
