/**
 * How often a credential may ask, and an address without a valid one: `RateLimit` and `RateLimit-Policy` with every
 * answer that is counted (draft-ietf-httpapi-ratelimit-headers-10), and `Retry-After` with the 429.
 *
 * Customers' credentials have one limit, so that one of them cannot take the API from the others; the operator's own have
 * none unless it is set. Counted in this process: with n of them the limit is n times as high.
 */
import rateLimit from '@fastify/rate-limit'
import { Problem } from '@posthorn/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const windowSeconds = 60

/** Requests in a minute; 0 is no limit. */
export type RateLimits = {
  /** Of one credential of the operator. */
  operator: number
  /** Of one credential of a tenant. */
  tenant: number
  /** Of one address, without a valid credential. */
  stranger: number
}

type Policy = keyof RateLimits

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts a request without a valid credential. @throws Problem `rate_limited` */
    countStranger(request: FastifyRequest, reply: FastifyReply): Promise<void>
    /** Counts a request of a credential. @throws Problem `rate_limited` */
    countCredential(request: FastifyRequest, reply: FastifyReply): Promise<void>
  }
}

export const rateLimits = fp<{ rateLimits: RateLimits }>(
  async (app, { rateLimits: limits }) => {
    await app.register(rateLimit, { global: false })
    const stranger = counter(app, 'stranger', limits, ({ ip }) => ip)
    const operator = counter(app, 'operator', limits, ({ credential }) => credential.id)
    const tenant = counter(app, 'tenant', limits, ({ credential }) => credential.id)
    app.decorate('countStranger', stranger)
    app.decorate('countCredential', (request, reply) =>
      (request.credential.tenantId === undefined ? operator : tenant)(request, reply),
    )
  },
  { name: 'rate-limits' },
)

function counter(
  app: FastifyInstance,
  policy: Policy,
  limits: RateLimits,
  keyGenerator: (request: FastifyRequest) => string,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const max = limits[policy]
  if (max === 0) return async () => undefined
  const count = app.createRateLimit({ max, timeWindow: windowSeconds * 1000, keyGenerator })
  return async (request, reply) => {
    const counted = await count(request)
    if (counted.isAllowed) return
    reply.header('ratelimit-policy', `"${policy}";q=${max};w=${windowSeconds}`)
    reply.header('ratelimit', `"${policy}";r=${Math.max(0, counted.remaining)};t=${counted.ttlInSeconds}`)
    if (!counted.isExceeded) return
    throw new Problem(
      'rate_limited',
      `${max} requests in a minute are allowed, and these were more. Ask again in ${counted.ttlInSeconds} s.`,
      { retryAfterSeconds: counted.ttlInSeconds },
    )
  }
}
