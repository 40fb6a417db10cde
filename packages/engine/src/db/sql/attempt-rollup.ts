import { bucketBoundsMs, bucketCount } from '../../histogram.ts'

/**
 * The part of a statement that counts attempts in their rollups, for the statements that write attempts down.
 *
 * What a `counted` relation must have: `starts_at` (the minute in which the attempt began, by its id), the other parts of
 * the key, `attempts` (1, or -1 for one that is counted elsewhere now), `ended`, `entered`, `at`, `delivery_id`, and `wait` and
 * `time`, the numbers of the buckets or null.
 *
 * Locks one row of `attempt_minute` for each key, in the order of the keys, so that two statements never wait for each
 * other in a circle. Each of them has locked its rows of the backlog and written its attempts before.
 */
export function countingIn(counted: string): string {
  const buckets = Array.from({ length: bucketCount }, (_, index) => index)
  const counts = (name: string) =>
    `array[${buckets.map((bucket) => `count(*) filter (where ${name} = ${bucket})`).join(', ')}]::int[]`
  return `
  insert into attempt_minute as r (${rollupKey}, attempts, ended, entered, first_at, last_at, delivery_id, waits, times)
  select ${rollupKey}, sum(attempts), sum(ended), sum(entered), min(at), max(at),
         (array_agg(delivery_id) filter (where delivery_id is not null))[1], ${counts('wait')}, ${counts('time')}
  from ${counted}
  group by ${rollupKey}
  order by ${rollupKey}
  on conflict (${rollupKey}) do update
  ${addingUp}`
}

export const rollupKey = 'starts_at, tenant_id, subscription_id, event_type, trigger, failure_code, host'

/** Adds what is inserted to what is there. */
export const addingUp = `set attempts = r.attempts + excluded.attempts, ended = r.ended + excluded.ended, entered = r.entered + excluded.entered,
      first_at = least(r.first_at, excluded.first_at), last_at = greatest(r.last_at, excluded.last_at),
      delivery_id = coalesce(excluded.delivery_id, r.delivery_id),
      waits = array(select a + b from unnest(r.waits, excluded.waits) as u (a, b)),
      times = array(select a + b from unnest(r.times, excluded.times) as u (a, b))`

/** The number of the bucket of a time in milliseconds: 0 for the first. */
export function bucketOf(ms: string): string {
  return `width_bucket(${ms}::float8, array[${bucketBoundsMs.join(', ')}]::float8[])`
}

/** Host and port of a URL that was called. As much of it as an index takes; by no regular expression, which cost most of it all. */
export function hostOf(url: string): string {
  return `left(split_part(split_part(split_part(${url}, '/', 3), '?', 1), '#', 1), 255)`
}
