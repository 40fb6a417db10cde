import { formatId, type PortalSession as WirePortalSession } from '@posthorn/contract'
import type { PortalSessionInfo } from '@posthorn/engine'

export function portalSessionView(session: PortalSessionInfo): WirePortalSession {
  return {
    id: formatId('portal_session', session.id),
    tenant: session.tenantId,
    // The column's CHECK is held to the list of words by a test; the theme is written from a body of this form.
    capabilities: session.capabilities as WirePortalSession['capabilities'],
    theme: session.theme as WirePortalSession['theme'],
    on_behalf_of: session.onBehalfOf,
    created_by: formatId('api_key', session.createdBy),
    created_at: session.createdAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    revoked_at: session.revokedAt?.toISOString() ?? null,
  }
}
