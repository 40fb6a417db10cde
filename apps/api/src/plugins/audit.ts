/**
 * Holds every route that changes or reveals something to the audit log: it names its action, or says why it has none; and
 * no such route answers 2xx without an entry.
 */
import { type AuditAction, limits, Problem } from '@posthorn/contract'
import { type Audit, auditedDatabase, type Database, newUuid, type World } from '@posthorn/engine'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import { declareHeaders } from '../route-headers.ts'
import { isDryRun } from './query.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What will stand in the log; undefined in routes that write no entry. */
    audit: Audit | undefined
  }
  interface FastifyContextConfig {
    /** What stands in the audit log, or why nothing does. Every route that is no GET says so, and every reveal. */
    audit?: AuditAction | { none: string }
  }
}

const headerName = 'x-audit-reason'
const AuditHeaders = Type.Object({
  [headerName]: Type.Optional(
    Type.String({
      description: `Why, for the audit log: UTF-8, at most ${limits.descriptionLengthMax} characters. A \`reason\` in the body goes before it.`,
      examples: ['ticket 4711'],
    }),
  ),
})

export const audit = fp<{ world: World }>(
  async (app, { world }) => {
    app.decorateRequest('audit', undefined)
    app.addHook('onRoute', (route) => {
      const named = route.config?.audit
      const isRead = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD')
      if (named === undefined && !isRead) throw new Error(`${route.url} names no audit action, and no reason for none`)
      if (typeof named === 'string') declareHeaders(route, AuditHeaders)
    })
    // Behind the validation: the reason may stand in the body.
    app.addHook('preHandler', async (request) => {
      const action = request.routeOptions.config.audit
      if (typeof action !== 'string' || changesNothing(request)) return
      const { actor, onBehalfOf } = request.credential
      const reason = reasonOf(request)
      request.audit = { id: newUuid(world), action, actor, onBehalfOf, reason, requestId: request.id, isWritten: false }
    })
    app.addHook('onSend', async (request, reply, payload) => {
      const { audit } = request
      if (audit !== undefined && !audit.isWritten && reply.statusCode < 300) {
        request.audit = undefined
        throw new Error(`${audit.action} was answered without an audit entry`)
      }
      return payload
    })
  },
  { name: 'audit', dependencies: ['authentication'] },
)

/** The parts for what a request does: what changes by it is written to the log as done by its credential. */
export function audited<Parts extends { db: Database }>(parts: Parts, audit: Audit | undefined): Parts {
  return audit === undefined ? parts : { ...parts, db: auditedDatabase(parts.db, audit) }
}

/** A dry run, and a patch that names no member. */
function changesNothing(request: FastifyRequest): boolean {
  return isDryRun(request) || (request.method === 'PATCH' && Object.keys(Object(request.body)).length === 0)
}

/** @throws Problem `invalid_request` for a header that is no text, or too long */
function reasonOf(request: FastifyRequest): string | null {
  const inBody: unknown = Object(request.body).reason
  if (typeof inBody === 'string') return inBody
  const given = request.headers[headerName]
  if (given === undefined) return null
  const text = utf8Of(String(given))
  if (text !== undefined && text.length <= limits.descriptionLengthMax && !text.includes('\0')) return text
  throw new Problem(
    'invalid_request',
    `The header ${headerName} must be UTF-8 of at most ${limits.descriptionLengthMax} characters.`,
  )
}

/** Node reads the bytes of headers as Latin-1. */
function utf8Of(header: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'))
  } catch {
    return undefined
  }
}
