/**
 * Seals secrets anew with the first master key, so that the others can be given up, and seals those that were stored
 * before there was sealing.
 *
 * A secret is replaced only if it is still the one that was read, so any number of these may run beside each other and
 * beside everything else, be killed, and be started again: what is done is done.
 */
import { type ReplayState, replayCan } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { answerSealedAnew } from './idempotency.ts'
import { targetSealedAnew } from './replay-targets.ts'
import { openSecret, type SecretPlace, sealSecret } from './sealed-secrets.ts'
import { type Seal, SealError, sealedWith } from './sealing.ts'
import { sealedAnew } from './subscription-auth.ts'
import { tlsSealedAnew } from './subscription-tls.ts'

const rowsPerBatch = 500
/** An answer may be as long as that to a thousand events. */
const answersPerBatch = 20
/** Replays that still sign. What has ended needs its secret no more. */
const signing: readonly ReplayState[] = replayCan.cancel

export type RewrapParts = { db: Database; seal: Seal }

export type Rewrapped = {
  /** Sealed with the first master key now, and not before. */
  sealed: number
  /** Those that could not be opened. They are left as they are. */
  faults: readonly SealError[]
}

/** What is sealed with a master key that nobody has given. */
export type Unreadable = { masterKeyId: string; secrets: number }

/** How much of each kind was sealed anew. */
export type RewrappedAll = Record<'secrets' | 'credentials' | 'replays' | 'answers', number> & Pick<Rewrapped, 'faults'>

/** Seals everything that is sealed with the first master key. A test holds this to the columns that there are. */
export async function rewrapAll(parts: RewrapParts): Promise<RewrappedAll> {
  const secrets = await rewrapSecrets(parts, 'all')
  const credentials = await rewrapCredentials(parts)
  const replays = await rewrapTargetSecrets(parts)
  return {
    secrets: secrets.sealed,
    credentials: credentials.sealed,
    replays: replays.sealed,
    answers: await rewrapKeptAnswers(parts),
    faults: [...secrets.faults, ...credentials.faults, ...replays.faults],
  }
}

/**
 * Seals every secret with the first master key.
 *
 * @param which `all`, or only those that are `plain`: not sealed at all
 */
export async function rewrapSecrets({ db, seal }: RewrapParts, which: 'all' | 'plain'): Promise<Rewrapped> {
  const plain = { masterKeyId: null }
  const wanted = which === 'plain' ? [plain] : [plain, { masterKeyId: { not: seal.sealsWith } }]
  const faults: SealError[] = []
  let sealed = 0
  let last: string | undefined
  for (;;) {
    const rows = await db.prisma.secret.findMany({
      where: { OR: wanted, ...(last === undefined ? {} : { id: { gt: last } }) },
      orderBy: { id: 'asc' },
      take: rowsPerBatch,
    })
    for (const { id, tenantId, subscriptionId, scheme, masterKeyId, sealedKey } of rows) {
      // The column's CHECK is held to the list of schemes by a test.
      const place = { id, tenantId, subscriptionId, scheme: scheme as SecretPlace['scheme'] }
      const key = masterKeyId === null ? sealedKey : opened(seal, sealedKey, place)
      if (key instanceof SealError) {
        faults.push(key)
        continue
      }
      const data = sealSecret(seal, key, place)
      const { count } = await db.prisma.secret.updateMany({ where: { id, masterKeyId, sealedKey }, data })
      sealed += count
    }
    last = rows.at(-1)?.id
    if (last === undefined) return { sealed, faults }
  }
}

/** Seals the credentials and the TLS settings of every subscription with the first master key. */
export async function rewrapCredentials({ db, seal }: RewrapParts): Promise<Rewrapped> {
  const faults: SealError[] = []
  let sealed = 0
  let last: string | undefined
  for (;;) {
    const rows = await db.prisma.subscription.findMany({
      where: {
        OR: [{ authSealed: { not: null } }, { tlsSealed: { not: null } }],
        ...(last === undefined ? {} : { id: { gt: last } }),
      },
      select: { id: true, authSealed: true, tlsSealed: true },
      orderBy: { id: 'asc' },
      take: rowsPerBatch,
    })
    for (const { id, authSealed, tlsSealed } of rows) {
      const auth = resealed(authSealed, seal, (given) => sealedAnew(given, id, seal))
      const tls = resealed(tlsSealed, seal, (given) => tlsSealedAnew(given, id, seal))
      for (const [column, before, anew] of [
        ['authSealed', authSealed, auth],
        ['tlsSealed', tlsSealed, tls],
      ] as const) {
        if (anew === null) continue
        if (anew instanceof SealError) {
          faults.push(anew)
          continue
        }
        const where = { id, [column]: before }
        const { count } = await db.prisma.subscription.updateMany({ where, data: { [column]: anew } })
        sealed += count
      }
    }
    last = rows.at(-1)?.id
    if (last === undefined) return { sealed, faults }
  }
}

/**
 * Seals the secrets of replays to another URL with the first master key. Those of replays that have ended too, so that
 * nothing is left of the old one; only there it is no fault when one cannot be opened, because nothing needs it.
 */
async function rewrapTargetSecrets({ db, seal }: RewrapParts): Promise<Rewrapped> {
  const faults: SealError[] = []
  let sealed = 0
  let last: string | undefined
  for (;;) {
    const rows = await db.prisma.replay.findMany({
      where: { targetKeySealed: { not: null }, ...(last === undefined ? {} : { id: { gt: last } }) },
      select: { id: true, state: true, targetKeySealed: true },
      orderBy: { id: 'asc' },
      take: rowsPerBatch,
    })
    for (const { id, state, targetKeySealed } of rows) {
      const anew = resealed(targetKeySealed, seal, (given) => targetSealedAnew(given, id, seal))
      if (anew === null) continue
      if (anew instanceof SealError) {
        if (signing.some((one) => one === state)) faults.push(anew)
        continue
      }
      const { count } = await db.prisma.replay.updateMany({
        where: { id, targetKeySealed },
        data: { targetKeySealed: anew },
      })
      sealed += count
    }
    last = rows.at(-1)?.id
    if (last === undefined) return { sealed, faults }
  }
}

/**
 * Seals the answers that are kept under idempotency keys with the first master key. One that cannot be opened is no fault:
 * whoever repeats its request is told that nobody knows how it ended, and a day later it is gone.
 */
async function rewrapKeptAnswers({ db, seal }: RewrapParts): Promise<number> {
  let sealed = 0
  let last: { owner: string; key: string } | undefined
  for (;;) {
    const behind =
      last === undefined ? {} : { OR: [{ key: { gt: last.key } }, { key: last.key, owner: { gt: last.owner } }] }
    const rows = await db.prisma.idempotencyKey.findMany({
      where: { sealedAnswer: { not: null }, ...behind },
      select: { owner: true, key: true, id: true, sealedAnswer: true },
      // As the primary key has them.
      orderBy: [{ key: 'asc' }, { owner: 'asc' }],
      take: answersPerBatch,
    })
    for (const { sealedAnswer, ...record } of rows) {
      const anew = resealed(sealedAnswer, seal, (given) => answerSealedAnew(given, record, seal))
      if (anew === null || anew instanceof SealError) continue
      const { count } = await db.prisma.idempotencyKey.updateMany({
        where: { ...record, sealedAnswer },
        data: { sealedAnswer: anew },
      })
      sealed += count
    }
    last = rows.at(-1)
    if (last === undefined) return sealed
  }
}

/** Null when there is nothing to seal, or it is sealed with the first master key already. */
function resealed(
  sealed: Uint8Array | null,
  seal: Seal,
  anew: (sealed: Uint8Array) => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> | SealError | null {
  if (sealed === null || sealedWith(sealed) === seal.sealsWith) return null
  try {
    return anew(sealed)
  } catch (error) {
    if (error instanceof SealError) return error
    throw error
  }
}

/** How many secrets none of the master keys opens, by the master key that would; and whether any secret can be opened. */
export async function findUnreadable({ db, seal }: RewrapParts): Promise<{
  unreadable: readonly Unreadable[]
  anyReadable: boolean
}> {
  const groups = await db.prisma.secret.groupBy({
    by: ['masterKeyId'],
    where: { masterKeyId: { not: null } },
    _count: { _all: true },
  })
  const unreadable = groups.flatMap(({ masterKeyId, _count }) =>
    masterKeyId === null || seal.ids.includes(masterKeyId) ? [] : [{ masterKeyId, secrets: _count._all }],
  )
  return { unreadable, anyReadable: unreadable.length < groups.length }
}

function opened(seal: Seal, sealedKey: Uint8Array, place: SecretPlace): Uint8Array | SealError {
  try {
    return openSecret(seal, sealedKey, place)
  } catch (error) {
    if (error instanceof SealError) return error
    throw error
  }
}
