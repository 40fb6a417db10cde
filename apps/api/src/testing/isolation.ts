/**
 * Where every operation can be given something of another tenant: the rows of the isolation matrix. The operations
 * themselves come from the OpenAPI document, and one without a row here is an error, so no route is forgotten.
 */

/** Ids of one tenant's objects, as they stand on the wire. */
export type Belongings = {
  tenant: string
  subscription: string
  event: string
  delivery: string
  portalSession: string
  replay: string
}

/**
 * How an answer shows that what was named does not exist for whoever asks: 404; a list without it; or, in a batch, a
 * refusal of that item.
 */
export type Denial = 'not_found' | 'nothing' | 'refused_item'

/** One way to name something of another tenant. */
export type Naming = {
  in: 'path' | 'body' | 'filter'
  /** What stands in `{…}` of the path. */
  path?: Record<string, string>
  body?: unknown
  query?: Record<string, string>
  denial: Denial
}

/**
 * How an operation can name what is another's. `mine` are the caller's own belongings, for the places that are not tried.
 * `none`: it names no tenant's objects at all.
 */
export type IsolationRow = 'none' | ((theirs: Belongings, mine: Belongings) => Naming[])

const subscription = (body?: unknown): IsolationRow => inPath('subscription', body)
const event = (body?: unknown): IsolationRow => inPath('event', body)
const delivery = (body?: unknown): IsolationRow => inPath('delivery', body)
const replay = (body?: unknown): IsolationRow => inPath('replay', body)

export const isolationRows: Readonly<Record<string, IsolationRow>> = {
  getHealth: 'none',
  getReadiness: 'none',
  listPublicKeys: 'none',
  getMeta: 'none',
  rotateKeyPair: subscription({}),
  putTenant: inPath('tenant', {}),
  getTenant: inPath('tenant'),
  deleteTenant: inPath('tenant'),
  listTenants: 'none',
  putEventType: 'none',
  getEventType: 'none',
  archiveEventType: 'none',
  listEventTypes: 'none',
  createEventTypeVersion: 'none',
  getEventTypeVersion: () => [{ in: 'path', path: { name: 'invoice.paid', version: '1' }, denial: 'not_found' }],
  importEventTypes: 'none',
  listEventTypeVersions: 'none',
  getObservations: 'none',
  createSubscription: inPath('tenant', { url: 'https://93.184.215.14/', event_types: ['*'] }),
  listSubscriptions: filters('tenant'),
  getSubscription: subscription(),
  patchSubscription: subscription({ description: 'taken over' }),
  deleteSubscription: subscription(),
  getSubscriptionHealth: subscription(),
  pauseSubscription: subscription({}),
  resumeSubscription: subscription({}),
  revealSecrets: subscription(),
  rotateSecret: subscription({}),
  testSubscription: subscription({}),
  checkReceiver: subscription({}),
  checkSignature: (theirs) => [
    { in: 'body', body: { subscription: theirs.subscription, headers: {}, body: '' }, denial: 'not_found' },
  ],
  previewTransform: (theirs, mine) => [
    ...named('path', 'subscription', theirs, { type: 'invoice.paid', data: {} }),
    {
      in: 'body',
      path: { id: mine.subscription },
      body: { transform: '$', event_id: theirs.event },
      denial: 'not_found',
    },
  ],
  publishEvent: (theirs, mine) => [
    { in: 'body', body: { tenant: theirs.tenant, type: 'invoice.paid', data: 1 }, denial: 'not_found' },
    { in: 'body', body: published(mine.tenant, [theirs.subscription]), denial: 'nothing' },
    {
      in: 'filter',
      query: { dry_run: '1' },
      body: published(mine.tenant, [theirs.subscription]),
      denial: 'nothing',
    },
  ],
  publishEvents: (theirs, mine) => [
    {
      in: 'body',
      body: { events: [{ tenant: theirs.tenant, type: 'invoice.paid', data: 1 }] },
      denial: 'refused_item',
    },
    { in: 'body', body: { events: [published(mine.tenant, [theirs.subscription])] }, denial: 'nothing' },
  ],
  listEvents: filters('tenant'),
  getEvent: event(),
  listEventMatches: event(),
  checkFilter: subscription({ type: 'invoice.paid', data: 1 }),
  listDeliveries: filters('tenant', 'subscription', 'event', 'replay'),
  getDelivery: (theirs) => [
    ...named('path', 'delivery', theirs),
    {
      in: 'filter',
      path: { id: theirs.delivery },
      query: { expand: 'event,subscription,attempts' },
      denial: 'not_found',
    },
  ],
  listAttempts: delivery(),
  getDeliveryCurl: delivery(),
  resendDelivery: delivery({}),
  cancelDelivery: delivery({}),
  listOutboxEvents: filters('tenant'),
  getOutboxEvent: 'none',
  retryOutboxEvent: 'none',
  deleteOutboxEvent: 'none',
  createPortalSession: inPath('tenant', { capabilities: ['deliveries:read'] }),
  listPortalSessions: inPath('tenant'),
  getPortalSession: inPath('portalSession'),
  revokePortalSession: inPath('portalSession'),
  getCredential: 'none',
  listAuditEntries: filters('tenant'),
  // The other words of a filter are tried in routes/replays.test.ts: the answer repeats the filter.
  createReplay: (theirs) => [
    { in: 'body', body: { filter: { tenant: theirs.tenant }, only: 'all' }, denial: 'nothing' },
  ],
  listReplays: filters('tenant'),
  getReplay: replay(),
  patchReplay: replay({ note: 'taken over' }),
  listReplayItems: replay(),
  runReplay: replay({}),
  pauseReplay: replay({}),
  resumeReplay: replay({}),
  cancelReplay: replay({}),
  getDeliveryMetrics: filters('tenant', 'subscription'),
  getCauses: filters('tenant', 'subscription'),
  search: (theirs) => Object.values(theirs).map((q) => ({ in: 'filter', query: { q }, denial: 'nothing' })),
  streamAttempts: (theirs) =>
    (['tenant', 'subscription', 'event'] as const).map((noun) => ({
      in: 'filter',
      // Told at once, and not for ever.
      query: { [noun]: theirs[noun], max_seconds: '0' },
      denial: 'nothing',
    })),
  listApiKeys: 'none',
  createApiKey: (theirs) => [
    { in: 'body', body: { name: 'mine', role: 'tenant', tenant: theirs.tenant }, denial: 'not_found' },
  ],
  revokeApiKey: 'none',
  createErasure: (theirs) => [{ in: 'body', body: { tenant: theirs.tenant, reason: 'mine' }, denial: 'not_found' }],
  getErasure: 'none',
  listErasures: 'none',
}

/** The id in the path is theirs. */
function inPath(noun: keyof Belongings, body?: unknown): IsolationRow {
  return (theirs) => named('path', noun, theirs, body)
}

/** Each of these query parameters, alone, names something of theirs. */
function filters(...nouns: (keyof Belongings)[]): IsolationRow {
  return (theirs) => nouns.map((noun) => ({ in: 'filter', query: { [noun]: theirs[noun] }, denial: 'nothing' }))
}

function named(place: Naming['in'], noun: keyof Belongings, theirs: Belongings, body?: unknown): Naming[] {
  return [{ in: place, path: { id: theirs[noun] }, ...(body === undefined ? {} : { body }), denial: 'not_found' }]
}

function published(tenant: string, subscriptions: readonly string[]) {
  return { tenant, type: 'invoice.paid', data: 1, subscriptions }
}
