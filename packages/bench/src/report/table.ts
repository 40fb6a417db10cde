/** The rows for people. */
import type { Row } from './row.ts'

const heads = ['benchmark', 'result', 'unit', 'ceiling', 'ratio', 'goal', ''] as const
/** The columns of figures, aligned to the right. */
const figures = new Set([1, 3, 4])

/** A table of fixed columns. Values of several runs are followed by the lowest and the highest. */
export function table(rows: readonly Row[]): string {
  const lines = [heads, ...rows.map(cells)]
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          figures.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cells(row: Row): readonly string[] {
  const { name, value, unit, ceiling, ratio, goal, met, runs, quiet } = row
  const spread = runs.length > 1 ? ` (${Math.min(...runs)}–${Math.max(...runs)})` : ''
  const verdict = met === null ? '' : met ? 'met' : 'MISSED'
  return [
    name,
    `${value}${spread}`,
    unit,
    ceiling === null ? '' : String(ceiling),
    ratio === null ? '' : ratio.toFixed(2),
    goal ?? '',
    [verdict, quiet ? '' : 'busy machine'].filter((text) => text !== '').join(', '),
  ]
}
