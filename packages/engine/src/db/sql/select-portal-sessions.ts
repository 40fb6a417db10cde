import type { PortalCapability, PortalTheme, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type PortalSessionRow = {
  id: Uuid
  tenant_id: string
  hash: Buffer
  capabilities: PortalCapability[]
  theme: PortalTheme
  on_behalf_of: string | null
  expires_at: Date
}

/**
 * The portal sessions of these hashes that may be used now: not revoked and not expired, by the database's clock, and nor
 * is the API key that each was made with.
 *
 * Locks nothing; walks `portal_session_hash_key`, then the keys' primary key.
 */
export function selectPortalSessions(runner: Runner, hashes: readonly Buffer[]): Promise<PortalSessionRow[]> {
  return run<PortalSessionRow>(runner, { name: 'select-portal-sessions', text, values: [hashes] })
}

const text = `
select s.id, s.tenant_id, s.hash, s.capabilities, s.theme, s.on_behalf_of, s.expires_at
from portal_session s
join api_key k on k.id = s.created_by and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
where s.hash = any($1::bytea[]) and s.revoked_at is null and s.expires_at > now()`
