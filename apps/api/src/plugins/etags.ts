/**
 * Entity tags (RFC 9110 §8.8.3): a reader learns the tag of what it read, and a writer may say that it changes that and
 * nothing newer. A tag is made from the representation itself, so whatever changes it changes the tag, the dispatcher's
 * own doings too.
 */
import { createHash } from 'node:crypto'
import { Problem } from '@posthorn/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import { declareHeaders } from '../route-headers.ts'

const tagLength = 27

const PreconditionHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description: 'Change it only if it still has this entity tag',
      examples: ['"p2Ql3Y8hJ0vW1nq5Yb9sT4c7uXk"'],
    }),
  ),
  'if-none-match': Type.Optional(Type.String({ description: '`*`: only if there is none yet', examples: ['*'] })),
})

export const etags = fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      if (Object(route.schema?.response)[412] !== undefined) declareHeaders(route, PreconditionHeaders)
    })
    app.addHook('onSend', async (request, reply, payload) => {
      const tag = reply.getHeader('etag')
      const given = request.headers['if-none-match']
      if (typeof tag !== 'string' || given === undefined || request.method !== 'GET' || reply.statusCode !== 200) {
        return payload
      }
      if (!tagsIn(given).some((one) => one === '*' || weakly(one) === tag)) return payload
      reply.code(304).removeHeader('content-type').removeHeader('content-length')
      return null
    })
  },
  { name: 'etags' },
)

/** Answers with a representation and its tag. */
export function tagged<View>(reply: FastifyReply, view: View): View {
  reply.header('etag', tagOf(view))
  return view
}

/**
 * What the caller says of the present state: called with it, under its lock, before anything is changed; with undefined
 * when there is none. Nothing is said without `If-Match` and `If-None-Match`.
 *
 * @throws Problem `precondition_failed`, when it is called
 */
export function precondition<Row, View>(
  { headers }: FastifyRequest,
  view: (row: Row) => View,
): (current: Row | undefined) => void {
  const wanted = headers['if-match'] === undefined ? undefined : tagsIn(headers['if-match'])
  const unwanted = headers['if-none-match'] === undefined ? undefined : tagsIn(headers['if-none-match'])
  return (current) => {
    const tag = current === undefined ? undefined : tagOf(view(current))
    const isAmong = (tags: readonly string[]) => tag !== undefined && (tags.includes('*') || tags.includes(tag))
    if (wanted !== undefined && !isAmong(wanted)) {
      throw new Problem(
        'precondition_failed',
        tag === undefined
          ? 'There is none yet, and If-Match asks for one.'
          : 'It is not any more what you have read: it has another entity tag than If-Match names. Read it again, and make your change to that.',
      )
    }
    if (unwanted !== undefined && isAmong(unwanted)) {
      throw new Problem('precondition_failed', 'There is one already, and If-None-Match asks that there be none.')
    }
  }
}

function tagOf(view: unknown): string {
  return tagOfBytes(JSON.stringify(view))
}

/** The tag of a representation that is text or bytes already. */
export function tagOfBytes(bytes: string | Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, tagLength)}"`
}

/** The tags of a header, with their quotes. What is no tag matches nothing. */
function tagsIn(header: string): string[] {
  return header.split(',').map((part) => part.trim())
}

/** `If-None-Match` compares weakly (RFC 9110 §13.1.2); a proxy that compresses makes tags weak. */
function weakly(tag: string): string {
  return tag.replace(/^W\//, '')
}
