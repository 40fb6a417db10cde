/** More events than one request may have, in as many as they need. */
import type { Body } from './inputs.ts'
import { bodyText } from './requests.ts'

type Event = Body<'publishEvent'>

/** As the API's limits for a batch. */
const eventsMax = 1_000
const bytesMax = 5 * 1024 * 1024
/** What stands around the events: `{"events":[]}`. */
const frameBytes = 13

/**
 * In order, each as long as may be. One at least, so that the API says what it thinks of none.
 *
 * @throws PosthornError `invalid_argument`, for what cannot be written as JSON
 */
export function batchesOf(events: readonly Event[]): (readonly Event[])[] {
  const encoder = new TextEncoder()
  let batch: Event[] = []
  let bytes = frameBytes
  const batches = [batch]
  for (const event of events) {
    // With the comma behind it.
    const more = encoder.encode(bodyText(event)).length + 1
    if (batch.length > 0 && (batch.length === eventsMax || bytes + more > bytesMax)) {
      batch = []
      bytes = frameBytes
      batches.push(batch)
    }
    batch.push(event)
    bytes += more
  }
  return batches
}
