/**
 * In which order test files run: what takes longest first. Begun last, one of those would keep one worker busy while the
 * others have nothing left to do.
 */

/** Beginnings of paths, longest first. They start processes, databases or a browser of their own. */
export const longFiles: readonly string[] = [
  'packages/checks/src/demo/',
  'packages/checks/src/browser/',
  'packages/bench/src/run.',
  'packages/checks/src/faults/',
  'packages/checks/src/command/',
  'packages/event-docs/src/samples/',
  'packages/checks/src/flows/',
]

/** Sorts files by `longFiles`. Those of one beginning, and those of none behind them, stay in the order they are given in. */
export function longestFirst<File>(files: readonly File[], pathOf: (file: File) => string): File[] {
  const rank = (file: File): number => {
    const place = longFiles.findIndex((beginning) => pathOf(file).startsWith(beginning))
    return place === -1 ? longFiles.length : place
  }
  return files.toSorted((one, other) => rank(one) - rank(other))
}
