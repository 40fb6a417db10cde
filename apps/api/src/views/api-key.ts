import { type ApiKeyRole, formatId, type ApiKey as WireApiKey } from '@posthorn/contract'
import type { ApiKeyInfo } from '@posthorn/engine'

export function apiKeyView(apiKey: ApiKeyInfo): WireApiKey {
  return {
    id: formatId('api_key', apiKey.id),
    name: apiKey.name,
    // The columns' CHECKs are held to the lists of words by a test.
    role: apiKey.role as ApiKeyRole,
    tenant: apiKey.tenantId,
    permissions: apiKey.permissions as WireApiKey['permissions'],
    hint: apiKey.hint,
    created_at: apiKey.createdAt.toISOString(),
    expires_at: apiKey.expiresAt?.toISOString() ?? null,
    revoked_at: apiKey.revokedAt?.toISOString() ?? null,
  }
}
