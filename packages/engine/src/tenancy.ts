/**
 * Who may see whose objects. Every query that serves a caller names the tenant first; what belongs to another tenant is
 * answered exactly as what does not exist.
 */

/** The one tenant whose objects the caller may see, or `undefined` for a caller who may see all. */
export type Within = string | undefined

/** The part of a Prisma `where` that keeps to the caller's tenant. Written first in every `where`. */
export function inTenant(within: Within): { tenantId?: string } {
  return within === undefined ? {} : { tenantId: within }
}

/**
 * The tenants that a list is about: those asked for, as far as the caller may see them.
 *
 * @returns `undefined` for all tenants; an empty list for none
 */
export function tenantsOf(within: Within, asked: readonly string[] | undefined): readonly string[] | undefined {
  if (within === undefined) return asked
  return asked === undefined || asked.includes(within) ? [within] : []
}
