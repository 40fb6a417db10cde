import { failureCodes } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { ConnectError, failureOfDeadline, failureOfError, failureOfStatus, type Phase } from './failure-codes.ts'

function errorWith(code: string, more: object = {}): Error {
  return Object.assign(new Error('words that say nothing'), { code, ...more })
}

describe('the failure behind an error', () => {
  test.each([
    ['ECONNREFUSED', 'connect_refused'],
    ['EHOSTUNREACH', 'connect_refused'],
    ['ETIMEDOUT', 'connect_timeout'],
    ['ECONNRESET', 'connection_reset'],
    ['EPIPE', 'connection_reset'],
    ['UND_ERR_SOCKET', 'connection_reset'],
    ['CERT_HAS_EXPIRED', 'tls_expired'],
    ['CERT_NOT_YET_VALID', 'tls_untrusted'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_untrusted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_untrusted'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_error'],
    ['EPROTO', 'tls_error'],
    ['HPE_INVALID_CONSTANT', 'response_malformed'],
    ['UND_ERR_HEADERS_OVERFLOW', 'response_malformed'],
    ['EMFILE', 'internal_error'],
    ['EADDRNOTAVAIL', 'internal_error'],
  ])('%s is %s', (errorCode, code) => {
    expect(failureOfError(errorWith(errorCode), 'connect').code).toBe(code)
  })

  test('is found in the causes, and the outermost counts', () => {
    const inner = errorWith('ECONNREFUSED')
    expect(failureOfError(new Error('outer', { cause: inner }), 'connect').code).toBe('connect_refused')
    const outer = new ConnectError({ code: 'dns_not_found', detail: 'No such host.' })
    expect(failureOfError(Object.assign(outer, { cause: inner }), 'connect')).toEqual({
      code: 'dns_not_found',
      detail: 'No such host.',
    })
  })

  test('is never read out of the words', () => {
    expect(failureOfError(new Error('connect ECONNREFUSED 10.0.0.1:443'), 'connect').code).toBe('internal_error')
  })

  test.each<[Phase, string]>([
    ['dns', 'dns_not_found'],
    ['connect', 'connect_refused'],
    ['tls', 'tls_error'],
    ['response', 'connection_reset'],
  ])('while in %s, an error of the operating system that we do not know is %s', (phase, code) => {
    expect(failureOfError(errorWith('EWHATEVER', { syscall: 'read' }), phase).code).toBe(code)
  })

  test('is ours when the error is unknown, is no error, or goes in circles', () => {
    const circular = new Error('a')
    circular.cause = circular
    for (const error of [errorWith('ERR_ASSERTION'), new TypeError('a mistake'), 'text', undefined, circular]) {
      expect(failureOfError(error, 'response').code).toBe('internal_error')
    }
  })
})

describe('the failure behind a status', () => {
  test('is one of the closed list for every status, and none exactly for the 2xx', () => {
    for (let status = 200; status < 1000; status += 1) {
      const failure = failureOfStatus(status)
      expect([status, failure === null]).toEqual([status, status < 300])
      if (failure !== null) expect(failureCodes).toContain(failure.code)
    }
  })
})

describe('a deadline', () => {
  test('names the limit in seconds', () => {
    expect(failureOfDeadline('response', 15_000).detail).toContain('15 s')
    expect(failureOfDeadline('connect', 300).detail).toContain('0.3 s')
  })
})
