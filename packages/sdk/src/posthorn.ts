/**
 * The face of the API in code: its operations by noun, lists that go on by themselves, and `request` for whatever has no
 * name of its own here. Everything that goes in and comes out has the types of the API's document.
 */
import { batchesOf } from './batches.ts'
import { type Answer, call, type Fetch, type Limits, type Means, type Surroundings, thisPlatform } from './calling.ts'
import type { DryRun, EventTypeVersion, EventTypeVersionDryRun, PublishedEvent } from './generated/types.gen.ts'
import type { Body, CallOptions, Input, Listed, ListName, OperationName, Output, Query } from './inputs.ts'
import { type Page, type Pages, pagesOf } from './pages.ts'
import { baseUrl, invalid, prepare } from './requests.ts'
import { type StreamOptions, streamOf } from './streaming.ts'

export type PosthornOptions = {
  /** Where the API is: `https://posthorn.example.com`, also with a path. */
  readonly url: string
  /** An API key, or what fetches one before each request: a portal session's token ends. */
  readonly apiKey: string | (() => string | Promise<string>)
  /** In place of the global one. */
  readonly fetch?: Fetch
  /** For a whole call with its retries, in milliseconds; 60 s when left out. */
  readonly timeoutMs?: number
  /** For one request of a call, in milliseconds; 20 s when left out. */
  readonly requestTimeoutMs?: number
  /** How often a call is tried again at the most; 3 when left out, 0 for never. */
  readonly retries?: number
}

/** An answer with what stands around it. */
export type FullAnswer<Name extends OperationName> = {
  readonly data: Output<Name>
  readonly status: number
  readonly headers: Headers
  /** To be given back as `ifMatch`. */
  readonly etag: string | undefined
  readonly requestId: string | undefined
  /** The API had answered this call before, and did nothing now. */
  readonly isReplayed: boolean
}

/** A page of a list, with what that list says beside it. */
type PageOf<Name extends ListName> = Output<Name> & Page<Listed<Name>>

export type Posthorn = ReturnType<typeof createPosthorn>

const timeoutMsDefault = 60_000
const requestTimeoutMsDefault = 20_000
const retriesDefault = 3
/** Operations that wait for a foreign server, and how long one request of theirs may take at least, in milliseconds. */
const longRequestMs: Partial<Record<OperationName, number>> = {
  testSubscription: 48_000,
  checkReceiver: 58_000,
}
/** The API takes keys of 255 characters; the number of a batch goes behind it. */
const severalKeyLengthMax = 240
/** Longer than any pause that a timer can make (2³¹ − 1 ms) is none. */
const msMax = 2_147_483_647

/**
 * Makes a client. It keeps no connection and no state of its own: make one, and use it everywhere.
 *
 * @throws PosthornError `invalid_argument`
 */
export function createPosthorn(options: PosthornOptions, surroundings: Surroundings = thisPlatform) {
  const base = baseUrl(options.url)
  const limits = limitsOf(options)
  const means = meansOf(options, surroundings)

  async function ask(name: OperationName, input: Input, given: CallOptions): Promise<Answer> {
    const request = prepare(base, name, input, given, () => newKey(surroundings))
    const requestTimeoutMs = Math.max(means.requestTimeoutMs, longRequestMs[name] ?? 0)
    return call({ ...means, requestTimeoutMs }, request, limitsOf(given, limits))
  }

  async function run<Name extends OperationName>(
    name: Name,
    input: Input,
    given: CallOptions = {},
  ): Promise<Output<Name>> {
    const { body } = await ask(name, input, given)
    // The API's document says so, and its tests hold the API to the document.
    return body as Output<Name>
  }

  function list<Name extends ListName>(
    name: Name,
    input: Input,
    given: CallOptions = {},
  ): Pages<Listed<Name>, PageOf<Name>> {
    return pagesOf<Listed<Name>, PageOf<Name>>(async (cursor) => {
      const query = cursor === undefined ? input.query : { ...input.query, cursor }
      const { body } = await ask(name, { ...input, query }, given)
      return body as PageOf<Name>
    })
  }

  /** One batch after the other, within the time of the whole call. */
  async function publishMany(
    events: readonly Body<'publishEvent'>[],
    given: CallOptions = {},
  ): Promise<Output<'publishEvents'>> {
    const batches = batchesOf(events)
    const { idempotencyKey: key } = given
    if (batches.length > 1 && key !== undefined && key.length > severalKeyLengthMax)
      throw invalid(`idempotencyKey may have ${severalKeyLengthMax} characters for more than one batch.`)
    const { timeoutMs } = limitsOf(given, limits)
    const end = surroundings.now() + timeoutMs
    const results: Output<'publishEvents'>['results'] = []
    for (const [index, batch] of batches.entries()) {
      const leftMs = Math.max(Math.ceil(end - surroundings.now()), 1)
      const options = { ...given, timeoutMs: leftMs }
      const itsOwn = key === undefined || index === 0 ? options : { ...options, idempotencyKey: `${key}-${index + 1}` }
      results.push(...(await run('publishEvents', { body: { events: batch } }, itsOwn)).results)
    }
    return { results }
  }

  return {
    tenants: {
      /** Makes a tenant known, or replaces what is known of it. */
      put: (id: string, body: Body<'putTenant'> = {}, given?: CallOptions) =>
        run('putTenant', { path: { id }, body }, given),
      get: (id: string, given?: CallOptions) => run('getTenant', { path: { id } }, given),
      /** Forgets it, with its subscriptions; what was still to be delivered is canceled. */
      delete: (id: string, given?: CallOptions) => run('deleteTenant', { path: { id } }, given),
      list: (query?: Query<'listTenants'>, given?: CallOptions) => list('listTenants', { query }, given),
    },

    eventTypes: {
      put: (name: string, body: Body<'putEventType'> = {}, given?: CallOptions) =>
        run('putEventType', { path: { name }, body }, given),
      get: (name: string, given?: CallOptions) => run('getEventType', { path: { name } }, given),
      /** It can no longer be published. Put it again to make it active. */
      archive: (name: string, given?: CallOptions) => run('archiveEventType', { path: { name } }, given),
      list: (query?: Query<'listEventTypes'>, given?: CallOptions) => list('listEventTypes', { query }, given),
      /** Takes over the event types of an OpenAPI document with `webhooks`. */
      import: (document: Body<'importEventTypes'>, given?: CallOptions) =>
        run('importEventTypes', { body: document }, given),
      /** What `import` would change, and whether that breaks receivers. Stores nothing. */
      previewImport: (document: Body<'importEventTypes'>, given?: CallOptions) =>
        run('importEventTypes', { query: { dry_run: '1' }, body: document }, given),
      createVersion: (name: string, body: Body<'createEventTypeVersion'>, given?: CallOptions) =>
        // Only a preview is answered otherwise.
        run('createEventTypeVersion', { path: { name }, body }, given) as Promise<EventTypeVersion>,
      /** What `createVersion` would change, and whether that breaks receivers. Stores nothing. */
      previewVersion: (name: string, body: Body<'createEventTypeVersion'>, given?: CallOptions) =>
        run(
          'createEventTypeVersion',
          {
            path: { name },
            query: { dry_run: '1' },
            body,
          },
          given,
        ) as Promise<EventTypeVersionDryRun>,
      getVersion: (name: string, version: number, given?: CallOptions) =>
        run('getEventTypeVersion', { path: { name, version }, body: undefined }, given),
      /** What was published lately, beside what the newest schema declares: counts, and no content. */
      observations: (name: string, given?: CallOptions) => run('getObservations', { path: { name } }, given),
      listVersions: (name: string, query?: Query<'listEventTypeVersions'>, given?: CallOptions) =>
        list('listEventTypeVersions', { path: { name }, query }, given),
    },

    subscriptions: {
      /** The answer holds the secret, this once. */
      create: (tenant: string, body: Body<'createSubscription'>, given?: CallOptions) =>
        run('createSubscription', { path: { id: tenant }, body }, given),
      get: (id: string, given?: CallOptions) => run('getSubscription', { path: { id } }, given),
      list: (query?: Query<'listSubscriptions'>, given?: CallOptions) => list('listSubscriptions', { query }, given),
      /** Changes what is given; `null` clears. */
      patch: (id: string, body: Body<'patchSubscription'>, given?: CallOptions) =>
        run('patchSubscription', { path: { id }, body }, given),
      delete: (id: string, given?: CallOptions) => run('deleteSubscription', { path: { id } }, given),
      /** How it fares: success rate, failures in a row, distance to being disabled, backlog. */
      health: (id: string, given?: CallOptions) => run('getSubscriptionHealth', { path: { id } }, given),
      /** What is published is held from now on. */
      pause: (id: string, body: Body<'pauseSubscription'> = {}, given?: CallOptions) =>
        run('pauseSubscription', { path: { id }, body }, given),
      /** Makes a paused or disabled one active, and sends what was held unless told otherwise. */
      resume: (id: string, body: Body<'resumeSubscription'> = {}, given?: CallOptions) =>
        run('resumeSubscription', { path: { id }, body }, given),
      /** Sends a signed event now, and answers with the whole outcome. */
      test: (id: string, query?: Query<'testSubscription'>, given?: CallOptions) =>
        run('testSubscription', { path: { id }, query }, given),
      /** Sends good and bad events, and tells how the receiver treats them and what to mend. Takes up to a minute. */
      checkReceiver: (id: string, query?: Query<'checkReceiver'>, given?: CallOptions) =>
        run('checkReceiver', { path: { id }, query }, given),
      /** Names what is wrong with the signature of a request, as it was received. */
      checkSignature: (body: Body<'checkSignature'>, given?: CallOptions) => run('checkSignature', { body }, given),
      revealSecrets: (id: string, given?: CallOptions) => run('revealSecrets', { path: { id } }, given),
      /** Makes a new secret the current one; the older ones sign beside it for a while. */
      rotateSecret: (id: string, body: Body<'rotateSecret'> = {}, given?: CallOptions) =>
        run('rotateSecret', { path: { id }, body }, given),
      listPublicKeys: (id: string, given?: CallOptions) => run('listPublicKeys', { path: { id } }, given),
      rotateKeyPair: (id: string, body: Body<'rotateKeyPair'> = {}, given?: CallOptions) =>
        run('rotateKeyPair', { path: { id }, body }, given),
      /** Judges a filter without saving it. */
      checkFilter: (id: string, body: Body<'checkFilter'>, given?: CallOptions) =>
        run('checkFilter', { path: { id }, body }, given),
      /** Shows what a transform makes, without saving it. */
      previewTransform: (id: string, body: Body<'previewTransform'>, given?: CallOptions) =>
        run('previewTransform', { path: { id }, body }, given),
    },

    events: {
      /** When this resolves, the event and its deliveries are stored. */
      publish: (body: Body<'publishEvent'>, given?: CallOptions) =>
        // Only a dry run is answered otherwise.
        run('publishEvent', { body }, given) as Promise<PublishedEvent>,
      /** What `publish` would send to whom, and why not to the others. Stores nothing. */
      dryRun: (body: Body<'publishEvent'>, given?: CallOptions) =>
        run('publishEvent', { query: { dry_run: '1' }, body }, given) as Promise<DryRun>,
      /**
       * Any number of events, each judged on its own: one result each, in order. More than 1,000, or than 5 MiB, go in
       * several requests. When one of these fails, those before it are published: give each event an `id`, or the call an
       * `idempotencyKey`, and make the same call again.
       */
      publishMany,
      get: (id: string, given?: CallOptions) => run('getEvent', { path: { id } }, given),
      list: (query?: Query<'listEvents'>, given?: CallOptions) => list('listEvents', { query }, given),
      /** Every subscription of the tenant, with why it did not get the event. */
      matches: (id: string, given?: CallOptions) => run('listEventMatches', { path: { id } }, given),
    },

    deliveries: {
      get: (id: string, query?: Query<'getDelivery'>, given?: CallOptions) =>
        run('getDelivery', { path: { id }, query }, given),
      list: (query?: Query<'listDeliveries'>, given?: CallOptions) => list('listDeliveries', { query }, given),
      attempts: (id: string, query?: Query<'listAttempts'>, given?: CallOptions) =>
        list('listAttempts', { path: { id }, query }, given),
      /** The newest request as a command to be copied. */
      curl: (id: string, query?: Query<'getDeliveryCurl'>, given?: CallOptions) =>
        run('getDeliveryCurl', { path: { id }, query }, given),
      /** Makes one more attempt. */
      resend: (id: string, body: Body<'resendDelivery'> = {}, given?: CallOptions) =>
        run('resendDelivery', { path: { id }, body }, given),
      /** Told of attempts as they are recorded, for as long as you read. */
      stream: (query?: Query<'streamAttempts'>, given: StreamOptions = {}) =>
        streamOf(
          means,
          (lastEventId) => prepare(base, 'streamAttempts', { query }, withPosition(lastEventId), () => ''),
          { retries: limits.retries, ...given },
        ),
      /** Calls it off. */
      cancel: (id: string, body: Body<'cancelDelivery'> = {}, given?: CallOptions) =>
        run('cancelDelivery', { path: { id }, body }, given),
    },

    /** Many resends chosen by a filter: drafted and counted, then run. */
    replays: {
      /** Counts what it would send, and sends nothing. */
      create: (body: Body<'createReplay'>, given?: CallOptions) => run('createReplay', { body }, given),
      get: (id: string, given?: CallOptions) => run('getReplay', { path: { id } }, given),
      list: (query?: Query<'listReplays'>, given?: CallOptions) => list('listReplays', { query }, given),
      /** Changes its rate or its note, also while it runs. */
      patch: (id: string, body: Body<'patchReplay'>, given?: CallOptions) =>
        run('patchReplay', { path: { id }, body }, given),
      run: (id: string, given?: CallOptions) => run('runReplay', { path: { id }, body: {} }, given),
      pause: (id: string, given?: CallOptions) => run('pauseReplay', { path: { id }, body: {} }, given),
      resume: (id: string, given?: CallOptions) => run('resumeReplay', { path: { id }, body: {} }, given),
      cancel: (id: string, given?: CallOptions) => run('cancelReplay', { path: { id }, body: {} }, given),
      /** Its deliveries, and what came of each. */
      items: (id: string, query?: Query<'listReplayItems'>, given?: CallOptions) =>
        list('listReplayItems', { path: { id }, query }, given),
    },

    metrics: {
      /** Deliveries and attempts over time, and how long they took: our part apart from the receivers'. */
      deliveries: (query?: Query<'getDeliveryMetrics'>, given?: CallOptions) =>
        run('getDeliveryMetrics', { query }, given),
      /** Failures by code and receiver, across tenants. */
      causes: (query?: Query<'getCauses'>, given?: CallOptions) => run('getCauses', { query }, given),
    },

    portalSessions: {
      /** The answer holds the token, and the URL to send the customer to, this once. */
      create: (tenant: string, body: Body<'createPortalSession'>, given?: CallOptions) =>
        run('createPortalSession', { path: { id: tenant }, body }, given),
      get: (id: string, given?: CallOptions) => run('getPortalSession', { path: { id } }, given),
      list: (tenant: string, query?: Query<'listPortalSessions'>, given?: CallOptions) =>
        list('listPortalSessions', { path: { id: tenant }, query }, given),
      revoke: (id: string, given?: CallOptions) => run('revokePortalSession', { path: { id } }, given),
    },

    /** What takes the content of events away, and leaves the fact of their delivery. */
    erasures: {
      create: (body: Body<'createErasure'>, given?: CallOptions) => run('createErasure', { body }, given),
      get: (id: string, given?: CallOptions) => run('getErasure', { path: { id } }, given),
      list: (query?: Query<'listErasures'>, given?: CallOptions) => list('listErasures', { query }, given),
    },

    /** Who changed, revealed or sent what, and why. */
    audit: {
      list: (query?: Query<'listAuditEntries'>, given?: CallOptions) => list('listAuditEntries', { query }, given),
    },

    /** What a backend wrote in a transaction of its own, until it is published. */
    outbox: {
      /** Those that were refused, unless told otherwise. */
      list: (query?: Query<'listOutboxEvents'>, given?: CallOptions) => list('listOutboxEvents', { query }, given),
      /** One of them, with its data. */
      get: (id: string, given?: CallOptions) => run('getOutboxEvent', { path: { id } }, given),
      /** Tries it again, once what it was refused for is mended. */
      retry: (id: string, given?: CallOptions) => run('retryOutboxEvent', { path: { id }, body: {} }, given),
      /** Gives up one that was refused. */
      delete: (id: string, given?: CallOptions) => run('deleteOutboxEvent', { path: { id } }, given),
    },

    apiKeys: {
      /** The answer holds the key, this once. */
      create: (body: Body<'createApiKey'>, given?: CallOptions) => run('createApiKey', { body }, given),
      list: (query?: Query<'listApiKeys'>, given?: CallOptions) => list('listApiKeys', { query }, given),
      revoke: (id: string, given?: CallOptions) => run('revokeApiKey', { path: { id } }, given),
    },

    /** What a text is: any id, a publisher's own id, a business key, a trace id, an idempotency key. */
    search: (q: string, given?: CallOptions) => run('search', { query: { q } }, given),
    /** Who asks, by the key that is used, and what it may. */
    credential: (given?: CallOptions) => run('getCredential', {}, given),
    /** What receivers and publishers need to know of this installation: addresses, limits, the schedule. */
    meta: (given?: CallOptions) => run('getMeta', {}, given),
    /** Whether the process lives. */
    health: (given?: CallOptions) => run('getHealth', {}, given),
    /** Whether the process can work; rejects while it cannot. */
    readiness: (given?: CallOptions) => run('getReadiness', {}, given),

    /** Any operation by its id in the API's document, answered with the status and the headers too. */
    async request<Name extends OperationName>(
      name: Name,
      input: { path?: Input['path']; query?: Query<Name>; body?: Body<Name> } = {},
      given: CallOptions = {},
    ): Promise<FullAnswer<Name>> {
      const { status, headers, body } = await ask(name, input, given)
      return {
        data: body as Output<Name>,
        status,
        headers,
        etag: headers.get('etag') ?? undefined,
        requestId: headers.get('x-request-id') ?? undefined,
        isReplayed: headers.get('idempotent-replayed') === 'true',
      }
    },
  }
}

function meansOf({ apiKey, fetch: send, requestTimeoutMs }: PosthornOptions, surroundings: Surroundings): Means {
  if (apiKey === '') throw invalid('apiKey is empty.')
  return {
    // Called on nothing: browsers refuse their `fetch` when it is called on an object of ours. Theirs is looked up at each call.
    fetch: (url, init) => (send === undefined ? fetch(url, init) : send(url, init)),
    surroundings,
    requestTimeoutMs: checked('requestTimeoutMs', requestTimeoutMs ?? requestTimeoutMsDefault, 1, msMax),
    async authorization() {
      const key = typeof apiKey === 'string' ? apiKey : await apiKey()
      // What a header cannot carry would be quoted, key and all, by the error of `fetch`.
      if (!/^[\x21-\x7e]+$/.test(key)) throw invalid('apiKey must be the text of an API key: letters, digits and "_".')
      return `Bearer ${key}`
    },
  }
}

function withPosition(lastEventId: string | undefined): CallOptions {
  return lastEventId === undefined ? {} : { headers: { 'last-event-id': lastEventId } }
}

/** @throws PosthornError `invalid_argument` */
function limitsOf(given: PosthornOptions | CallOptions, otherwise?: Limits): Limits {
  return {
    signal: 'signal' in given ? given.signal : undefined,
    timeoutMs: checked('timeoutMs', given.timeoutMs ?? otherwise?.timeoutMs ?? timeoutMsDefault, 1, msMax),
    retries: checked('retries', given.retries ?? otherwise?.retries ?? retriesDefault, 0, 100),
  }
}

function checked(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw invalid(`${name} must be a whole number from ${min} to ${max}, and is ${value}.`)
}

/** 128 bits of chance, in a form that any header carries. */
function newKey({ randomBytes }: Surroundings): string {
  return [...randomBytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
