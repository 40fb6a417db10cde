/**
 * What a JSON text may not be, although it is valid: nested too deeply, or with a member given twice, of which JavaScript's
 * parser silently keeps the last.
 *
 * One pass over the text, linear and without recursion: depth costs no stack.
 */
import type { ProblemPlace } from '@posthorn/contract'
import {
  afterString,
  closeBrace,
  closeBracket,
  comma,
  givenTwiceDetail,
  keyOf,
  openBrace,
  openBracket,
  quote,
} from './published-json.ts'

export type JsonForm = {
  depthMax: number
  /** A member whose text is kept as it is: what is given twice in it is the business of who wrote it. */
  kept?: string | undefined
}

/** An object or an array that is not closed yet. */
type Open = {
  /** The names of its members so far; undefined for an array. */
  names: Set<string> | undefined
  /** The member or the element that is being read. */
  token: string | number
}

/**
 * The first place where a text is not as it may be; `undefined` when it is.
 *
 * @param text valid JSON
 */
export function jsonFault(text: string, { depthMax, kept }: JsonForm): ProblemPlace | undefined {
  // One for each level; undefined inside what is kept, where only the depth counts.
  const open: (Open | undefined)[] = []
  let isKept = false
  let isNameNext = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const end = afterString(text, at)
      const object = open.at(-1)
      if (isNameNext && object?.names !== undefined) {
        object.token = keyOf(text.slice(at, end))
        if (object.names.has(object.token)) return { pointer: pointerTo(open), detail: givenTwiceDetail }
        object.names.add(object.token)
        isKept = open.length === 1 && object.token === kept
        isNameNext = false
      }
      at = end - 1
    } else if (code === openBrace || code === openBracket) {
      if (open.length === depthMax) return tooDeep(open, depthMax)
      isNameNext = code === openBrace && !isKept
      open.push(isKept ? undefined : { names: code === openBrace ? new Set() : undefined, token: 0 })
    } else if (code === closeBrace || code === closeBracket) {
      open.pop()
      isNameNext = false
    } else if (code === comma) {
      const container = open.at(-1)
      isNameNext = container?.names !== undefined
      if (typeof container?.token === 'number') container.token += 1
    }
  }
  return undefined
}

/** Told of the member of the whole that it is in: the way to the place itself would be longer than anybody reads. */
function tooDeep([whole]: (Open | undefined)[], depthMax: number): ProblemPlace {
  return { pointer: pointerTo([whole]), detail: `is nested deeper than ${depthMax - 1} levels` }
}

function pointerTo(open: (Open | undefined)[]): string {
  return open
    .map(
      (one) =>
        `/${String(one?.token ?? '')
          .replaceAll('~', '~0')
          .replaceAll('/', '~1')}`,
    )
    .join('')
}
