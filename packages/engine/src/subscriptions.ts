/**
 * A tenant's callback URLs: making, changing, pausing, resuming and deleting them.
 *
 * Whatever stops a subscription (pause, delete) asks in the same transaction that its waiting deliveries be held, and
 * resuming asks that they be released, so no crash can lose one of the two halves.
 */

import {
  type Contact,
  formatId,
  type GivenAuth,
  type GivenTls,
  limits,
  type PayloadFormat,
  Problem,
  type SignatureScheme,
  type Uuid,
} from '@posthorn/contract'
import { writeAudit } from './audit.ts'
import { customHeaders } from './custom-headers.ts'
import type { Database } from './db/database.ts'
import { Prisma, type Subscription } from './db/generated/client.ts'
import { lockTenant } from './db/sql/lock-tenant.ts'
import { type Tx, transaction } from './db/transaction.ts'
import { givenFilter } from './filters.ts'
import { requestCanceling, requestHolding, requestRelease } from './holding.ts'
import type { Jobs } from './jobs.ts'
import { setKeyPair, wantsKeyPair } from './key-pairs.ts'
import { mergePatch } from './merge-patch.ts'
import type { Precondition } from './precondition.ts'
import { finalStatuses } from './schedule.ts'
import type { Seal } from './sealing.ts'
import { givenSecret, lockOwner, newSecret, storeKey } from './secrets.ts'
import { shardOf } from './shards.ts'
import { storedJson } from './stored-json.ts'
import { noAuth, refuseSameHeader, refuseToTakeAlong, type StoredAuth, sealedAuth } from './subscription-auth.ts'
import { getSubscription } from './subscription-reads.ts'
import { noTls, refuseWithoutTls, type StoredTls, sealedTls } from './subscription-tls.ts'
import type { Within } from './tenancy.ts'
import { tenantNotFound } from './tenants.ts'
import { keepTransform } from './transform-texts.ts'
import type { Transforms } from './transforms.ts'
import type { UrlCheck } from './url-check.ts'
import { newUuid, type World } from './world.ts'

/** Used where nothing is given. The columns have the same defaults. */
export const timeoutMsDefault = 15_000
const maxInFlightDefault = 10
const payloadFormatDefault: PayloadFormat = 'standard'

/** The health of a subscription that begins anew: the breaker is closed, and nothing has failed yet. */
const healthAnew = {
  failingSince: null,
  failingPercent: 0,
  breakerOpenedAt: null,
  breakerProbeAt: null,
  breakerFailedProbes: 0,
} as const

export type SubscriptionParts = {
  db: Database
  world: World
  jobs: Jobs
  checkUrl: UrlCheck
  seal: Seal
  transforms: Transforms
}

export type SubscriptionDraft = {
  url: string
  eventTypes: readonly string[]
  /** JSON, as it was written. Null: every event of the types. */
  filter?: string | null
  /** JSONata. Null: the data is sent as it was published. */
  transform?: string | null
  description?: string | null
  headers?: Readonly<Record<string, string>>
  metadata?: Readonly<Record<string, unknown>>
  timeoutMs?: number
  maxInFlight?: number
  /** Null: the default schedule. */
  retryScheduleSeconds?: readonly number[] | null
  /** Null: no limit. */
  rateLimitPerSecond?: number | null
  ordered?: boolean
  /** Requests carry the `traceparent` of the event. */
  forwardTraceparent?: boolean
  contacts?: readonly Contact[]
  payloadFormat?: PayloadFormat
  finalStatuses?: readonly number[]
  auth?: GivenAuth | null
  tls?: GivenTls | null
  /** `whsec_…`; generated when left out. */
  secret?: string
  /** How requests are signed; `v1` alone when left out. */
  signatureSchemes?: readonly SignatureScheme[]
}

/** What is absent stays, `null` goes back to the default; headers and metadata are merged member by member (RFC 7396). */
export type SubscriptionPatch = {
  url?: string
  eventTypes?: readonly string[]
  /** Takes the place of the earlier one as a whole: `null` inside a filter is a value. */
  filter?: string | null
  transform?: string | null
  description?: string | null
  headers?: Readonly<Record<string, string | null>> | null
  metadata?: Readonly<Record<string, unknown>> | null
  timeoutMs?: number | null
  maxInFlight?: number | null
  retryScheduleSeconds?: readonly number[] | null
  rateLimitPerSecond?: number | null
  ordered?: boolean | null
  forwardTraceparent?: boolean | null
  /** Replaced as a whole, as RFC 7396 has it for arrays. */
  contacts?: readonly Contact[] | null
  payloadFormat?: PayloadFormat | null
  finalStatuses?: readonly number[] | null
  /** Replaced as a whole: what is not known cannot be merged with. */
  auth?: GivenAuth | null
  /** Likewise. */
  tls?: GivenTls | null
  signatureSchemes?: readonly SignatureScheme[] | null
}

/**
 * Makes a subscription. Its secret is in the answer and nowhere else.
 *
 * @throws Problem `tenant_not_found`, `invalid_url`, `invalid_header`, `invalid_filter`, `invalid_transform`, `invalid_secret`,
 *   `invalid_request`, `limit_reached`
 */
export async function createSubscription(
  parts: SubscriptionParts,
  tenantId: string,
  draft: SubscriptionDraft,
): Promise<{ subscription: Subscription; secret: string }> {
  const { db, world } = parts
  const secret = draft.secret === undefined ? newSecret(world) : givenSecret(draft.secret)
  const headers = customHeaders(draft.headers ?? {})
  const metadata = storedJson(draft.metadata ?? {}, '/metadata')
  const final = finalStatuses(draft.finalStatuses ?? [])
  const filter = filterText(draft.filter ?? null)
  const keyPair = wantsKeyPair(draft.signatureSchemes) ?? false
  // Looking a name up takes seconds at worst: before the transaction, and before anything else is locked.
  await tenantExists(db, tenantId)
  const url = await parts.checkUrl(draft.url)

  const id = newUuid(world)
  const transform = draft.transform ?? null
  if (transform !== null) await parts.transforms.check(transform, { tenantId, subscriptionId: id }, '/transform')
  const auth = draft.auth ? sealedAuth(await withCheckedUrl(parts, draft.auth), id, parts.seal) : noAuth
  const tls = draft.tls ? sealedTls(draft.tls, sealing(parts, id)) : noTls
  refuseSameHeader(headers, auth.authShown)
  refuseWithoutTls(tls.tlsShown, url)
  const subscription = await transaction(db, async (tx) => {
    await makeRoom(tx, tenantId)
    if (transform !== null) await keepTransform(tx, world, tenantId, transform)
    const made = await tx.subscription.create({
      data: {
        id,
        tenantId,
        url,
        eventTypes: [...draft.eventTypes],
        filter,
        transform,
        description: draft.description ?? null,
        headers,
        metadata,
        timeoutMs: draft.timeoutMs ?? timeoutMsDefault,
        maxInFlight: draft.maxInFlight ?? maxInFlightDefault,
        retryScheduleSeconds: [...(draft.retryScheduleSeconds ?? [])],
        rateLimitPerSecond: draft.rateLimitPerSecond ?? null,
        ordered: draft.ordered ?? false,
        forwardTraceparent: draft.forwardTraceparent ?? false,
        contacts: contactsJson(draft.contacts ?? []),
        payloadFormat: draft.payloadFormat ?? payloadFormatDefault,
        finalStatuses: final,
        ...authColumns(auth),
        ...tlsColumns(tls),
        shard: shardOf(id),
      },
    })
    await storeKey(tx, parts, made, { scheme: 'v1', key: secret.key })
    await audited(tx, parts, made)
    if (!keyPair) return made
    return tx.subscription.update({ where: { id }, data: { publicKey: await setKeyPair(tx, parts, made, true) } })
  })
  return { subscription, secret: secret.text }
}

/**
 * Changes a subscription. The change applies to deliveries that wait or are held, too.
 *
 * @param expect throws when the subscription is not what the caller takes it for
 * @throws Problem `subscription_not_found`, `invalid_url`, `invalid_header`, `invalid_filter`, `invalid_transform`, `invalid_request`
 */
export async function patchSubscription(
  parts: SubscriptionParts,
  id: Uuid,
  within: Within,
  patch: SubscriptionPatch,
  expect: Precondition<Subscription> = () => undefined,
): Promise<Subscription> {
  const url = patch.url === undefined ? undefined : await checkedUrl(parts, id, within, patch.url)
  const auth = patch.auth ? await checkedAuth(parts, id, within, patch.auth) : patch.auth
  const keyPair = wantsKeyPair(patch.signatureSchemes)
  const transform = patch.transform ?? null
  // Looking at it takes a second at worst: before anything is locked.
  if (transform !== null) await checkTransform(parts, id, within, transform)
  return transaction(parts.db, async (tx) => {
    const current = await lockOwner(tx, id, within)
    expect(current)
    // Nor is it counted as changed: what was published before is explained by that time.
    if (Object.keys(patch).length === 0) return current
    if (transform !== null) await keepTransform(tx, parts.world, current.tenantId, transform)
    const data = {
      ...changes(current, patch, url),
      ...authChanges(current, auth, url, parts.seal),
      ...tlsChanges(current, patch, url, parts),
    }
    const { headers = current.headers, authShown = current.authShown, tlsShown = current.tlsShown } = data
    refuseSameHeader(merged(headers, {}), authShown)
    refuseWithoutTls(tlsShown === Prisma.DbNull ? null : tlsShown, url ?? current.url)
    if (keyPair !== undefined) data.publicKey = await setKeyPair(tx, parts, current, keyPair)
    await audited(tx, parts, current)
    return tx.subscription.update({ where: { id }, data })
  })
}

/**
 * Stops sending. Deliveries are held from now on and none is dropped. Pausing a paused one changes nothing.
 *
 * @throws Problem `subscription_not_found`, `subscription_not_active` when it is disabled
 */
export async function pauseSubscription(parts: SubscriptionParts, id: Uuid, within: Within): Promise<Subscription> {
  return transaction(parts.db, async (tx) => {
    const current = await lockOwner(tx, id, within)
    await audited(tx, parts, current)
    if (current.state === 'paused') return current
    if (current.state === 'disabled') {
      throw new Problem(
        'subscription_not_active',
        `The subscription is disabled already (${current.disabledReason}), so nothing is being sent.`,
      )
    }
    const paused = await tx.subscription.update({
      where: { id },
      data: { state: 'paused', stateChangedAt: new Date(parts.world.now()) },
    })
    await requestHolding(tx, parts.jobs, id)
    return paused
  })
}

/**
 * Sends again, after a pause or after having been disabled. Resuming an active one changes nothing.
 *
 * @param backfill `held`: what was kept meanwhile is sent; `none`: it is canceled
 * @throws Problem `subscription_not_found`
 */
export async function resumeSubscription(
  parts: SubscriptionParts,
  id: Uuid,
  within: Within,
  backfill: 'held' | 'none',
): Promise<Subscription> {
  return transaction(parts.db, async (tx) => {
    const current = await lockOwner(tx, id, within)
    await audited(tx, parts, current)
    if (current.state === 'active') return current
    const resumed = await tx.subscription.update({
      where: { id },
      data: {
        state: 'active',
        disabledReason: null,
        stateChangedAt: new Date(parts.world.now()),
        // Whoever resumes wants it now, whatever the receiver asked for before.
        notBefore: null,
        releasing: true,
        ...healthAnew,
      },
    })
    await requestRelease(tx, parts.jobs, id, backfill, newUuid(parts.world))
    return resumed
  })
}

/**
 * Deletes a subscription. The row stays for the history of its deliveries; what was still to be sent is canceled.
 *
 * @throws Problem `subscription_not_found`
 */
export async function deleteSubscription(
  parts: SubscriptionParts,
  id: Uuid,
  within: Within,
  expect: Precondition<Subscription> = () => undefined,
): Promise<void> {
  await transaction(parts.db, async (tx) => {
    const current = await lockOwner(tx, id, within)
    expect(current)
    await audited(tx, parts, current)
    // The history needs neither keys nor credentials.
    const data = { deletedAt: new Date(parts.world.now()), ...authColumns(noAuth), ...tlsColumns(noTls) }
    await tx.subscription.update({ where: { id }, data })
    await tx.secret.deleteMany({ where: { subscriptionId: id } })
    await requestCanceling(tx, parts.jobs, id)
  })
}

function audited(tx: Tx, { db }: SubscriptionParts, { id, tenantId }: Subscription): Promise<void> {
  return writeAudit(tx, db, { target: formatId('subscription', id), tenantId })
}

async function tenantExists(db: Database, tenantId: string): Promise<void> {
  const found = await db.prisma.tenant.findUnique({ where: { id: tenantId }, select: { id: true } })
  if (found === null) throw tenantNotFound(tenantId)
}

/** Two callers at once: the second waits for the tenant's row, and then counts the first one's subscription too. */
async function makeRoom(tx: Tx, tenantId: string): Promise<void> {
  if (!(await lockTenant(tx, tenantId))) throw tenantNotFound(tenantId)
  const count = await tx.subscription.count({ where: { tenantId, deletedAt: null } })
  if (count < limits.subscriptionsPerTenantMax) return
  throw new Problem(
    'limit_reached',
    `The tenant has ${count} subscriptions, and ${limits.subscriptionsPerTenantMax} are allowed. Delete one first.`,
  )
}

/** A URL is looked up only for somebody who may change the subscription: the answer tells about the operator's network. */
async function checkedUrl(parts: SubscriptionParts, id: Uuid, within: Within, url: string): Promise<string> {
  await getSubscription(parts.db, id, within)
  return parts.checkUrl(url)
}

/** A transform is tried only for somebody who may change the subscription. */
async function checkTransform(parts: SubscriptionParts, id: Uuid, within: Within, transform: string): Promise<void> {
  const { tenantId } = await getSubscription(parts.db, id, within)
  await parts.transforms.check(transform, { tenantId, subscriptionId: id }, '/transform')
}

/** Credentials with a URL in them that may be called. */
async function withCheckedUrl({ checkUrl }: SubscriptionParts, auth: GivenAuth): Promise<GivenAuth> {
  if (auth.type !== 'oauth2_client_credentials') return auth
  return { ...auth, token_url: await checkUrl(auth.token_url, '/auth/token_url') }
}

/** As with the callback URL: looked up only for somebody who may change the subscription. */
async function checkedAuth(parts: SubscriptionParts, id: Uuid, within: Within, auth: GivenAuth): Promise<GivenAuth> {
  if (auth.type === 'oauth2_client_credentials') await getSubscription(parts.db, id, within)
  return withCheckedUrl(parts, auth)
}

function changes(
  current: Subscription,
  patch: SubscriptionPatch,
  url: string | undefined,
): Prisma.SubscriptionUpdateInput {
  const data: Prisma.SubscriptionUpdateInput = {}
  // Another receiver: what the one before did says nothing of it.
  if (url !== undefined) Object.assign(data, { url }, url === current.url ? {} : healthAnew)
  if (patch.eventTypes !== undefined) data.eventTypes = [...patch.eventTypes]
  if (patch.filter !== undefined) data.filter = filterText(patch.filter)
  if (patch.transform !== undefined) data.transform = patch.transform
  if (patch.description !== undefined) data.description = patch.description
  if (patch.headers !== undefined) data.headers = customHeaders(texts(merged(current.headers, lowered(patch.headers))))
  if (patch.metadata !== undefined) data.metadata = storedJson(merged(current.metadata, patch.metadata), '/metadata')
  if (patch.timeoutMs !== undefined) data.timeoutMs = patch.timeoutMs ?? timeoutMsDefault
  if (patch.maxInFlight !== undefined) data.maxInFlight = patch.maxInFlight ?? maxInFlightDefault
  if (patch.retryScheduleSeconds !== undefined) data.retryScheduleSeconds = [...(patch.retryScheduleSeconds ?? [])]
  if (patch.rateLimitPerSecond !== undefined) data.rateLimitPerSecond = patch.rateLimitPerSecond
  if (patch.ordered !== undefined) data.ordered = patch.ordered ?? false
  if (patch.forwardTraceparent !== undefined) data.forwardTraceparent = patch.forwardTraceparent ?? false
  if (patch.contacts !== undefined) data.contacts = contactsJson(patch.contacts ?? [])
  if (patch.payloadFormat !== undefined) data.payloadFormat = patch.payloadFormat ?? payloadFormatDefault
  if (patch.finalStatuses !== undefined) data.finalStatuses = finalStatuses(patch.finalStatuses ?? [])
  return data
}

function contactsJson(contacts: readonly Contact[]): Prisma.InputJsonArray {
  return contacts.map((contact) => ({ ...contact }))
}

function authChanges(
  current: Subscription,
  auth: GivenAuth | null | undefined,
  url: string | undefined,
  seal: Seal,
): Prisma.SubscriptionUpdateInput {
  if (auth !== undefined) return authColumns(auth === null ? noAuth : sealedAuth(auth, current.id, seal))
  if (url !== undefined) refuseToTakeAlong(current, url, 'auth')
  return {}
}

function tlsChanges(
  current: Subscription,
  { tls }: SubscriptionPatch,
  url: string | undefined,
  parts: SubscriptionParts,
): Prisma.SubscriptionUpdateInput {
  if (tls !== undefined) return tlsColumns(tls === null ? noTls : sealedTls(tls, sealing(parts, current.id)))
  if (url !== undefined) refuseToTakeAlong(current, url, 'tls')
  return {}
}

function sealing({ seal, world }: SubscriptionParts, subscriptionId: Uuid) {
  return { seal, subscriptionId, nowMs: world.now() }
}

/** A column of JSON has two nulls; this one is the database's. */
function authColumns({ authShown, ...columns }: StoredAuth) {
  return { ...columns, authShown: authShown ?? Prisma.DbNull }
}

function tlsColumns({ tlsSealed, tlsShown }: StoredTls) {
  return { tlsSealed, tlsShown: tlsShown ?? Prisma.DbNull }
}

/** What is stored of a filter. */
function filterText(text: string | null): string | null {
  return text === null ? null : givenFilter(text, '/filter').text
}

/** The object after the patch; `null` clears it. */
function merged(current: unknown, patch: unknown): Record<string, unknown> {
  const result = mergePatch(current, patch)
  return result !== null && typeof result === 'object' ? Object.fromEntries(Object.entries(result)) : {}
}

/** Names of headers are stored in lower case, and a patch means the same header in any case. */
function lowered(headers: Readonly<Record<string, string | null>> | null): Record<string, string | null> | null {
  if (headers === null) return null
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function texts(object: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, String(value)]))
}
