/**
 * Tells a database that is away (a reason to try again later) from a statement that is wrong (a fault of ours), by codes.
 */
import pg from 'pg'

/**
 * SQLSTATE classes and codes that pass by themselves: connection lost, shutting down, not accepting connections, too many
 * clients, read-only standby, time-outs, serialization.
 */
const passing = /^(08...|57P0[1-5]|57014|55000|53...|25006|40001|40P01)$/
/** SQLSTATE classes that speak of the values: data exception, integrity constraint, program limit. */
const refusing = /^(22|23|54)...$/
const lockTimeout = '55P03'
/** Prisma's and the operating system's codes for the same. */
const passingCodes = new Set([
  'P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037',
  'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH',
]) // biome-ignore format: two lists, one a line

/** Raised by the hot path in place of whatever the driver said when the database could not be asked. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
  readonly code = 'database_unavailable'

  constructor(cause: unknown) {
    super('The database does not answer', { cause })
  }
}

/** Whether an error, or anything in its chain of causes, says that the database is away rather than that we are wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e instanceof DatabaseUnavailable) return true
    const code = 'code' in e && typeof e.code === 'string' ? e.code : ''
    if (passingCodes.has(code) || passing.test(code)) return true
    if (passing.test(originalCode(e))) return true
  }
  return false
}

/** Whether an error, or anything in its chain of causes, says that a lock was not to be had in time (`lock_timeout`). */
export function isLockTimeout(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (('code' in e && e.code === lockTimeout) || originalCode(e) === lockTimeout) return true
  }
  return false
}

/**
 * The server's own code, where Prisma's driver adapters keep it: in their cause; and of a statement by hand Prisma's own
 * error (P2010) has no cause, and hands on theirs in what it says beside.
 */
function originalCode(error: Error): string {
  const { driverAdapterError } = Object('meta' in error ? error.meta : undefined)
  const codes = [error, driverAdapterError].map((one) => Object(Object(one).cause).originalCode)
  return codes.find((code) => typeof code === 'string') ?? ''
}

/**
 * Whether the values themselves cannot be stored, so that it is pointless to try the same again. Everything else (a
 * database that is away, a table that is being migrated, a permission that is missing) may be mended meanwhile.
 */
export function isRefused(error: unknown): boolean {
  if (isDatabaseUnavailable(error)) return false
  return !(error instanceof pg.DatabaseError) || refusing.test(error.code ?? '')
}

/**
 * Runs one statement of the hot path. What is no answer of the server (the driver gives its own connection errors no
 * code) becomes `DatabaseUnavailable`.
 */
export async function ask<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query()
  } catch (error) {
    const ours = error instanceof TypeError || error instanceof RangeError
    if (ours || (error instanceof pg.DatabaseError && !isDatabaseUnavailable(error))) throw error
    throw new DatabaseUnavailable(error)
  }
}
