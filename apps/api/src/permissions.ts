import type { ApiKeyRole, PortalCapability } from '@posthorn/contract'
import type { Credential } from '@posthorn/engine'

/**
 * Who may do what: two tables. A route names its permission. A permission names the roles of API keys that have it, and a
 * capability of portal sessions the permissions that it stands for. Keys of the role `tenant` and portal sessions see
 * their own tenant's objects only, whatever they may do with them.
 */
export const permissions = {
  /** What it is that one asks with. */
  'credential:read': ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  'tenants:read': ['admin', 'support', 'viewer', 'tenant'],
  'tenants:write': ['admin'],
  'event-types:read': ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  'event-types:write': ['admin'],
  /** What was published, of all tenants together, is the operator's affair. */
  'observations:read': ['admin', 'support', 'viewer'],
  'subscriptions:read': ['admin', 'support', 'viewer', 'tenant'],
  'subscriptions:write': ['admin', 'tenant'],
  'subscriptions:test': ['admin', 'support', 'tenant'],
  'subscriptions:pause': ['admin', 'support', 'tenant'],
  /** To be told what is wrong with a signature. It shows no secret. */
  'signatures:check': ['admin', 'support', 'tenant'],
  'secrets:reveal': ['admin', 'tenant'],
  'secrets:rotate': ['admin', 'tenant'],
  'events:publish': ['admin', 'publisher', 'tenant'],
  'events:read': ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  /** What events hold, and what receivers answered. Without it that is left out. */
  'payloads:read': ['admin', 'publisher', 'viewer', 'tenant'],
  'deliveries:read': ['admin', 'support', 'viewer', 'tenant'],
  'deliveries:resend': ['admin', 'support', 'tenant'],
  'deliveries:cancel': ['admin', 'tenant'],
  /** What backends wrote into the outbox is the operator's affair. */
  'outbox:read': ['admin', 'support', 'viewer'],
  'outbox:write': ['admin'],
  'portal-sessions:read': ['admin', 'support'],
  /** Nobody gives a session what they may not do themselves. */
  'portal-sessions:write': ['admin', 'support'],
  'erasures:read': ['admin'],
  'erasures:write': ['admin'],
  'audit:read': ['admin', 'support', 'viewer'],
  'replays:read': ['admin', 'support', 'viewer', 'tenant'],
  'replays:write': ['admin', 'support', 'tenant'],
  /** Whatever the role may read besides is found. */
  'search:read': ['admin', 'publisher', 'support', 'viewer', 'tenant'],
  'stream:read': ['admin', 'support', 'viewer', 'tenant'],
  'metrics:read': ['admin', 'support', 'viewer', 'tenant'],
  'api-keys:read': ['admin'],
  'api-keys:write': ['admin'],
} as const satisfies Record<string, readonly ApiKeyRole[]>

export type Permission = keyof typeof permissions

/** Whoever sees deliveries sees them in every way. */
const seesDeliveries: readonly Permission[] = [
  'deliveries:read',
  'replays:read',
  'metrics:read',
  'search:read',
  'stream:read',
]

/** What each capability stands for. Who may change something may see it. */
export const capabilities: Readonly<Record<PortalCapability, readonly Permission[]>> = {
  'event-types:read': ['event-types:read'],
  'subscriptions:read': ['subscriptions:read', 'signatures:check'],
  'subscriptions:write': [
    'subscriptions:read',
    'signatures:check',
    'subscriptions:write',
    'subscriptions:pause',
    'subscriptions:test',
  ],
  'subscriptions:pause': ['subscriptions:read', 'signatures:check', 'subscriptions:pause'],
  'secrets:reveal': ['secrets:reveal'],
  'secrets:rotate': ['secrets:rotate'],
  'events:read': ['events:read', 'search:read'],
  'payloads:read': ['payloads:read'],
  'deliveries:read': seesDeliveries,
  'deliveries:resend': [...seesDeliveries, 'deliveries:resend', 'replays:write'],
  'deliveries:cancel': [...seesDeliveries, 'deliveries:cancel'],
}
/** What every session may. */
const everySession: readonly Permission[] = ['credential:read']

export function may(credential: Credential, permission: Permission): boolean {
  if (credential.kind === 'portal_session') {
    return [...everySession, ...credential.capabilities.flatMap((one) => capabilities[one])].includes(permission)
  }
  const roles: readonly ApiKeyRole[] = permissions[permission]
  const extra: readonly Permission[] = credential.extraPermissions
  return roles.includes(credential.role) || extra.includes(permission)
}

/** Everything that it may. */
export function permissionsOf(credential: Credential): Permission[] {
  return allPermissions.filter((permission) => may(credential, permission))
}

// The keys of the table above, and no others.
const allPermissions = Object.keys(permissions) as Permission[]

/** What it is, for refusals. */
export function nameOf(credential: Credential): string {
  return credential.kind === 'portal_session' ? 'This portal session' : `A key of the role ${credential.role}`
}
