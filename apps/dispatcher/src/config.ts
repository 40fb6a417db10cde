/** The dispatcher's settings. */
import { integer } from '@posthorn/engine'

export const dispatcherSettings = {
  POSTHORN_CONCURRENCY: integer(
    { min: 1, max: 5000, default: 256 },
    'attempts in flight at once in one dispatcher, not counting those that receivers leave hanging',
  ),
  POSTHORN_DRAIN_SECONDS: integer(
    { min: 1, max: 300, default: 35 },
    'how long a stopping dispatcher waits for attempts in flight before it breaks them off',
  ),
}
