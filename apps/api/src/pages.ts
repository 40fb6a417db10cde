/** Pages of lists on the wire: cursors in the body, and the same as `Link` headers (RFC 8288). */
import type { Page } from '@posthorn/engine'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Links } from './parts.ts'

export type WirePage<T> = { data: T[]; next_cursor: string | null; prev_cursor: string | null; count?: number }

/** A page as it is sent; sets the header `link`. */
export function wirePage<Row, Wire>(
  { request, reply, links }: { request: FastifyRequest; reply: FastifyReply; links: Links },
  page: Page<Row>,
  view: (row: Row) => Wire,
): WirePage<Wire> {
  const related = [
    link(request, links, page.nextCursor, 'next'),
    link(request, links, page.prevCursor, 'prev'),
    link(request, links, '', 'first'),
  ]
  reply.header('link', related.filter((one) => one !== undefined).join(', '))
  const cursors = { next_cursor: page.nextCursor, prev_cursor: page.prevCursor }
  return { data: page.rows.map(view), ...cursors, ...(page.count === undefined ? {} : { count: page.count }) }
}

function link(request: FastifyRequest, links: Links, cursor: string | null, relation: string): string | undefined {
  if (cursor === null) return undefined
  const [path = '', query = ''] = request.url.split('?', 2)
  const parameters = new URLSearchParams(query)
  parameters.delete('cursor')
  if (cursor !== '') parameters.set('cursor', cursor)
  const text = parameters.toString()
  return `<${links.publicUrl}${path}${text === '' ? '' : `?${text}`}>; rel="${relation}"`
}
