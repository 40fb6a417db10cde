/**
 * What is not even HTTP never reaches a route. It is answered on the bare socket, in the same form as everything else.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, problemBody } from '@posthorn/contract'
import type { World } from '@posthorn/engine'
import type { Links } from '../parts.ts'
import { problemMediaType } from './problems.ts'
import { newRequestId } from './request-id.ts'

/** Fastify's `clientErrorHandler`. */
export function malformedHttp(world: World, links: Links): (error: Error & { code?: string }, socket: Socket) => void {
  return (error, socket) => {
    // Nobody is there to read an answer.
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const requestId = newRequestId(world)
    const problem = problemFor(error.code)
    const body = JSON.stringify(problemBody(problem, { requestId, docsUrl: links.errorsUrl }))
    socket.end(
      [
        `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
        `content-type: ${problemMediaType}`,
        `content-length: ${Buffer.byteLength(body)}`,
        `x-request-id: ${requestId}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    )
  }
}

/** By Node's codes for what its HTTP parser and its timers complain about. */
function problemFor(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('headers_too_large', 'The request line and headers are too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('request_timeout', 'The request took too long to arrive.')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem('body_too_large', 'The chunks of the body carry too many extensions.')
    default:
      return new Problem('malformed_request', 'The request is not well-formed HTTP/1.1.')
  }
}
