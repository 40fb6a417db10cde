/** Numbers as people read them. */

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** “3 days 3 hours 35 minutes 5 seconds”, “1.5 seconds”: exact to the millisecond. */
export function durationInWords(seconds: number): string {
  let left = Math.round(seconds * 1000) / 1000
  const parts: string[] = []
  for (const [unit, size] of units) {
    // Below a second there is no other unit.
    const count = size === 1 ? Math.round(left * 1000) / 1000 : Math.floor(left / size)
    if (count > 0) parts.push(counted(count, unit))
    left -= count * size
  }
  return parts.length === 0 ? '0 seconds' : parts.join(' ')
}

/**
 * “3 days 4 hours”: the two largest units, for people who want to know about how long.
 *
 * @param round `up` where the time is to be waited for, so that less would be wrong
 */
export function roundedDuration(seconds: number, round: 'nearest' | 'up' = 'nearest'): string {
  const at = units.findIndex(([, size]) => seconds >= size)
  const [, step] = units[at + 1] ?? ['second', 1]
  // From a minute on: what is shorter has no second unit, and is exact.
  if (at < 0 || at === units.length - 1) return durationInWords(seconds)
  return durationInWords((round === 'up' ? Math.ceil(seconds / step) : Math.round(seconds / step)) * step)
}

/** “about 3 days 4 hours”; without “about” when it is exact. */
export function aboutDuration(seconds: number): string {
  const rounded = roundedDuration(seconds)
  return rounded === durationInWords(seconds) ? rounded : `about ${rounded}`
}

/** “90 seconds”, “5 minutes”: in the largest unit that fits without a fraction, so nothing is rounded. */
export function exactDuration(seconds: number): string {
  const [unit, size] = units.find(([, each]) => seconds >= each && seconds % each === 0) ?? ['second', 1]
  return counted(seconds / size, unit)
}

/** “1 attempt”, “2 attempts”. */
export function counted(count: number, thing: string): string {
  return `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`
}

/** “256 KiB”. Sizes that are no whole number of KiB are told in bytes. */
export function bytesInWords(bytes: number): string {
  if (bytes >= 1024 * 1024 && bytes % (1024 * 1024) === 0) return `${bytes / (1024 * 1024)} MiB`
  if (bytes >= 1024 && bytes % 1024 === 0) return `${bytes / 1024} KiB`
  return `${bytes.toLocaleString('en')} bytes`
}

/** “a, b and c”. */
export function listInWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
