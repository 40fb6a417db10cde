import { type Uuid, uuidFloor } from '@posthorn/contract'

/** From a time on, up to but not including another. Unix milliseconds. */
export type TimeRange = { sinceMs?: number | undefined; untilMs?: number | undefined }

/** A time beyond every id: the 48 bits of a UUIDv7 end in the year 10889. */
const idMsMax = 2 ** 48 - 1

/** The ids that were made in a time: they carry it, so no other column is needed and other days are not read. */
export function idsWithin({ sinceMs, untilMs }: TimeRange): { from?: Uuid; before?: Uuid } {
  return {
    ...(sinceMs === undefined ? {} : { from: uuidFloor(bounded(sinceMs)) }),
    ...(untilMs === undefined ? {} : { before: uuidFloor(bounded(untilMs)) }),
  }
}

function bounded(ms: number): number {
  return Math.min(Math.max(0, ms), idMsMax)
}
