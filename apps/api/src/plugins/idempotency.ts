/**
 * `Idempotency-Key` on every POST: the same key with the same request is answered as the first time, marked with
 * `idempotent-replayed: true`, and does nothing again. Registered in the scope of the protected routes, behind their
 * credentials; a request that was refused before it did anything leaves its key free.
 */
import { limits, Problem, type ProblemCode, type Uuid } from '@posthorn/contract'
import {
  abandonOnce,
  beginOnce,
  endOnce,
  forgetOnce,
  type IdempotencyParts,
  type IdempotencyRecord,
} from '@posthorn/engine'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import { withRefusals } from '../refusals.ts'
import { declareHeaders } from '../route-headers.ts'
import { isDryRun } from './query.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The record of this request, if it came with a key. */
    idempotency: IdempotencyRecord | undefined
    /** The events that this request has published, which its key is found by; undefined where it publishes none. */
    published: readonly Uuid[] | undefined
  }
  interface FastifyContextConfig {
    /** There is nothing that could be done twice, so a repetition is simply answered anew. */
    changesNothing?: true
    /** Making the request again under the same record does nothing twice, so it may be when its answer was lost. */
    repeatable?: true
  }
}

const headerName = 'idempotency-key'
/** The draft writes a string of RFC 8941 in quotes; many clients send the bare text. Both are visible ASCII. */
const form = new RegExp(
  `^(?:"([\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e]{1,${limits.idempotencyKeyLengthMax}})"|([\\x21\\x23-\\x7e]{1,${limits.idempotencyKeyLengthMax}}))$`,
)
/** Headers that belong to the answer itself. */
const keptHeaders = ['content-type', 'etag', 'location'] as const

const refusalCodes = ['idempotency_key_in_use', 'idempotency_outcome_unknown', 'idempotency_key_reused'] as const

const IdempotencyHeaders = Type.Object({
  [headerName]: Type.Optional(
    Type.String({
      description: `A text of your own for this request, such as a UUID. Sent again with it within ${limits.idempotencyKeyHours} hours, the request is answered as the first time and does nothing.`,
      examples: ['8e03978e-40d5-43dd-bc93-6894a57f9324'],
    }),
  ),
})

export const idempotency = fp<IdempotencyParts>(
  async (app, parts) => {
    app.decorateRequest('idempotency', undefined)
    app.decorateRequest('published', undefined)
    app.addHook('onRoute', (route) => {
      if (route.method !== 'POST' || route.config?.changesNothing) return
      declareHeaders(route, IdempotencyHeaders)
      route.schema = { ...route.schema, response: withRefusals(route.schema?.response, ...refusalCodes) }
    })

    app.addHook('preHandler', async (request, reply) => {
      const given = request.headers[headerName]
      if (given === undefined || request.method !== 'POST' || isDryRun(request)) return
      // Its answer may hold what an event holds, and is kept nowhere.
      if (request.routeOptions.config.changesNothing) return
      const begun = await beginOnce(parts, {
        owner: request.credential.id,
        key: keyOf(given),
        tenantId: request.credential.tenantId,
        // Every route has one; a rule of the document.
        operation: request.routeOptions.schema?.operationId ?? '',
        method: request.method,
        url: request.url,
        body: request.bodyText,
        repeatable: request.routeOptions.config.repeatable ?? false,
      })
      if ('record' in begun) {
        request.idempotency = begun.record
        return
      }
      const { status, headers, body } = begun.answer
      reply.code(status).headers(headers).header('idempotent-replayed', 'true')
      return reply.send(body)
    })

    app.addHook('onSend', async (request, reply, payload) => {
      const record = request.idempotency
      if (record === undefined) return payload
      request.idempotency = undefined
      try {
        await end(parts, record, reply, payload)
      } catch (error) {
        // What the request did is done, and its answer goes out. Whoever repeats it is told that the outcome is unknown.
        request.log.warn({ err: error }, 'the answer to an idempotency key could not be kept')
      }
      return payload
    })
  },
  { name: 'idempotency' },
)

async function end(
  parts: IdempotencyParts,
  record: IdempotencyRecord,
  reply: FastifyReply,
  payload: unknown,
): Promise<void> {
  const status = reply.statusCode
  if (status >= 500 && !isUntouched(payload)) return abandonOnce(parts, record)
  if (status >= 400) return forgetOnce(parts, record)
  const headers = keptHeaders.flatMap((name) => {
    const value = reply.getHeader(name)
    return value === undefined ? [] : [[name, String(value)] as const]
  })
  const answer = { status, headers: Object.fromEntries(headers), body: textOf(payload) }
  await endOnce(parts, record, answer, reply.request.published)
}

/** `overloaded` is said before anything is done, so it leaves the key free as a refusal does. */
function isUntouched(payload: unknown): boolean {
  try {
    return Object(JSON.parse(textOf(payload))).code === ('overloaded' satisfies ProblemCode)
  } catch {
    return false
  }
}

/** Answers to POST are texts; nothing streams. */
function textOf(payload: unknown): string {
  return typeof payload === 'string' ? payload : Buffer.isBuffer(payload) ? payload.toString() : ''
}

function keyOf(given: string | string[]): string {
  const [, quoted, bare] = (typeof given === 'string' && form.exec(given)) || []
  const key = quoted ?? bare
  if (key !== undefined) return key
  const detail = `must be one text of 1 to ${limits.idempotencyKeyLengthMax} visible ASCII characters, such as a UUID`
  throw new Problem('invalid_request', `The header idempotency-key ${detail}.`)
}
