/**
 * Reads request bodies: strict UTF-8, JSON, nothing deep and nothing that poisons prototypes. The text is kept beside the
 * parsed value, because published data is passed on byte for byte.
 */
import { limits, Problem, type ProblemPlace } from '@posthorn/contract'
import { apart, jsonFault, poisonousDetail, poisonousMember } from '@posthorn/engine'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came; empty when there was none. */
    bodyText: string
    /** For a route with `bodyItems`: the text of each item, or why it cannot be taken. Such an item is null in the body. */
    bodyItems: readonly (string | Problem)[]
  }
  interface FastifyContextConfig {
    /** The body may be left out, and then counts as `{}`. */
    bodyOptional?: true
    /** The member whose text is kept as it came, of the body or of each of its items: what it gives twice is nobody's loss. */
    textKept?: 'data'
    /** The array of the body whose elements are judged one by one: a bad one does not fail the others. */
    bodyItems?: 'events'
  }
}

/** The second is what RFC 7396 calls the body of a PATCH. */
const mediaTypes = ['application/json', 'application/merge-patch+json']
/** A byte order mark is no JSON (RFC 8259 §8.1), so it is left in for the parser to refuse. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const jsonBody = fp(
  async (app) => {
    app.decorateRequest('bodyText', '')
    app.decorateRequest('bodyItems')
    app.removeAllContentTypeParsers()
    app.addContentTypeParser<Buffer>(
      mediaTypes,
      { parseAs: 'buffer' },
      async (request: FastifyRequest, body: Buffer) => {
        refuseEncodings(request)
        if (body.length === 0) return undefined
        request.bodyText = textOf(body)
        return judged(request, parse(request.bodyText))
      },
    )
    app.addHook('preValidation', async (request) => {
      if (request.body === undefined && request.routeOptions.config.bodyOptional) request.body = {}
    })
  },
  { name: 'json-body' },
)

function refuseEncodings({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') {
    throw new Problem('unsupported_media_type', 'The body is compressed. Send it as it is.')
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new Problem('unsupported_media_type', `The body is in ${charset}. JSON is sent in UTF-8.`)
  }
}

function textOf(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch (error) {
    throw new Problem('invalid_json', 'The body is not valid UTF-8.', { cause: error })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The parser's message quotes the body, which may hold a secret.
    throw new Problem('invalid_json', 'The body is not valid JSON.', { cause: error })
  }
}

/**
 * The body as the route may have it.
 *
 * @throws Problem `invalid_request`
 */
function judged(request: FastifyRequest, body: unknown): unknown {
  const { bodyItems: name, textKept } = request.routeOptions.config
  const parts = name === undefined ? undefined : apart(request.bodyText, name)
  if (name === undefined || parts === undefined) {
    refuseFaults(request.bodyText, body, textKept)
    return body
  }
  // An object, since it has such a member; and as many values as texts, for both were read from one text.
  const whole = body as Record<typeof name, unknown[]>
  refuseFaults(parts.rest, { ...whole, [name]: [] }, undefined)
  request.bodyItems = parts.elements.map((text, index) => faultOf(text, whole[name][index], textKept) ?? text)
  const taken = request.bodyItems.map((item, index) => (item instanceof Problem ? null : whole[name][index]))
  return { ...whole, [name]: taken }
}

function refuseFaults(text: string, value: unknown, kept: string | undefined): void {
  const fault = faultOf(text, value, kept)
  if (fault !== undefined) throw fault
}

/** Why a value cannot be taken for how it is written, whatever it means. */
function faultOf(text: string, value: unknown, kept: string | undefined): Problem | undefined {
  const fault = jsonFault(text, { depthMax: limits.jsonDepthMax, kept })
  if (fault !== undefined) return invalid(fault)
  const poison = poisonousMember(text, value)
  return poison === undefined ? undefined : invalid({ pointer: poison, detail: poisonousDetail })
}

function invalid(place: ProblemPlace): Problem {
  return new Problem('invalid_request', `${place.pointer} ${place.detail}.`, { errors: [place] })
}
