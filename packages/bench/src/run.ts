/** Runs benchmarks one after the other, each as often as asked, and makes rows of what they measured. */
import type { World } from '@posthorn/engine'
import { benchmarks } from './benchmarks/all.ts'
import type { Bench, Sizes } from './benchmarks/benchmark.ts'
import { waitForQuiet, watchOthers } from './machine/quiet.ts'
import { type Row, type Run, rowsOf } from './report/row.ts'
import { type Stage, temporaryFolder } from './stage/stage.ts'

export type RunOptions = {
  names: readonly string[]
  /** How often each benchmark is run. */
  runs: number
  sizes: Sizes
  world: World
  stop: AbortSignal
  openStage(): Promise<Stage>
  /** How long a quiet machine is waited for, before each measurement, in milliseconds. */
  quietMs: number
  profileFolder?: string | undefined
  /** Told what is being done. */
  tell(line: string): void
}

/**
 * @returns the rows, in the order of the names
 * @throws BenchmarkFailed, ChildFailed when a measurement went wrong; a missed goal is no error
 */
export async function runBenchmarks(options: RunOptions): Promise<Row[]> {
  const rows: Row[] = []
  for (const name of options.names) {
    const benchmark = benchmarks[name]
    if (benchmark === undefined) throw new Error(`there is no benchmark ${name}`)
    const runs: Run[] = []
    for (let turn = 1; turn <= options.runs; turn += 1) {
      options.tell(options.runs === 1 ? name : `${name}, run ${turn} of ${options.runs}`)
      await using folder = await temporaryFolder()
      const bench = createBench(options, folder.path)
      const figures = await benchmark(bench)
      runs.push({ figures, quiet: bench.wasQuiet() })
    }
    rows.push(...rowsOf(runs))
  }
  return rows
}

function createBench(options: RunOptions, folder: string): Bench & { wasQuiet(): boolean } {
  const { sizes, world, stop, profileFolder, openStage, quietMs, tell } = options
  let quiet = true
  return {
    sizes,
    world,
    stop,
    folder,
    profileFolder,
    openStage,
    async measured(what, measure) {
      const begun = await waitForQuiet(quietMs)
      const isStillQuiet = await watchOthers()
      const result = await measure()
      const undisturbed = await isStillQuiet()
      quiet &&= begun && undisturbed
      const trouble = undisturbed ? '' : '; others were busy meanwhile'
      tell(`  ${what}${begun ? trouble : `; the machine did not become quiet within ${quietMs / 1000} s${trouble}`}`)
      return result
    },
    wasQuiet: () => quiet,
  }
}
