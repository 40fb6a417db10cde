import type { ApiKeyRole, GrantablePermission, Uuid } from '@posthorn/contract'
import { type Runner, run } from './statement.ts'

export type ApiKeyRow = {
  id: Uuid
  role: ApiKeyRole
  tenant_id: string | null
  permissions: GrantablePermission[]
  hash: Buffer
  expires_at: Date | null
}

/**
 * The keys of these hashes that may be used now: not revoked and not expired, by the database's clock.
 * Locks nothing; walks `api_key_hash_key`.
 */
export function selectApiKeys(runner: Runner, hashes: readonly Buffer[]): Promise<ApiKeyRow[]> {
  return run<ApiKeyRow>(runner, { name: 'select-api-keys', text, values: [hashes] })
}

const text = `
select id, role, tenant_id, permissions, hash, expires_at
from api_key
where hash = any($1::bytea[]) and revoked_at is null and (expires_at is null or expires_at > now())`
