/**
 * Lists: a page of objects, and opaque cursors to the pages before and after it.
 */
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'
import { Nullable } from './nullable.ts'
import { type NamedSchema, named, reference } from './reference.ts'

const cursorLengthMax = 512

/** What every list takes. */
export const pageParameters = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: limits.pageSizeMax,
      default: limits.pageSizeDefault,
      description: 'Objects on a page',
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      maxLength: cursorLengthMax,
      description: '`next_cursor` or `prev_cursor` of another page of the same list',
    }),
  ),
  order: Type.Optional(
    Type.Enum(['desc', 'asc'], { type: 'string', default: 'desc', description: 'Newest or oldest first' }),
  ),
}

export const PageQuery = Type.Object(pageParameters, { additionalProperties: false })
export type PageQuery = Static<typeof PageQuery>

/** A page of some noun. */
export function Page<T extends NamedSchema>(item: T) {
  const page = Type.Object({
    data: Type.Array(reference(item)),
    next_cursor: Nullable(Type.String({ description: 'The page after this one, or null on the last page' })),
    prev_cursor: Nullable(Type.String({ description: 'The page before this one, or null on the first page' })),
  })
  return named(`${item.$id}Page`, page)
}
