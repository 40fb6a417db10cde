/**
 * Tells a receiver's developer why a request does not verify. It answers with the name of the mistake and never with a
 * secret or the signature that was expected: who asks may see a subscription, which is less than to see its secrets.
 */
import { parseId, type SignatureCause, type Uuid } from '@posthorn/contract'
import type { Database } from './db/database.ts'
import { selectEvent } from './db/sql/select-event.ts'
import { getEvent } from './event-reads.ts'
import type { EventOrigin } from './payload.ts'
import { openedSecret, openSecret } from './sealed-secrets.ts'
import type { Seal } from './sealing.ts'
import { sentBody } from './sent-body.ts'
import { type CheckedSecret, type Diagnosis, diagnose, explainComputed } from './signature-causes.ts'
import { getSubscription } from './subscription-reads.ts'
import type { Within } from './tenancy.ts'
import type { Transforms } from './transforms.ts'
import type { World } from './world.ts'

export type SignatureCheckParts = {
  db: Database
  world: World
  seal: Seal
  transforms: Transforms
  origin: EventOrigin
}

export type SignatureCheckInput = {
  headers: Readonly<Record<string, string>>
  body: string
  /** Now when left out. */
  receivedAt?: Date
  computedSignature?: string
}

export type SignatureCheck = {
  valid: boolean
  authentic: boolean
  cause: SignatureCause | null
  detail: string
  subscriptionId: Uuid | null
  comparedWithSentBody: boolean
}

/** Secrets of other subscriptions of the tenant that are tried, the newest first. */
const otherSecretsMax = 500
/** Attempts of the delivery whose headers are looked at, the newest first. */
const attemptsMax = 50

/** @throws Problem `subscription_not_found`; SealError */
export async function checkSignature(
  parts: SignatureCheckParts,
  subscriptionId: Uuid,
  within: Within,
  input: SignatureCheckInput,
): Promise<SignatureCheck> {
  const { db, world } = parts
  const { tenantId } = await getSubscription(db, subscriptionId, within)
  const receivedAt = input.receivedAt ?? new Date(world.now())
  const { headers, body } = input
  const [secrets, publicKeys, sent] = await Promise.all([
    secretsFor(parts, { tenantId, subscriptionId, receivedAt, isNow: input.receivedAt === undefined }),
    publicKeysFor(db, { tenantId, subscriptionId, receivedAt }),
    whatWasSent(parts, { tenantId, subscriptionId }, idIn(headers)),
  ])
  const request = { headers, body, receivedAt, secrets, publicKeys, sent }
  const diagnosis = diagnose(request)
  const said =
    diagnosis.authentic && input.computedSignature !== undefined
      ? ofComputed(input.computedSignature, request, diagnosis)
      : diagnosis
  return {
    valid: diagnosis.authentic && diagnosis.cause === null,
    authentic: diagnosis.authentic,
    cause: said.cause,
    detail: said.detail,
    subscriptionId: said.subscriptionId,
    comparedWithSentBody: typeof sent?.body === 'string',
  }
}

/** The request is in order, and the receiver's code says otherwise. */
function ofComputed(computed: string, request: Parameters<typeof diagnose>[0], diagnosis: Diagnosis): Diagnosis {
  const { cause, detail, subscriptionId } = explainComputed(computed, request)
  if (cause === null) return { ...diagnosis, detail: `${diagnosis.detail} ${detail}` }
  return {
    ...diagnosis,
    cause,
    subscriptionId,
    detail: `The request itself is authentic; of what your code computes: ${detail}`,
  }
}

function idIn(headers: Readonly<Record<string, string>>): string {
  const [, id = ''] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'webhook-id') ?? []
  return id.trim()
}

type Place = { tenantId: string; subscriptionId: Uuid; receivedAt: Date }

/**
 * Its own first: those that sign, those that no longer do, then those of the tenant's other subscriptions. One that does
 * not sign here and cannot be opened is left out: it explains nothing, and is no reason to explain nothing else.
 */
async function secretsFor(
  { db, seal }: SignatureCheckParts,
  { tenantId, subscriptionId, receivedAt, isNow }: Place & { isNow: boolean },
): Promise<CheckedSecret[]> {
  const order = { orderBy: { id: 'desc' as const } }
  const [own, others] = await Promise.all([
    db.prisma.secret.findMany({ where: { tenantId, subscriptionId, scheme: 'v1' }, ...order, take: otherSecretsMax }),
    db.prisma.secret.findMany({
      where: { tenantId, subscriptionId: { not: subscriptionId }, scheme: 'v1' },
      ...order,
      take: otherSecretsMax,
    }),
  ])
  return [...own, ...others].flatMap((row) => {
    const place = { id: row.id, tenantId, subscriptionId: row.subscriptionId, scheme: 'v1' as const }
    // One that was ended signs no more even if the clock here is behind that of the database.
    const isCurrent = row.expiresAt === null || (row.expiresAt > receivedAt && !(row.ended && isNow))
    const isOther = row.subscriptionId !== subscriptionId
    const open = isCurrent && !isOther ? openSecret : openedSecret
    const key = open(seal, row.sealedKey, place)
    return key === null ? [] : [{ key, subscriptionId: row.subscriptionId, isCurrent, isOther }]
  })
}

async function publicKeysFor(db: Database, { tenantId, subscriptionId, receivedAt }: Place): Promise<string[]> {
  const rows = await db.prisma.secret.findMany({
    where: { tenantId, subscriptionId, scheme: 'v1a', OR: [{ expiresAt: null }, { expiresAt: { gt: receivedAt } }] },
    orderBy: { id: 'desc' },
    take: 10,
    select: { publicKey: true },
  })
  return rows.flatMap(({ publicKey }) => publicKey ?? [])
}

/** The body and the timestamps of the attempts that brought this event to this subscription; null when there is none. */
async function whatWasSent(
  parts: SignatureCheckParts,
  { tenantId, subscriptionId }: { tenantId: string; subscriptionId: Uuid },
  id: string,
): Promise<{ body: string | null; timestamps: string[] } | null> {
  const { db } = parts
  const eventId = parseId('event', id)
  if (eventId === undefined || (await selectEvent(db.pool, eventId, tenantId)) === undefined) return null
  const delivery = await db.prisma.delivery.findFirst({
    where: { tenantId, eventId, subscriptionId },
    select: { id: true },
  })
  if (delivery === null) return null
  const attempts = await db.prisma.attempt.findMany({
    where: { tenantId, deliveryId: delivery.id },
    orderBy: { number: 'desc' },
    take: attemptsMax,
    select: { requestHeaders: true },
  })
  const headers = attempts.map(({ requestHeaders }) => Object(requestHeaders) as Record<string, unknown>)
  const made = headers.find((one) => one['content-type'] !== undefined)
  if (made === undefined) return null
  const event = await getEvent(db, eventId, tenantId)
  const timestamps = headers.map((one) => one['webhook-timestamp']).filter((one) => typeof one === 'string')
  return { body: await sentBody(parts, event, subscriptionId, made), timestamps: [...new Set(timestamps)] }
}
