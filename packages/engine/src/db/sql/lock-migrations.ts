import { type Runner, run } from './statement.ts'

/**
 * Waits until no other process migrates this database, within the connection's `lock_timeout` (55P03 lock_not_available).
 *
 * An advisory lock of the session, let go when the connection closes. The key is Prisma's own, so `prisma migrate
 * deploy` and this runner exclude each other.
 */
export async function lockMigrations(runner: Runner): Promise<void> {
  await run(runner, { name: 'lock-migrations', text, values: [] })
}

const text = 'select pg_advisory_lock(72707369)'
