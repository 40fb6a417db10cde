/**
 * Why an attempt failed, in one closed list of codes and one sentence for the receiver's developer.
 *
 * Errors are recognised by their class or by `code` along the chain of causes, outermost first, and never by wording.
 * A sentence says what happened and what to do, and holds no address: it is shown to tenants.
 *
 * `internal_error` means that **we** failed and the receiver is not to blame: this machine has run out of sockets or
 * ports, or an error has no code that we know. An unknown error of the operating system (it has a `syscall`) is not
 * ours; there the phase decides. Mistakes in calling the HTTP client are none of these: they are thrown (`isOwnMistake`).
 */
import type { FailureCode } from '@posthorn/contract'
import { errors } from 'undici'

export type Failure = { readonly code: FailureCode; readonly detail: string }

/**
 * What was being done: resolving the host, reaching the egress proxy, waiting for its tunnel, the TCP connect, the TLS
 * handshake, or waiting for the answer.
 */
export type Phase = 'dns' | 'proxy' | 'tunnel' | 'connect' | 'tls' | 'response'

/** A failure to get a connection, or of one that we ended, that we found out ourselves. The message is the sentence for people. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly code: FailureCode

  constructor({ code, detail }: Failure) {
    super(detail)
    this.code = code
  }
}

const refused =
  'The receiver refused the connection. Check that a server listens on the host and port of the callback URL.'
const unreachable = 'The receiver could not be reached over the network. Check its firewall and its DNS records.'
const reset = 'The receiver closed the connection before it had answered. Check the logs of the server or of its proxy.'
const malformed = 'The answer of the receiver is not valid HTTP/1.1. Check what serves this URL.'
const connectTimedOut =
  'The receiver did not accept the connection in time. Check its firewall, and that it is running.'
const noTls =
  'The TLS handshake failed. The receiver must speak TLS 1.2 or later, and HTTP/1.1, on this port. If it wants a client certificate, set tls.client_certificate.'
const untrusted =
  'The TLS certificate of the receiver is not trusted. Use one of a public authority, or give its own in tls.ca_certificates, and send the intermediate certificates too.'
const wrongHost =
  'The TLS certificate of the receiver is for another host. Use one that names the host of the callback URL.'
const expired = 'The TLS certificate of the receiver has expired. Renew it.'
const notYetValid = 'The TLS certificate of the receiver is not valid yet. Check its dates.'
const badClientCertificate =
  'The receiver wants a client certificate, or does not accept the one it was shown. Check tls.client_certificate of the subscription, and the authority that the receiver expects.'
const noProxy = 'The egress proxy of this installation did not answer in time. The receiver is not at fault.'
const exhausted = 'Posthorn itself could not open a connection. The receiver is not at fault.'

type CodeAndSentence = readonly [FailureCode, string]

const failureByErrorCode: Readonly<Record<string, CodeAndSentence>> = {
  ECONNREFUSED: ['connect_refused', refused],
  // A firewall of this machine or a route that says no: nobody there accepts the connection.
  EACCES: ['connect_refused', unreachable],
  EPERM: ['connect_refused', unreachable],
  EHOSTDOWN: ['connect_refused', unreachable],
  EHOSTUNREACH: ['connect_refused', unreachable],
  ENETDOWN: ['connect_refused', unreachable],
  ENETUNREACH: ['connect_refused', unreachable],
  ETIMEDOUT: ['connect_timeout', connectTimedOut],
  UND_ERR_CONNECT_TIMEOUT: ['connect_timeout', connectTimedOut],

  ECONNRESET: ['connection_reset', reset],
  ECONNABORTED: ['connection_reset', reset],
  EPIPE: ['connection_reset', reset],
  UND_ERR_SOCKET: ['connection_reset', reset],

  CERT_HAS_EXPIRED: ['tls_expired', expired],
  CERT_NOT_YET_VALID: ['tls_untrusted', notYetValid],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls_untrusted', wrongHost],
  HOSTNAME_MISMATCH: ['tls_untrusted', wrongHost],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['tls_untrusted', untrusted],
  SELF_SIGNED_CERT_IN_CHAIN: ['tls_untrusted', untrusted],
  UNABLE_TO_GET_ISSUER_CERT: ['tls_untrusted', untrusted],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['tls_untrusted', untrusted],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['tls_untrusted', untrusted],
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: ['tls_untrusted', untrusted],
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: ['tls_untrusted', untrusted],
  ERROR_IN_CERT_NOT_AFTER_FIELD: ['tls_untrusted', untrusted],
  ERROR_IN_CERT_NOT_BEFORE_FIELD: ['tls_untrusted', untrusted],
  CERT_CHAIN_TOO_LONG: ['tls_untrusted', untrusted],
  CERT_REJECTED: ['tls_untrusted', untrusted],
  CERT_REVOKED: ['tls_untrusted', untrusted],
  CERT_SIGNATURE_FAILURE: ['tls_untrusted', untrusted],
  CERT_UNTRUSTED: ['tls_untrusted', untrusted],
  INVALID_CA: ['tls_untrusted', untrusted],
  INVALID_PURPOSE: ['tls_untrusted', untrusted],
  PATH_LENGTH_EXCEEDED: ['tls_untrusted', untrusted],
  // Node's word for every other verdict of OpenSSL on a certificate.
  UNSPECIFIED: ['tls_untrusted', untrusted],
  EPROTO: ['tls_error', noTls],
  // Alerts (RFC 8446 §6.2) that only a server sends which has asked for a certificate.
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: ['tls_error', badClientCertificate],
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: ['tls_error', badClientCertificate],
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: ['tls_error', badClientCertificate],
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: ['tls_error', badClientCertificate],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: ['tls_error', badClientCertificate],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: ['tls_error', badClientCertificate],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: ['tls_error', badClientCertificate],

  UND_ERR_HEADERS_OVERFLOW: [
    'response_malformed',
    'The headers of the answer are longer than 16 KiB. Send fewer or shorter ones.',
  ],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['response_malformed', malformed],

  // No local port is left, or this machine has no address of that family.
  EADDRNOTAVAIL: ['internal_error', exhausted],
  EMFILE: ['internal_error', exhausted],
  ENFILE: ['internal_error', exhausted],
  ENOBUFS: ['internal_error', exhausted],
  ENOMEM: ['internal_error', exhausted],
}

/** Codes that come in families: every alert of OpenSSL, every verdict of the parser llhttp. */
const failureByErrorCodePrefix: readonly { prefix: string; failure: CodeAndSentence }[] = [
  { prefix: 'ERR_SSL_', failure: ['tls_error', noTls] },
  { prefix: 'ERR_TLS_', failure: ['tls_error', noTls] },
  { prefix: 'HPE_', failure: ['response_malformed', malformed] },
]

const failureOfPhase: Readonly<Record<Phase, Failure>> = {
  dns: {
    code: 'dns_not_found',
    detail: 'The host name could not be resolved. Check its spelling and its DNS records.',
  },
  proxy: { code: 'egress_proxy_failed', detail: noProxy },
  tunnel: { code: 'egress_proxy_failed', detail: noProxy },
  connect: { code: 'connect_refused', detail: unreachable },
  tls: { code: 'tls_error', detail: noTls },
  response: { code: 'connection_reset', detail: reset },
}

/** Codes of errors that only a wrong call or a use after `close` brings about. */
const ownMistakeCodes: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
])

/** Codes of a connection that the other side has closed, as a kept-alive one may be at any moment. */
const closedCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** A chain of causes could be a ring. */
const causesMax = 8

/** The failure behind an error that ended an attempt before the head of an answer was there. */
export function failureOfError(error: unknown, phase: Phase): Failure {
  let bySystem = false
  for (const cause of causesOf(error)) {
    if (cause instanceof ConnectError) return { code: cause.code, detail: cause.message }
    // Undici leaves the code of its parser's errors undefined.
    if (cause instanceof errors.HTTPParserError) return malformedResponse
    const errorCode = codeOf(cause)
    const known =
      failureByErrorCode[errorCode] ??
      failureByErrorCodePrefix.find(({ prefix }) => errorCode.startsWith(prefix))?.failure
    if (known !== undefined) return { code: known[0], detail: known[1] }
    bySystem ||= 'syscall' in cause
  }
  return bySystem ? failureOfPhase[phase] : unclassified
}

/** What an attempt failed of when its time, or the time for connecting, ran out. */
export function failureOfDeadline(phase: Phase, limitMs: number): Failure {
  const limit = `${limitMs / 1000} s`
  switch (phase) {
    case 'dns':
      return {
        code: 'dns_not_found',
        detail: `The host name was not resolved within ${limit}. Check its name servers.`,
      }
    case 'proxy':
      return { code: 'egress_proxy_failed', detail: `${noProxy} The limit was ${limit}.` }
    case 'tunnel':
    case 'connect':
      return { code: 'connect_timeout', detail: `${connectTimedOut} The limit was ${limit}.` }
    case 'tls':
      return { code: 'connect_timeout', detail: `The receiver did not finish the TLS handshake within ${limit}.` }
    case 'response':
      return {
        code: 'response_timeout',
        detail: `The receiver did not answer within ${limit}. Answer first, and process the event afterwards.`,
      }
  }
}

/** What a final status (200 and above) means, `null` for success. The head of an answer decides, whatever its body does. */
export function failureOfStatus(status: number): Failure | null {
  if (status < 300) return null
  if (status < 400) {
    return {
      code: 'http_3xx',
      detail: `The receiver answered ${status}. Redirects are not followed: set the final URL.`,
    }
  }
  if (status === 410) {
    return { code: 'http_410', detail: 'The receiver answered 410: this URL wants no more events.' }
  }
  if (status === 429) {
    return { code: 'http_429', detail: 'The receiver answered 429: it gets more requests than it accepts.' }
  }
  if (status < 500) {
    return { code: 'http_4xx', detail: `The receiver answered ${status}: it does not accept this request.` }
  }
  if (status < 600) {
    return { code: 'http_5xx', detail: `The receiver answered ${status}: it failed while handling the event.` }
  }
  return { code: 'response_malformed', detail: `The receiver answered ${status}, which is no status of HTTP.` }
}

/** An answer that is not valid HTTP, or not one to this request (such as 101 Switching Protocols). */
export const malformedResponse: Failure = { code: 'response_malformed', detail: malformed }

/** The attempt was given up by us, at a shutdown or because its lease had run out. */
export const abortedAttempt: Failure = {
  code: 'aborted',
  detail: 'Posthorn gave up this attempt before there was an answer. The receiver may have got it.',
}

const unclassified: Failure = {
  code: 'internal_error',
  detail: 'Posthorn could not tell why this attempt failed. The receiver is probably not at fault.',
}

/** Whether an error can only come from calling the HTTP client wrongly, or from using it after it was closed. */
export function isOwnMistake(error: unknown): boolean {
  return ownMistakeCodes.has(codeOf(error))
}

/** Whether an error says no more than that the other side has closed the connection. */
export function isClosedByPeer(error: unknown): boolean {
  return closedCodes.has(codeOf(error))
}

function* causesOf(error: unknown): Generator<Error> {
  let cause = error
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth += 1) {
    yield cause
    cause = cause.cause
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
