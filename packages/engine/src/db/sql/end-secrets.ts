import type { SignatureScheme, Uuid } from '@posthorn/contract'
import type { Tx } from '../transaction.ts'

/**
 * Gives the secrets of a subscription that sign by one scheme so many seconds more, and no more than they had. With 0
 * seconds all end at once, and of those only the ones in `kept` stay, to be recognised; they are marked, because a claim
 * compares with the time at which it was asked for, which is a little earlier than what it sees. Those that had ended
 * before are deleted. Answers with those that still sign, and until when.
 *
 * Locks the subscription's secrets by `secret_subscription_id_idx`. Who rotates holds the subscription's lock, so two
 * rotations come one after the other. Claims wait for neither: they see the secrets before or after it.
 */
export async function endSecrets(
  tx: Tx,
  subscriptionId: Uuid,
  scheme: SignatureScheme,
  { overlapSeconds, kept }: { overlapSeconds: number; kept: readonly Uuid[] },
): Promise<{ id: Uuid; expiresAt: Date }[]> {
  const rows = await tx.$queryRaw<{ id: Uuid; ended: boolean; expires_at: Date }[]>`
    with dropped as (
      delete from secret
      where subscription_id = ${subscriptionId}::uuid and scheme = ${scheme}
        and (ended or expires_at <= now() or (${overlapSeconds}::int = 0 and not id = any(${kept}::uuid[])))
    )
    update secret
    set expires_at = least(expires_at, now() + ${overlapSeconds}::int * interval '1 second'),
        ended = ${overlapSeconds}::int = 0
    where subscription_id = ${subscriptionId}::uuid and scheme = ${scheme}
      and not ended and (expires_at is null or expires_at > now())
      and (${overlapSeconds}::int > 0 or id = any(${kept}::uuid[]))
    returning id, ended, expires_at`
  return rows.filter(({ ended }) => !ended).map(({ id, expires_at: expiresAt }) => ({ id, expiresAt }))
}
