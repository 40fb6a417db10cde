/**
 * An installation of our own making with 200 event types: flat, nested and recursive schemas, `oneOf` with a discriminator,
 * maps, tuples, huge enums, and three versions of each, of which some break receivers. What the documentation has to
 * bear, and what its screenshots show.
 */
import { type EventType, type EventTypeVersion, type SchemaComparison, schemaChanges } from '@posthorn/contract'
import { type DocsSource, type DocumentedEventType, sourceFormat } from '../source.ts'

type Schema = Readonly<Record<string, unknown>>
type Shape = { readonly describes: string; versions(noun: string): readonly Schema[] }

const groups: readonly (readonly [group: string, noun: string, verbs: readonly string[]])[] = [
  ['Orders', 'order', ['created', 'paid', 'packed', 'shipped', 'delivered', 'canceled', 'refunded', 'returned', 'held', 'released']],
  ['Invoices', 'invoice', ['drafted', 'issued', 'sent', 'paid', 'overdue', 'voided', 'credited', 'reminded', 'disputed', 'settled']],
  ['Customers', 'customer', ['created', 'updated', 'verified', 'merged', 'blocked', 'unblocked', 'invited', 'joined', 'left', 'removed']],
  ['Payments', 'payment', ['authorized', 'captured', 'failed', 'canceled', 'refunded', 'disputed', 'won', 'lost', 'expired', 'retried']],
  ['Products', 'product', ['created', 'updated', 'priced', 'published', 'hidden', 'restocked', 'sold_out', 'archived', 'reviewed', 'recalled']],
  ['Subscriptions', 'plan', ['started', 'renewed', 'upgraded', 'downgraded', 'paused', 'resumed', 'ended', 'trialed', 'warned', 'expired']],
  ['Shipments', 'shipment', ['planned', 'labeled', 'picked_up', 'delayed', 'arrived', 'handed_over', 'lost', 'found', 'damaged', 'closed']],
  ['Tickets', 'ticket', ['opened', 'assigned', 'answered', 'escalated', 'solved', 'reopened', 'rated', 'tagged', 'merged', 'closed']],
  ['Files', 'file', ['uploaded', 'scanned', 'converted', 'shared', 'renamed', 'moved', 'locked', 'restored', 'expired', 'deleted']],
  ['Projects', 'project', ['created', 'started', 'planned', 'blocked', 'reviewed', 'finished', 'reopened', 'handed_over', 'archived', 'deleted']],
  ['Members', 'member', ['invited', 'joined', 'promoted', 'demoted', 'suspended', 'restored', 'left', 'removed', 'renamed', 'verified']],
  ['Devices', 'device', ['paired', 'online', 'offline', 'updated', 'overheated', 'measured', 'calibrated', 'stolen', 'repaired', 'retired']],
  ['Bookings', 'booking', ['requested', 'confirmed', 'moved', 'checked_in', 'checked_out', 'canceled', 'no_show', 'extended', 'reviewed', 'refunded']],
  ['Payouts', 'payout', ['scheduled', 'sent', 'arrived', 'failed', 'returned', 'held', 'released', 'canceled', 'corrected', 'reported']],
  ['Contracts', 'contract', ['drafted', 'sent', 'viewed', 'signed', 'countersigned', 'amended', 'renewed', 'ended', 'breached', 'archived']],
  ['Campaigns', 'campaign', ['drafted', 'scheduled', 'started', 'opened', 'clicked', 'bounced', 'unsubscribed', 'paused', 'finished', 'reported']],
  ['Inventory', 'stock', ['received', 'counted', 'reserved', 'released', 'moved', 'low', 'empty', 'corrected', 'expired', 'written_off']],
  ['Identity', 'login', ['succeeded', 'failed', 'locked', 'unlocked', 'challenged', 'passed', 'reset', 'revoked', 'linked', 'unlinked']],
  ['Builds', 'build', ['queued', 'started', 'passed', 'failed', 'canceled', 'retried', 'deployed', 'rolled_back', 'promoted', 'expired']],
  ['Reports', 'report', ['requested', 'started', 'ready', 'failed', 'downloaded', 'shared', 'scheduled', 'changed', 'expired', 'deleted']],
] // biome-ignore format: one group a line

const id = (noun: string, prefix = noun.slice(0, 3)) => ({
  type: 'string',
  description: `Identifies the ${noun}.`,
  examples: [`${prefix}_42`],
})
const time = { type: 'string', format: 'date-time', description: 'RFC 3339, UTC.' }
const money = { type: 'integer', minimum: 0, description: 'In the smallest unit of the currency.' }
const currency = { type: 'string', pattern: '^[A-Z]{3}$', description: 'ISO 4217.', examples: ['EUR'] }
const countries = Array.from({ length: 26 }, (_, first) =>
  Array.from({ length: 10 }, (__, second) => String.fromCharCode(65 + first, 65 + second)),
).flat()

function object(properties: Record<string, unknown>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', required, properties }
}

/** Each with three versions: one as it was, one that is safe, and one that may not be. */
const shapes: readonly Shape[] = [
  {
    describes: 'Carries what changed, in one flat object.',
    versions(noun) {
      const first = { [`${noun}_id`]: id(noun), amount: money, currency, created_at: time }
      const second = { ...first, note: { type: 'string', maxLength: 500, description: 'In the words of a person.' } }
      const third = { ...second, note: { ...second.note, type: ['string', 'null'] } }
      return [object(first), object(second), object(third)]
    },
  },
  {
    describes: 'Carries the whole object with its lines.',
    versions(noun) {
      const address = object({ street: { type: 'string' }, city: { type: 'string' }, country: { type: 'string', minLength: 2, maxLength: 2 } })
      const line = object({ sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 }, price: money }, ['price'])
      const first = { id: id(noun), customer: object({ id: id('customer'), email: { type: 'string', format: 'email' } }), lines: { type: 'array', items: line, minItems: 1 } }
      const second = { ...first, shipping: object({ address, by: { enum: ['post', 'courier'] } }, ['by']) }
      const third = { ...second, shipping: object({ address, by: { enum: ['post', 'courier', 'bike'] } }, ['by']) }
      return [object(first), object(second), object(third)]
    },
  },
  {
    describes: 'Carries a tree, as deep as it is.',
    versions(noun) {
      const tree = (more: Record<string, unknown>) => ({
        ...object({ id: id(noun), root: { $ref: '#/$defs/node' } }),
        $defs: {
          node: {
            type: 'object',
            title: 'Node',
            required: ['name'],
            properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } }, ...more },
          },
        },
      })
      return [tree({}), tree({ color: { type: 'string', description: 'Of the mark before the name.' } }), tree({ color: { type: 'string' }, size: { type: 'number' } })]
    },
  },
  {
    describes: 'Carries one of several methods; `kind` tells which.',
    versions(noun) {
      const kind = (name: string, properties: Record<string, unknown>) => ({ title: name, ...object({ kind: { const: name }, ...properties }) })
      const card = kind('card', { brand: { enum: ['visa', 'mastercard'] }, last4: { type: 'string', pattern: '^[0-9]{4}$' } })
      const transfer = kind('transfer', { iban: { type: 'string', minLength: 15, maxLength: 34 } })
      const wallet = kind('wallet', { provider: { type: 'string', enum: ['apple', 'google'], 'x-extensible-enum': true } })
      const of = (...methods: Schema[]) => object({ id: id(noun), amount: money, method: { oneOf: methods } })
      return [of(card), of(card, transfer), of(card, transfer, wallet)]
    },
  },
  {
    describes: 'Carries texts by language, and whatever else you have set.',
    versions(noun) {
      const first = {
        id: id(noun),
        titles: { type: 'object', additionalProperties: { type: 'string' }, description: 'By language: `en`, `de-AT`.' },
        position: { type: 'array', prefixItems: [{ type: 'number', minimum: -180, maximum: 180 }, { type: 'number', minimum: -90, maximum: 90 }], minItems: 2, maxItems: 2, description: 'Longitude and latitude.' },
      }
      const second = { ...first, metadata: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } } }
      const { position, ...third } = second
      return [object(first), object(second, ['metadata']), object({ ...third, place: { type: 'string', deprecated: true, description: `In place of ${Object.keys(position).length} numbers.` } }, ['metadata'])]
    },
  },
  {
    describes: 'Says where it happened.',
    versions(noun) {
      const of = (list: readonly string[], ...optional: string[]) =>
        object({ id: id(noun), country: { type: 'string', enum: list, description: 'Two letters.' }, at: time, reason: { type: 'string' } }, optional)
      return [of(countries.slice(0, 200)), of(countries.slice(0, 200)), of(countries, 'reason')]
    },
  },
] // biome-ignore format: schemas are read as a whole

const dates = ['2026-03-02T09:00:00.000Z', '2026-06-15T09:00:00.000Z', '2026-10-01T09:00:00.000Z']

/** @param count how many of the 200, from the first */
export function manyEventTypes(count = 200): DocsSource {
  const names = groups.flatMap(([group, noun, verbs]) => verbs.map((verb) => ({ group, noun, verb })))
  return {
    format: sourceFormat,
    meta: exampleMeta,
    event_types: names.slice(0, count).map(({ group, noun, verb }, index) => {
      const shape = shapes[index % shapes.length]
      if (shape === undefined) throw new Error('there are no shapes')
      const name = `${noun}.${verb}`
      const description = `Sent when ${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun} is ${verb.replaceAll('_', ' ')}.\n\n${shape.describes}`
      return documented({ name, description, group }, shape.versions(noun))
    }),
  }
}

/** An event type with its versions, each compared with the one before. */
export function documented(
  known: Pick<EventType, 'name'> & Partial<EventType>,
  schemas: readonly Schema[],
  examples: readonly unknown[] = [],
): DocumentedEventType {
  const versions = schemas.map((schema, index): EventTypeVersion => {
    const comparison = comparisonOf(schemas[index - 1], schema, index)
    const created_at = dates[index % dates.length] ?? ''
    const own = index === schemas.length - 1 ? [...examples] : []
    return { event_type: known.name, version: index + 1, schema: { ...schema }, examples: own, comparison, created_at }
  })
  return {
    event_type: {
      description: null,
      group: null,
      status: 'active',
      validation: 'warn',
      key_pointers: {},
      latest_version: schemas.length,
      created_at: dates[0] ?? '',
      updated_at: dates.at(-1) ?? '',
      ...known,
    },
    versions,
  }
}

/** What a version changes against the one before, as the API would have kept it. */
export function comparisonOf(before: unknown, schema: unknown, versionBefore: number): SchemaComparison {
  if (before === undefined) return { compared_with: null, verdict: 'safe', changes: [], truncated: false }
  return { compared_with: versionBefore, ...schemaChanges(before, schema) }
}

export const exampleMeta: DocsSource['meta'] = {
  version: '0.1.0',
  egress_addresses: ['203.0.113.7', '2001:db8:42::/48'],
  event_docs_url: null,
  signature: {
    standard: 'https://www.standardwebhooks.com',
    headers: { id: 'webhook-id', timestamp: 'webhook-timestamp', signature: 'webhook-signature' },
    schemes: ['v1a', 'v1'],
    tolerance_seconds: 300,
  },
  delivery: {
    method: 'POST',
    retry_schedule_seconds: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
    timeout_ms: 15_000,
    disabled_after_hours: 120,
    payload_formats: ['standard', 'cloudevents-structured', 'cloudevents-binary', 'raw'],
  },
  limits: {
    event_data_bytes_max: 262_144,
    url_length_max: 2_048,
    subscriptions_per_tenant_max: 500,
    event_types_per_subscription_max: 50,
    custom_headers_max: 20,
  },
}
