/**
 * Reads request bodies: strict UTF-8, JSON, nothing deep and nothing that poisons prototypes. The text is kept beside the
 * parsed value, because published data is passed on byte for byte.
 */
import { limits, Problem } from '@posthorn/contract'
import { nestsDeeperThan, poisonousDetail, poisonousMember } from '@posthorn/engine'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came; empty when there was none. */
    bodyText: string
  }
  interface FastifyContextConfig {
    /** The body may be left out, and then counts as `{}`. */
    bodyOptional?: true
  }
}

/** The second is what RFC 7396 calls the body of a PATCH. */
const mediaTypes = ['application/json', 'application/merge-patch+json']
/** A byte order mark is no JSON (RFC 8259 §8.1), so it is left in for the parser to refuse. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const jsonBody = fp(
  async (app) => {
    app.decorateRequest('bodyText', '')
    app.removeAllContentTypeParsers()
    app.addContentTypeParser<Buffer>(
      mediaTypes,
      { parseAs: 'buffer' },
      async (request: FastifyRequest, body: Buffer) => {
        refuseEncodings(request)
        if (body.length === 0) return undefined
        request.bodyText = textOf(body)
        return parse(request.bodyText)
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
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // The parser's message quotes the body, which may hold a secret.
    throw new Problem('invalid_json', 'The body is not valid JSON.', { cause: error })
  }
  if (nestsDeeperThan(text, limits.jsonDepthMax)) {
    const detail = `is nested deeper than ${limits.jsonDepthMax} levels`
    throw new Problem('invalid_request', `The body ${detail}.`, { errors: [{ pointer: '', detail }] })
  }
  const poison = poisonousMember(text, value)
  if (poison !== undefined) {
    throw new Problem('invalid_request', `${poison} ${poisonousDetail}.`, {
      errors: [{ pointer: poison, detail: poisonousDetail }],
    })
  }
  return value
}
