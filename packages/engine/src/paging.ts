/**
 * Lists in pages, by keyset: a page begins behind the last row of the one before it, so it costs the same wherever it
 * lies, and rows that come or go meanwhile shift nothing.
 *
 * A cursor is opaque to callers: it names the list, the direction and the row it stands behind. It is validated and not
 * signed, because it grants nothing: whatever row it names, the query still asks for the caller's tenant first.
 */
import { limits, Problem } from '@posthorn/contract'

export type Order = 'asc' | 'desc'

/** What a caller asks of a list. */
export type PageRequest = {
  limit?: number | undefined
  order?: Order | undefined
  cursor?: string | undefined
}

/** Whether all rows are to be counted too. */
export type Counting = { count?: 'exact' | undefined }

/** The parts of a row's place in a list: its id, or a time and a name. */
export type Key = readonly [string, ...string[]]

export type Page<Row> = {
  rows: Row[]
  nextCursor: string | null
  prevCursor: string | null
  /** All rows on all pages, where they were counted. */
  count?: number | undefined
}

/** A page about to be read. */
export type PagePlan = {
  /** Rows to ask for: one more than the page holds, to know whether another follows. */
  take: number
  /** The order in which to read: reversed on the way back. */
  order: Order
  /** Only rows beyond this place, in that order. */
  beyond: Key | undefined
  /** Makes the page of the rows that were read. */
  page<Row>(rows: readonly Row[], keyOf: (row: Row) => Key): Page<Row>
}

const keyPartLengthMax = 200

/**
 * Reads a request for a page of a list.
 *
 * @param list the name of the list: cursors of another are refused
 * @param isKey whether parts taken from a cursor can be a place in this list
 * @throws Problem `invalid_request` for a cursor that this list has not given out
 */
export function planPage(list: string, request: PageRequest, isKey: (key: Key) => boolean): PagePlan {
  const limit = Math.min(request.limit ?? limits.pageSizeDefault, limits.pageSizeMax)
  const order = request.order ?? 'desc'
  const cursor = request.cursor === undefined ? undefined : readCursor(list, order, request.cursor, isKey)
  const backwards = cursor?.direction === 'prev'
  const write = (direction: Direction, key: Key) => writeCursor({ list, order, direction, key })

  return {
    take: limit + 1,
    order: backwards ? opposite(order) : order,
    beyond: cursor?.key,
    page(read, keyOf) {
      const rows = read.slice(0, limit)
      const more = read.length > limit
      if (backwards) rows.reverse()
      const [first] = rows
      const last = rows.at(-1)
      // Where we come from there are rows, or were when the cursor was given out.
      const hasNext = backwards ? cursor !== undefined : more
      const hasPrev = backwards ? more : cursor !== undefined
      return {
        rows,
        nextCursor: hasNext && last !== undefined ? write('next', keyOf(last)) : null,
        prevCursor: hasPrev && first !== undefined ? write('prev', keyOf(first)) : null,
      }
    },
  }
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** For lists in the order of their ids. */
export function isUuidKey(key: Key): boolean {
  return key.length === 1 && uuidForm.test(key[0])
}

/** For lists in the order of a number that the database counts. */
export function isCountKey(key: Key): boolean {
  return key.length === 1 && /^\d{1,18}$/.test(key[0])
}

/** For lists in the order of a time, and of a name where two were made in the same millisecond. */
export function isTimeAndNameKey(key: Key): boolean {
  return (
    key.length === 2 && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(key[0]) && !Number.isNaN(Date.parse(key[0]))
  )
}

type Direction = 'next' | 'prev'
type Cursor = { list: string; order: Order; direction: Direction; key: Key }

function opposite(order: Order): Order {
  return order === 'asc' ? 'desc' : 'asc'
}

function writeCursor({ list, order, direction, key }: Cursor): string {
  return Buffer.from(JSON.stringify([list, order, direction, ...key])).toString('base64url')
}

function readCursor(list: string, order: Order, text: string, isKey: (key: Key) => boolean): Cursor {
  const [ofList, ofOrder, direction, first, ...rest] = partsOf(text)
  const isDirection = direction === 'next' || direction === 'prev'
  if (ofList !== list || !isDirection || first === undefined) throw unknownCursor('is not a cursor of this list')
  if (ofOrder !== order) throw unknownCursor('is a cursor of the other order: keep `order` as it was')
  const key: Key = [first, ...rest]
  if (!key.every((part) => part.length <= keyPartLengthMax) || !isKey(key)) {
    throw unknownCursor('is not a cursor of this list')
  }
  return { list, order, direction, key }
}

/** The texts in a cursor, or nothing when it is not one. */
function partsOf(text: string): string[] {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return []
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string' && !part.includes('\0')) ? parts : []
  } catch {
    return [] // not JSON: somebody's own invention
  }
}

function unknownCursor(detail: string): Problem {
  return new Problem('invalid_request', `The cursor ${detail}. Take \`next_cursor\` or \`prev_cursor\` from a page.`, {
    errors: [{ pointer: '?cursor', detail }],
  })
}
