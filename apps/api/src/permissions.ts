import type { ApiKeyRole } from '@posthorn/contract'

/**
 * Who may do what: the one table. A route names its permission, a permission its roles. Keys of the role `tenant` see
 * their own tenant's objects only, whatever they may do with them.
 */
export const permissions = {
  'tenants:read': ['admin', 'support', 'viewer', 'tenant'],
  'tenants:write': ['admin'],
  'event-types:read': ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  'event-types:write': ['admin'],
  'subscriptions:read': ['admin', 'support', 'viewer', 'tenant'],
  'subscriptions:write': ['admin', 'tenant'],
  'subscriptions:pause': ['admin', 'support', 'tenant'],
  'secrets:reveal': ['admin', 'tenant'],
  'secrets:rotate': ['admin', 'tenant'],
  'events:publish': ['admin', 'publisher', 'tenant'],
  'events:read': ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  /** The data of events and the bodies of requests. Without it they are left out. */
  'payloads:read': ['admin', 'publisher', 'viewer', 'tenant'],
  'deliveries:read': ['admin', 'support', 'viewer', 'tenant'],
  'deliveries:resend': ['admin', 'support', 'tenant'],
  'deliveries:cancel': ['admin', 'tenant'],
  /** What backends wrote into the outbox is the operator's affair. */
  'outbox:read': ['admin', 'support', 'viewer'],
  'outbox:write': ['admin'],
  'api-keys:read': ['admin'],
  'api-keys:write': ['admin'],
} as const satisfies Record<string, readonly ApiKeyRole[]>

export type Permission = keyof typeof permissions

export function may(role: ApiKeyRole, permission: Permission): boolean {
  const roles: readonly ApiKeyRole[] = permissions[permission]
  return roles.includes(role)
}
