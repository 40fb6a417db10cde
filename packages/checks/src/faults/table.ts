/** The rows of faults for people, and what is wrong with them. */
import { type FaultRow, failuresOf } from './fault.ts'

const heads = ['fault', 'published', 'delivered', 'lost', 'duplicated', 'time to recover', ''] as const
/** The columns of figures, aligned to the right. */
const figures = new Set([1, 2, 3, 4, 5])

/** A table of fixed columns. Duplicates that may be are followed by how many may. */
export function table(rows: readonly FaultRow[]): string {
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

function cells(row: FaultRow): readonly string[] {
  const { fault, published, delivered, lost, duplicated, duplicatesAllowed, recoveredMs, notes } = row
  const failed = failuresOf(row).length > 0
  return [
    fault,
    String(published),
    String(delivered),
    String(lost),
    duplicatesAllowed === 0 ? String(duplicated) : `${duplicated} of ≤ ${duplicatesAllowed}`,
    recoveredMs === null ? '–' : `${(recoveredMs / 1000).toFixed(1)} s`,
    [...(failed ? ['FAILED'] : []), ...notes].join('; '),
  ]
}
