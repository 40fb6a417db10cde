/** Which known name somebody may have meant who wrote another one. */

/** A longer name is no slip of the pen, and not worth comparing. */
const lengthMax = 64

/** The known name that differs least, if it differs by little: a third of its letters, two at the most. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > lengthMax) return undefined
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of known) {
    const distance = distanceOf(name, candidate)
    const near = distance <= Math.min(2, Math.floor(Math.max(name.length, candidate.length) / 3))
    if (near && (best === undefined || distance < best.distance)) best = { candidate, distance }
  }
  return best?.candidate
}

/** How many letters have to be put in, taken out or replaced. */
function distanceOf(from: string, to: string): number {
  const letters = [...to]
  let row = [0, ...letters.map((_, index) => index + 1)]
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1]
    for (const [column, other] of letters.entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
