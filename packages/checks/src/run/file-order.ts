/**
 * In which order test files run. What takes longest comes first: begun last, one of those would keep one worker busy while
 * the others have nothing left to do. Faults wait for half of their time and are held to times in the other half: evenly
 * spread, few of them run beside one another, and their waiting is filled.
 */

/** Beginnings of paths, longest first. They start processes, databases or a browser of their own. */
export const longFiles: readonly string[] = [
  'packages/checks/src/demo/',
  'packages/checks/src/browser/',
  'packages/bench/src/run.',
  'packages/checks/src/command/',
  'packages/event-docs/src/samples/',
  'packages/checks/src/flows/',
]

/** The beginning of the paths that are spread. */
export const spreadFiles = 'packages/checks/src/faults/'

/** Sorts files by `longFiles`, with those of `spreadFiles` between them. What is alike stays in the order it is given in. */
export function ordered<File>(files: readonly File[], pathOf: (file: File) => string): File[] {
  const rank = (file: File): number => {
    const place = longFiles.findIndex((beginning) => pathOf(file).startsWith(beginning))
    return place === -1 ? longFiles.length : place
  }
  const isSpread = (file: File): boolean => pathOf(file).startsWith(spreadFiles)
  const others = files.filter((file) => !isSpread(file)).toSorted((one, other) => rank(one) - rank(other))
  return spread(files.filter(isSpread), others)
}

/** Puts the few between the many, with as many between each two. */
function spread<File>(few: readonly File[], many: readonly File[]): File[] {
  const step = many.length / few.length
  const left = [...few]
  const parts = many.map((file, place) => [...left.splice(0, dueBy(place) - (few.length - left.length)), file])
  return [...parts.flat(), ...left]

  /** How many of the few stand in front of this place. */
  function dueBy(place: number): number {
    return Math.floor(place / step) + 1
  }
}
