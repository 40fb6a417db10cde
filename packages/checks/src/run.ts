/**
 * Every check of the house, one after the other: what `pnpm test` runs.
 *
 * A check that fails does not hide the later ones. The last line counts checks and tests together (`12 passed, 0 failed`);
 * the exit code is 0 only when nothing failed and tests ran. Arguments are vitest's (a file filter, `-t`, …), and then
 * only vitest runs.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Children, createChildren, environmentOf } from './run/children.ts'
import {
  type Counts,
  closingLine,
  countCheck,
  countTests,
  type Outcome,
  skippedGroups,
  sum,
  type TestReport,
  table,
  toldBy,
} from './run/outcome.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const turboOptions = ['--ui=stream', '--log-order=grouped', '--output-logs=errors-only', '--continue=always']

type Step = { name: string; run(children: Children): Promise<Counts> }

const hasTerminal = process.stdout.isTTY === true
const colors = hasTerminal ? [] : ['--colors=off']
const checks: Step[] = [
  check('generated sources', ['turbo', 'run', 'generate', ...turboOptions]),
  check('format and lint', ['biome', 'ci', '--error-on-warnings', '--max-diagnostics=100', ...colors]),
  check('types', ['turbo', 'run', 'types', ...turboOptions]),
]

await main(process.argv.slice(2).filter((argument) => argument !== '--'))

async function main(vitestArguments: readonly string[]): Promise<void> {
  const environment = environmentOf(process.env, { root, hasTerminal })
  const children = createChildren({ folder: root, environment, kill: (id, signal) => process.kill(id, signal) })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => children.end(signal))
  const steps = vitestArguments.length > 0 ? [tests(vitestArguments)] : [...checks, tests([])]
  const outcomes: Outcome[] = []
  for (const step of steps) {
    if (children.ended === undefined) outcomes.push(await timed(step, children))
  }
  const total = sum(outcomes)
  write(`\n${table(outcomes, performance.now() / 1000)}\n\n${closingLine(total)}\n`)
  if (children.ended !== undefined) process.exitCode = 128 + constants.signals[children.ended]
  else process.exitCode = total.failed > 0 ? 1 : 0
}

async function timed(step: Step, children: Children): Promise<Outcome> {
  write(`\n== ${step.name}\n`)
  const start = performance.now()
  const counts = await step.run(children).catch((error: unknown) => {
    write(`${error instanceof Error ? error.message : String(error)}\n`)
    return countCheck(1)
  })
  return { name: step.name, seconds: (performance.now() - start) / 1000, ...counts }
}

function check(name: string, command: readonly [string, ...string[]]): Step {
  return { name, run: async (children) => countCheck(await children.run(command)) }
}

function tests(vitestArguments: readonly string[]): Step {
  return {
    name: 'tests',
    async run(children) {
      const folder = await mkdtemp(join(tmpdir(), 'posthorn-checks-'))
      const reportFile = join(folder, 'tests.json')
      try {
        const exitCode = await children.run([
          'vitest',
          'run',
          '--config=packages/checks/vitest.config.ts',
          '--reporter=default',
          '--reporter=json',
          `--outputFile.json=${reportFile}`,
          ...vitestArguments,
        ])
        const report = await readReport(reportFile)
        if (!choosesByTitle(vitestArguments)) for (const line of skippedGroups(report)) write(`${line}\n`)
        for (const lines of toldBy(report)) write(`\n${lines}\n`)
        return countTests(report, exitCode)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/** Then nearly everything is skipped, and nobody asks why. */
function choosesByTitle(vitestArguments: readonly string[]): boolean {
  return vitestArguments.some((argument) => /^(-t|--testNamePattern)/.test(argument))
}

async function readReport(file: string): Promise<TestReport | undefined> {
  try {
    // vitest's JSON reporter wrote it, for us, a moment ago.
    return JSON.parse(await readFile(file, 'utf8')) as TestReport
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function write(text: string): void {
  process.stdout.write(text)
}
