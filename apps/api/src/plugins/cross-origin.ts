/**
 * Pages of other origins may call the API from the browser, if the operator has named them: a console or a portal of the
 * operator's own, with a portal session's token. Without any named, nothing here exists.
 *
 * Nothing is known about a browser's user by this: there are no cookies, and a call is what its token is. A preflight is
 * answered before anything looks for a token, because browsers send none with it.
 */
import cors from '@fastify/cors'
import fp from 'fastify-plugin'

/** What the SDK and hand-written callers send. */
const requestHeaders = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'traceparent',
  'x-audit-reason',
  'x-request-id',
]
/** What a page may read of an answer beside its body. */
const answerHeaders = [
  'allow',
  'etag',
  'idempotent-replayed',
  'link',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-request-id',
]
/** How long a browser need not ask again; more than this none remembers. */
const rememberedSeconds = 7_200

export const crossOrigin = fp<{ origins: readonly string[] }>(
  async (app, { origins }) => {
    if (origins.length === 0) return
    const known = new Set(origins)
    await app.register(cors, {
      // Any other origin, and none, is answered as if there were no such thing as CORS.
      origin: (origin, answer) => answer(null, origin !== undefined && known.has(origin)),
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: requestHeaders,
      exposedHeaders: answerHeaders,
      maxAge: rememberedSeconds,
      // Its refusal of what is no preflight is no problem document; ours is.
      strictPreflight: false,
    })
  },
  { name: 'cross-origin' },
)
