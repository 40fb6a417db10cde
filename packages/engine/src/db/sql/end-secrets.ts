import type { SignatureScheme, Uuid } from '@posthorn/contract'
import type { Tx } from '../transaction.ts'

/**
 * Gives the secrets of a subscription that sign by one scheme so many seconds more, and no more than they had. Those that
 * have ended are deleted, as nothing needs them any more; with 0 seconds all are. (A claim compares with the time at
 * which it was asked for, which is a little earlier than what it sees: what must not sign from now on must not be there.)
 * Answers with how many still sign.
 *
 * Locks the subscription's secrets by `secret_subscription_id_idx`. Who rotates holds the subscription's lock, so two
 * rotations come one after the other. Claims wait for neither: they see the secrets before or after it.
 */
export async function endSecrets(
  tx: Tx,
  subscriptionId: Uuid,
  scheme: SignatureScheme,
  overlapSeconds: number,
): Promise<number> {
  const rows = await tx.$queryRaw<{ id: Uuid }[]>`
    with dropped as (
      delete from secret
      where subscription_id = ${subscriptionId}::uuid and scheme = ${scheme}
        and (${overlapSeconds}::int = 0 or expires_at <= now())
    )
    update secret
    set expires_at = least(expires_at, now() + ${overlapSeconds}::int * interval '1 second')
    where subscription_id = ${subscriptionId}::uuid and scheme = ${scheme}
      and ${overlapSeconds}::int > 0 and (expires_at is null or expires_at > now())
    returning id`
  return rows.length
}
