/**
 * Compares a sample with its schema, a part at a time: between two parts other requests are answered.
 */
import { setImmediate as letOthers } from 'node:timers/promises'
import type { EventSample } from '@posthorn/engine'
import { createObserver, type Observed } from '@posthorn/event-docs'

/** What is parsed and looked at in one go, in UTF-16 units: a few milliseconds of work. */
const partLength = 64 * 1024

export type ObservedSample = {
  observed: Observed
  /** The events that were looked at; not all of the sample where they hold more than there is room for. */
  events: EventSample['events']
}

export async function observeSample({ version, events }: EventSample): Promise<ObservedSample> {
  const observer = createObserver(version?.schema)
  let length = 0
  let lookedAt = 0
  for (const { data } of events) {
    lookedAt += 1
    // It was valid JSON when it was published.
    const hasRoom = observer.add(JSON.parse(data))
    if (!hasRoom) break
    length += data.length
    if (length < partLength) continue
    length = 0
    await letOthers()
  }
  return { observed: observer.observed(), events: events.slice(0, lookedAt) }
}
