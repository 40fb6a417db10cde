import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  AuditEntryPage,
  AuditQuery,
  formatId,
  reference,
  uuidTime,
  type AuditEntry as WireAuditEntry,
} from '@posthorn/contract'
import { type AuditEntry, inQuery, listAuditEntries, timesOf } from '@posthorn/engine'
import { wirePage } from '../pages.ts'
import type { RouteParts } from '../parts.ts'
import { refusals } from '../refusals.ts'

export const auditRoutes: FastifyPluginAsyncTypebox<RouteParts> = async (app, { db, world, links }) => {
  app.get(
    '/audit',
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'listAuditEntries',
        summary: 'Read who changed, revealed, resent or replayed what, and why',
        description:
          'An entry is committed with its change, so there is neither one without the other. Requests that were refused have none. Repeating a filter means or; different ones mean and.',
        tags: ['Audit'],
        querystring: AuditQuery,
        response: { 200: reference(AuditEntryPage), ...refusals({ body: false }) },
      },
    },
    async (request, reply) => {
      const { tenant: tenants, actor: actors, action: actions, target: targets, since, until, ...page } = request.query
      const times = timesOf({ since, until }, { nowMs: world.now(), pointer: inQuery })
      const found = await listAuditEntries(db, { tenants, actors, actions, targets, ...times }, page)
      return wirePage({ request, reply, links }, found, auditEntryView)
    },
  )
}

function auditEntryView(entry: AuditEntry): WireAuditEntry {
  return {
    id: formatId('audit_entry', entry.id),
    tenant: entry.tenantId,
    actor: entry.actor,
    on_behalf_of: entry.onBehalfOf,
    // The column's CHECK is held to the list of words by a test.
    action: entry.action as WireAuditEntry['action'],
    target: entry.target,
    reason: entry.reason,
    request_id: entry.requestId,
    created_at: new Date(uuidTime(entry.id)).toISOString(),
  }
}
