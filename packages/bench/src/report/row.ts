/** A result: what was measured, beside the ceiling of the same run, and beside the goal. */
import { median } from './statistics.ts'

/** What a benchmark must reach: its value or its part of the ceiling, at least or at most so much. */
export type Goal = { of: 'value' | 'ratio'; is: '>=' | '<='; limit: number }

/** One figure of one run. */
export type Figure = {
  /** `drain`, `backlog.1m.claim-p50` */
  name: string
  value: number
  unit: string
  /** What the machine does without Posthorn, in the same unit. */
  ceiling?: number
  goal?: Goal
}

/** A line of the report and of the JSON file. */
export type Row = {
  name: string
  /** The median of the runs. */
  value: number
  unit: string
  ceiling: number | null
  /** The better one of two equals is 1, whether more or less is better: value ÷ ceiling of the same run. */
  ratio: number | null
  /** `ratio >= 0.6` */
  goal: string | null
  met: boolean | null
  /** The value of each run, in their order. */
  runs: readonly number[]
  /** Whether nobody else used the machine, in all runs. */
  quiet: boolean
}

/** One run of a benchmark. */
export type Run = { figures: readonly Figure[]; quiet: boolean }

/** The rows of a benchmark from its runs, each with the same figures. */
export function rowsOf(runs: readonly Run[]): Row[] {
  const byName = Map.groupBy(
    runs.flatMap(({ figures }) => figures),
    ({ name }) => name,
  )
  const quiet = runs.every((run) => run.quiet)
  return [...byName].map(([name, figures]) => rowOf(name, figures, quiet))
}

function rowOf(name: string, figures: readonly Figure[], quiet: boolean): Row {
  const values = figures.map(({ value }) => value)
  const ceilings = figures.flatMap(({ ceiling }) => ceiling ?? [])
  const ratios = figures.flatMap(({ value, ceiling }) => (ceiling === undefined ? [] : value / ceiling))
  const value = rounded(median(values))
  const ratio = ratios.length === 0 ? null : rounded(median(ratios))
  const goal = figures[0]?.goal
  return {
    name,
    value,
    unit: figures[0]?.unit ?? '',
    ceiling: ceilings.length === 0 ? null : rounded(median(ceilings)),
    ratio,
    goal: goal === undefined ? null : `${goal.of} ${goal.is} ${goal.limit}`,
    met: goal === undefined ? null : isMet(goal, goal.of === 'value' ? value : (ratio ?? Number.NaN)),
    runs: values.map(rounded),
    quiet,
  }
}

function isMet({ is, limit }: Goal, figure: number): boolean {
  return is === '>=' ? figure >= limit : figure <= limit
}

/** Three digits, or all in front of the point: nothing here is known better. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}
