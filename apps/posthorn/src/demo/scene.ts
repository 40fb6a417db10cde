/**
 * What the demo plays with, made through the REST API as a customer's backend would make it: a tenant, event types, a
 * subscription of the built-in receiver, and a key.
 */
import type { Receiver } from './receiver.ts'

/** The customer of the demo. */
export const tenant = 'acme'
export const eventTypes = ['order.created', 'order.paid'] as const
/** Where the receiver listens, and how the demo's subscription is known again after `--keep`. */
export const receiverPath = '/hooks'
/** Short steps, so that the retry is seen at once (seconds). */
const retryScheduleSeconds = [2, 5, 15]
const subscriptionNote = 'the built-in receiver of the demo'

export type Scene = { subscriptionId: string }

/** A call of the API. Throws an error that carries the problem's words. */
export type CallApi = (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>

/** Makes the scene, or finds the one that an earlier demo made. The receiver trusts the subscription's secret afterwards. */
export async function setScene(call: CallApi, receiver: Receiver): Promise<Scene> {
  await call('PUT', `/v1/tenants/${tenant}`, { name: 'Acme Inc.' })
  for (const name of eventTypes)
    await call('PUT', `/v1/event-types/${name}`, { description: `An ${name.replace('.', ' was ')}` })
  const url = `${receiver.origin}${receiverPath}`
  const subscriptionId = (await earlierSubscription(call)) ?? (await newSubscription(call, url))
  // The receiver's port may be another one than last time.
  await call('PATCH', `/v1/subscriptions/${subscriptionId}`, { url })
  const secrets = await call('GET', `/v1/subscriptions/${subscriptionId}/secrets`)
  receiver.trust(receiverPath, currentSecret(secrets))
  return { subscriptionId }
}

async function newSubscription(call: CallApi, url: string): Promise<string> {
  const created = await call('POST', `/v1/tenants/${tenant}/subscriptions`, {
    url,
    event_types: ['order.*'],
    description: subscriptionNote,
    retry_schedule_seconds: retryScheduleSeconds,
  })
  return String(created['id'])
}

async function earlierSubscription(call: CallApi): Promise<string | undefined> {
  const { data } = await call('GET', `/v1/subscriptions?tenant=${tenant}`)
  const found = rows(data).find((subscription) => subscription['description'] === subscriptionNote)
  return found === undefined ? undefined : String(found['id'])
}

function currentSecret(secrets: Record<string, unknown>): string {
  const current = rows(secrets['data']).find((secret) => secret['expires_at'] === null)
  return String(current?.['secret'])
}

function rows(data: unknown): Record<string, unknown>[] {
  return Array.isArray(data) ? data : []
}
