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

/** What lists take that can say how many objects there are. */
export const countParameter = {
  count: Type.Optional(
    Type.Enum(['exact'], {
      type: 'string',
      description: 'Also count all objects that fit. They are counted one by one, so ask for it where you need it.',
    }),
  ),
}

/** A page of some noun. */
export function Page<T extends NamedSchema>(item: T) {
  const page = Type.Object({
    data: Type.Array(reference(item)),
    next_cursor: Nullable(Type.String({ description: 'The page after this one, or null on the last page' })),
    prev_cursor: Nullable(Type.String({ description: 'The page before this one, or null on the first page' })),
  })
  return named(`${item.$id}Page`, page)
}

/** A page that says how many objects there are, when it is asked. */
export function CountedPage<T extends NamedSchema>(item: T) {
  const page = Type.Object({
    ...Page(item).properties,
    count: Type.Optional(
      Type.Integer({ minimum: 0, description: 'All that fit, on all pages; only with `count=exact`' }),
    ),
  })
  return named(`${item.$id}Page`, page)
}
