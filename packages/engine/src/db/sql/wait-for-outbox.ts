import type { Tx } from '../transaction.ts'
import { outboxLock } from './lock-outbox.ts'

/**
 * Waits until nobody publishes what is in the outbox, and keeps everybody from it until this transaction ends: what was
 * being published is committed then and its row is gone, and every other row is still there.
 *
 * Takes the lock of lock-outbox.ts, whose holders ask for it without waiting and therefore let this caller pass. Waits no
 * longer than `waitMs`, then fails with 55P03.
 */
export async function waitForOutbox(tx: Tx, waitMs: number): Promise<void> {
  await tx.$queryRaw`
    with patience as materialized (select set_config('lock_timeout', ${String(waitMs)}, true) as of)
    select pg_advisory_xact_lock(${outboxLock}::bigint) is null as waited from patience`
}
