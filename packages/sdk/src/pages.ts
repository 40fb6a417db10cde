/** Lists that are longer than a page, read as one. A page is asked for when its first element is. */
import { PosthornError } from './errors.ts'

export type Page<T> = {
  readonly data: readonly T[]
  readonly next_cursor: string | null
  readonly prev_cursor: string | null
}

/** A list that nobody has asked for yet. */
export type Pages<T, One extends Page<T> = Page<T>> = AsyncIterable<T> & {
  /** One page: the first, or the one that a `cursor` was given for. One request. */
  page(): Promise<One>
  /** One page after the other. */
  pages(): AsyncIterable<One>
  /** All that is left, or so many elements of it. */
  all(most?: number): Promise<T[]>
}

/** @param read asks for a page, the first one without a cursor */
export function pagesOf<T, One extends Page<T>>(read: (cursor: string | undefined) => Promise<One>): Pages<T, One> {
  async function* pages(): AsyncGenerator<One, void> {
    let cursor: string | undefined
    do {
      const page = await read(cursor)
      yield page
      const next = page.next_cursor ?? undefined
      if (next !== undefined && next === cursor)
        throw new PosthornError('unexpected_answer', 'The list never ends: a page names itself as the next one.')
      cursor = next
    } while (cursor !== undefined)
  }

  async function* elements(): AsyncGenerator<T, void> {
    for await (const { data } of pages()) yield* data
  }

  return {
    page: () => read(undefined),
    pages,
    async all(most = Number.POSITIVE_INFINITY) {
      const found: T[] = []
      if (most <= 0) return found
      for await (const one of elements()) {
        found.push(one)
        if (found.length >= most) break
      }
      return found
    },
    [Symbol.asyncIterator]: elements,
  }
}
