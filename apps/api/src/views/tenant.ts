import type { Tenant as WireTenant } from '@posthorn/contract'
import type { Tenant } from '@posthorn/engine'

export function tenantView(tenant: Tenant): WireTenant {
  return {
    id: tenant.id,
    name: tenant.name,
    // Written by `putTenant` from a body of this form.
    metadata: tenant.metadata as WireTenant['metadata'],
    contacts: tenant.contacts as WireTenant['contacts'],
    retention_days: tenant.retentionDays,
    created_at: tenant.createdAt.toISOString(),
    updated_at: tenant.updatedAt.toISOString(),
  }
}
