/**
 * Replays to another URL: a staging receiver, or a colleague's machine. They touch neither the delivery nor its
 * subscription, and their requests carry nothing that is meant for the customer's receiver: no custom headers of the
 * subscription, no credentials, no client certificate, and a signature by a secret of the replay's own. Headers that the
 * publisher gave the event go along like its data, but for those that sound like credentials.
 */
import { formatId, type PayloadFormat, type Uuid } from '@posthorn/contract'
import type { Claim } from './attempt.ts'
import { soundsLikeCredential } from './custom-headers.ts'
import type { TargetItem } from './db/sql/take-target-items.ts'
import { defaultRetryScheduleSeconds } from './schedule.ts'
import { openSecret, type SecretPlace, sealSecret } from './sealed-secrets.ts'
import type { Seal } from './sealing.ts'
import { newSecret } from './secrets.ts'
import type { World } from './world.ts'

/** The secret of a new replay, to be shown once, and as it is stored. */
export function makeTargetSecret(
  { seal, world }: { seal: Seal; world: World },
  replayId: Uuid,
): { secret: string; sealed: Uint8Array<ArrayBuffer> } {
  const { text: secret, key } = newSecret(world)
  return { secret, sealed: sealSecret(seal, key, placeOf(replayId)).sealedKey }
}

/**
 * The secret of a replay sealed with the first master key.
 *
 * @throws SealError when it cannot be opened
 */
export function targetSealedAnew(sealed: Uint8Array, replayId: Uuid, seal: Seal): Uint8Array<ArrayBuffer> {
  const place = placeOf(replayId)
  return sealSecret(seal, openSecret(seal, sealed, place), place).sealedKey
}

/** It belongs to no tenant and no subscription, so it cannot be opened in the place of one that does. */
function placeOf(replayId: Uuid): SecretPlace {
  return { id: replayId, tenantId: formatId('replay', replayId), subscriptionId: replayId, scheme: 'v1' }
}

/** What is sent for an item: the event in the form that its subscription has chosen, and nothing else of it. */
export function targetClaim(item: TargetItem): Claim {
  return {
    deliveryId: item.delivery_id,
    tenantId: item.tenant_id,
    eventId: item.event_id,
    subscriptionId: item.subscription_id,
    attemptId: item.attempt_id,
    number: item.attempt_number,
    trigger: 'replay',
    actor: null,
    reason: null,
    replayId: item.replay_id,
    scheduleStep: 0,
    scheduleWaits: false,
    waitedMs: 0,
    url: item.target_url,
    headers: {},
    timeoutMs: item.timeout_ms,
    retryScheduleSeconds: defaultRetryScheduleSeconds,
    keys: [{ ...placeOf(item.replay_id), sealed: item.target_key }],
    // The column's CHECK is held to the list of formats by a test.
    payloadFormat: item.payload_format as PayloadFormat,
    finalStatuses: [],
    authSealed: null,
    tlsSealed: null,
    ailing: null,
    failedProbes: null,
    transform: item.transform,
    event: {
      type: item.type,
      timestamp: item.timestamp,
      data: item.data,
      schemaVersion: item.schema_version,
      keys: item.keys,
      headers: harmless(item.headers_of_event ?? {}),
    },
  }
}

/** Whoever chooses the URL may read payloads, and that is not leave to read secrets. */
function harmless(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !soundsLikeCredential(name)))
}
