/**
 * Times as counts in fixed buckets. Counts of any rows can be added up, which no percentile can; what is lost is the place
 * within a bucket, and each bucket is at most 2.5 times as wide as the one before, up to 10 s.
 */

/** Where each bucket ends and the next begins, in milliseconds. The last one has no end. */
export const bucketBoundsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 120_000, 600_000, 3_600_000,
] as const

export const bucketCount = bucketBoundsMs.length + 1

/**
 * The time below which so large a part of the counted lies, in milliseconds, as if each bucket were filled evenly. Null
 * when nothing was counted. Within the last bucket, which has no end, it is only known to be beyond its beginning.
 *
 * @param part from 0 to 1
 */
export function percentile(counts: readonly number[], part: number): number | null {
  const total = counts.reduce((sum, count) => sum + Math.max(0, count), 0)
  if (total === 0) return null
  let left = part * total
  for (let index = 0; index < bucketCount; index += 1) {
    const count = Math.max(0, counts[index] ?? 0)
    if (count > 0 && left <= count) return within(index, left / count)
    left -= count
  }
  return bucketBoundsMs.at(-1) ?? null
}

function within(index: number, part: number): number {
  const from = bucketBoundsMs[index - 1] ?? 0
  const to = bucketBoundsMs[index] ?? from
  return Math.round((from + part * (to - from)) * 10) / 10
}
