/**
 * The HTTP API, as a function of its parts. Production and tests build it here and nowhere else, with every option of
 * the framework inside, so the tested API is the shipped one.
 */
import { limits } from '@posthorn/contract'
import {
  type AddressPolicy,
  createAuthenticate,
  createMetrics,
  createUrlCheck,
  type Database,
  disableAfterHoursDefault,
  eventOrigin,
  type Jobs,
  type Publisher,
  type ReadinessCheck,
  type Resolve,
  readinessChecks,
  registerAdminKey,
  type Seal,
  type Transforms,
  type World,
} from '@posthorn/engine'
import { type Branding, brandingDefault } from '@posthorn/event-docs'
import { createSchemas } from '@posthorn/json-schema'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { Links, RouteParts } from './parts.ts'
import { audit } from './plugins/audit.ts'
import { authentication } from './plugins/authentication.ts'
import { crossOrigin } from './plugins/cross-origin.ts'
import { errorDocs, errorDocsPath } from './plugins/error-docs.ts'
import { etags } from './plugins/etags.ts'
import { eventDocs, eventDocsPath } from './plugins/event-docs.ts'
import { idempotency } from './plugins/idempotency.ts'
import { jsonBody } from './plugins/json-body.ts'
import { knownRoutes } from './plugins/known-routes.ts'
import { malformedHttp } from './plugins/malformed-http.ts'
import { openapi } from './plugins/openapi.ts'
import { problemOf, problems, sendProblem } from './plugins/problems.ts'
import { query } from './plugins/query.ts'
import { type RateLimits, rateLimits } from './plugins/rate-limits.ts'
import { referenceDocs } from './plugins/reference-docs.ts'
import { requestId, requestIdOf } from './plugins/request-id.ts'
import { requestLog } from './plugins/request-log.ts'
import { wellFormedHttp } from './plugins/well-formed-http.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { auditRoutes } from './routes/audit.ts'
import { credentialRoutes } from './routes/credential.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { deliveryCurlRoutes } from './routes/delivery-curl.ts'
import { deliveryMetricRoutes } from './routes/delivery-metrics.ts'
import { erasureRoutes } from './routes/erasures.ts'
import { eventMatchRoutes } from './routes/event-matches.ts'
import { eventTypeRoutes } from './routes/event-types.ts'
import { eventRoutes } from './routes/events.ts'
import { healthRoutes } from './routes/health.ts'
import { metaRoutes } from './routes/meta.ts'
import { metricRoutes } from './routes/metrics.ts'
import { observationRoutes } from './routes/observations.ts'
import { outboxEventRoutes } from './routes/outbox-events.ts'
import { portalSessionRoutes } from './routes/portal-sessions.ts'
import { publicKeyRoutes } from './routes/public-keys.ts'
import { receiverCheckRoutes } from './routes/receiver-checks.ts'
import { replayRoutes } from './routes/replays.ts'
import { searchRoutes } from './routes/search.ts'
import { secretRoutes } from './routes/secrets.ts'
import { signatureCheckRoutes } from './routes/signature-checks.ts'
import { streamRoutes } from './routes/stream.ts'
import { subscriptionTestRoutes } from './routes/subscription-tests.ts'
import { subscriptionRoutes } from './routes/subscriptions.ts'
import { tenantRoutes } from './routes/tenants.ts'
import { transformPreviewRoutes } from './routes/transform-previews.ts'
import { buildSerializer } from './serializers.ts'

/** A request must have arrived within this time, its headers within the next, in milliseconds. */
const requestMsMax = 30_000
const headersMsMax = 15_000
/** A connection without any traffic ends after this time; one between two requests after the next. */
const silentConnectionMsMax = 60_000
const idleConnectionMsMax = 72_000
const headersBytesMax = 16 * 1024
/** Ids in paths are 128 characters at the most, escaped three times as many. */
const pathPartLengthMax = 512

export type ApiParts = {
  db: Database
  world: World
  jobs: Jobs
  /** They seal the secrets that are made here, and open those that are shown. */
  seal: Seal
  publisher: Publisher
  /** They check transforms and show what they make. */
  transforms: Transforms
  /** Told which shards have work that did not come by publishing. */
  onWork(shards: readonly number[]): void
  /** What callback URLs may be. */
  policy: AddressPolicy
  resolve: Resolve
  logger: FastifyBaseLogger | false
  settings: {
    POSTHORN_PUBLIC_URL?: string | undefined
    POSTHORN_ADMIN_KEY?: string | undefined
    POSTHORN_CLOUDEVENTS_SOURCE?: string | undefined
    POSTHORN_DISABLE_AFTER_HOURS?: number
    POSTHORN_CORS_ORIGINS?: readonly string[]
    POSTHORN_EGRESS_IPS?: readonly string[]
    POSTHORN_EVENT_DOCS?: boolean
    POSTHORN_EVENT_DOCS_BRANDING?: Branding | undefined
    POSTHORN_REQUESTS_PER_MINUTE?: number
    POSTHORN_TENANT_REQUESTS_PER_MINUTE?: number
    POSTHORN_STRANGER_REQUESTS_PER_MINUTE?: number
  }
  /** What `/metrics` answers; of this process alone when left out. */
  metrics?: RouteParts['metrics']
  /** See `RouteParts`. */
  heartbeatMs?: number
  /** In place of the usual checks. */
  readiness?: readonly ReadinessCheck[]
}

/** Builds the API, ready to be asked. Disposing it closes its connections; its parts stay open. */
export async function buildApi(parts: ApiParts): Promise<FastifyInstance> {
  const { db, world, settings } = parts
  if (settings.POSTHORN_ADMIN_KEY !== undefined) await registerAdminKey({ db, world }, settings.POSTHORN_ADMIN_KEY)
  const publicUrl = settings.POSTHORN_PUBLIC_URL ?? ''
  const hasEventDocs = settings.POSTHORN_EVENT_DOCS ?? true
  const links: Links = {
    publicUrl,
    errorsUrl: publicUrl + errorDocsPath,
    eventDocsUrl: hasEventDocs ? publicUrl + eventDocsPath : null,
  }
  const routeParts: RouteParts = {
    ...parts,
    schemas: createSchemas(),
    checkUrl: createUrlCheck(parts.policy, parts.resolve),
    authenticate: createAuthenticate(db),
    metrics: parts.metrics ?? createMetrics(db),
    readiness: parts.readiness ?? readinessChecks({ db, world }),
    links,
    origin: eventOrigin(settings),
    egressAddresses: settings.POSTHORN_EGRESS_IPS ?? [],
    disableAfterMs: (settings.POSTHORN_DISABLE_AFTER_HOURS ?? disableAfterHoursDefault) * 3_600_000,
  }
  const app = createServer(parts, links)

  await app.register(requestId)
  await app.register(requestLog)
  await app.register(problems, { links })
  await app.register(wellFormedHttp)
  // Before the routes are known: what it answers to is no path of the API.
  await app.register(crossOrigin, { origins: settings.POSTHORN_CORS_ORIGINS ?? [] })
  await app.register(knownRoutes)
  await app.register(jsonBody)
  await app.register(query)
  await app.register(openapi)

  await app.register(healthRoutes, routeParts)
  await app.register(metricRoutes, routeParts)
  await app.register(errorDocs)
  await app.register(referenceDocs)
  if (hasEventDocs)
    await app.register(eventDocs, {
      parts: routeParts,
      branding: settings.POSTHORN_EVENT_DOCS_BRANDING ?? brandingDefault,
    })
  await app.register(metaRoutes, { ...routeParts, prefix: '/v1' })
  await app.register(publicKeyRoutes, { ...routeParts, prefix: '/v1' })
  await app.register(
    async (v1) => {
      await v1.register(rateLimits, { rateLimits: rateLimitsOf(settings) })
      await v1.register(authentication, routeParts)
      await v1.register(idempotency, routeParts)
      await v1.register(etags)
      await v1.register(audit, routeParts)
      for (const routes of [
        tenantRoutes,
        eventTypeRoutes,
        observationRoutes,
        subscriptionRoutes,
        secretRoutes,
        signatureCheckRoutes,
        subscriptionTestRoutes,
        receiverCheckRoutes,
        transformPreviewRoutes,
        eventRoutes,
        eventMatchRoutes,
        deliveryRoutes,
        outboxEventRoutes,
        replayRoutes,
        deliveryMetricRoutes,
        streamRoutes,
        searchRoutes,
        deliveryCurlRoutes,
        apiKeyRoutes,
        portalSessionRoutes,
        credentialRoutes,
        auditRoutes,
        erasureRoutes,
      ]) {
        await v1.register(routes, routeParts)
      }
    },
    { prefix: '/v1' },
  )
  await app.ready()
  return app
}

/** No limit where nothing is set: `apiSettings` has the defaults. */
function rateLimitsOf(settings: ApiParts['settings']): RateLimits {
  return {
    operator: settings.POSTHORN_REQUESTS_PER_MINUTE ?? 0,
    tenant: settings.POSTHORN_TENANT_REQUESTS_PER_MINUTE ?? 0,
    stranger: settings.POSTHORN_STRANGER_REQUESTS_PER_MINUTE ?? 0,
  }
}

function createServer({ world, logger }: ApiParts, links: Links): FastifyInstance {
  return Fastify({
    ...(logger === false ? { logger: false } : { loggerInstance: logger }),
    // Our own line says the route and not the URL.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIdOf(world),
    bodyLimit: limits.requestBodyBytesMax,
    requestTimeout: requestMsMax,
    connectionTimeout: silentConnectionMsMax,
    keepAliveTimeout: idleConnectionMsMax,
    routerOptions: { maxParamLength: pathPartLengthMax },
    forceCloseConnections: 'idle',
    // A stopping process still answers what has arrived; the framework's own 503 would not have our form.
    return503OnClosing: false,
    // Without a Host header Node would answer by itself; `well-formed-http.ts` asks for it.
    http: { maxHeaderSize: headersBytesMax, headersTimeout: headersMsMax, requireHostHeader: false },
    schemaController: { compilersFactory: { buildSerializer } },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        allErrors: true,
        allowUnionTypes: true,
        discriminator: true,
        // Errors bring their schema along: what would have been right is read from it.
        verbose: true,
      },
    },
    clientErrorHandler: malformedHttp(world, links),
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id)
      sendProblem(reply, problemOf(error), links)
    },
  })
}
