/** Numbers as people read them. */

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** “2 hours 30 minutes”: the two largest units that are not zero, for people who want to know about how long. */
export function durationInWords(seconds: number): string {
  let left = Math.round(seconds)
  const parts: string[] = []
  for (const [unit, size] of units) {
    const count = Math.floor(left / size)
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`)
    left -= count * size
  }
  return parts.length === 0 ? '0 seconds' : parts.slice(0, 2).join(' ')
}

/** “90 seconds”, “5 minutes”: in the largest unit that fits without a fraction, so nothing is rounded. */
export function exactDuration(seconds: number): string {
  const [unit, size] = units.find(([, each]) => seconds >= each && seconds % each === 0) ?? ['second', 1]
  const count = seconds / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
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
