/** The transforms that a tenant has had, by which what was sent can be shown later. */
import { limits } from '@posthorn/contract'
import type { Tx } from './db/transaction.ts'
import { transformHash } from './transform-headers.ts'
import type { World } from './world.ts'

/**
 * Keeps a transform that a subscription is given. The ones given longest ago make room: what they made can then only be
 * shown while a subscription still has them.
 */
export async function keepTransform(tx: Tx, world: World, tenantId: string, expression: string): Promise<void> {
  const hash = transformHash(expression)
  const givenAt = new Date(world.now())
  await tx.transform.upsert({
    where: { tenantId_hash: { tenantId, hash } },
    create: { tenantId, hash, expression, givenAt },
    update: { givenAt },
  })
  const surplus = await tx.transform.findMany({
    where: { tenantId },
    orderBy: [{ givenAt: 'desc' }, { hash: 'desc' }],
    skip: limits.transformsKeptMax,
    select: { hash: true },
  })
  if (surplus.length > 0) {
    await tx.transform.deleteMany({ where: { tenantId, hash: { in: surplus.map((one) => one.hash) } } })
  }
}
