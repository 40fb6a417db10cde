/**
 * Headers that a subscription, or the publisher of an event, adds to requests: what may be named and said. Both are held
 * to the same rules, and where both name the same header that of the subscription is sent.
 */
import { limits, Problem, type ProblemPlace } from '@posthorn/contract'

/** Stands in place of a value that its reader may not see. */
export const redacted = '[redacted]'

/** RFC 9110 §5.6.2, a token. */
const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 §5.5 without obs-text: printable ASCII, spaces and tabs only inside. No CR, LF or NUL anywhere. */
const valueForm = /^(?:[!-~](?:[\t -~]*[!-~])?)?$/

/** Headers that frame or route the request, carry the receiver's trust, or are ours. */
const reserved = new Set([
  'host', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect', 'cookie', 'cookie2',
  'authorization', 'forwarded', 'user-agent', 'via', 'http2-settings',
]) // biome-ignore format: one list
const reservedPrefixes = ['content-', 'proxy-', 'sec-', 'x-forwarded-', 'webhook-', 'posthorn-', 'ce-']

/**
 * Reads the headers of a subscription or of an event. Names come back in lower case.
 *
 * @throws Problem `invalid_header` naming each header that cannot be set
 */
export function customHeaders(given: Readonly<Record<string, string>>): Record<string, string> {
  const faults: ProblemPlace[] = []
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(given)) {
    const fault = faultOf(name, value) ?? (headers.has(name.toLowerCase()) ? 'is given twice' : undefined)
    if (fault !== undefined) faults.push({ pointer: `/headers/${escaped(name)}`, detail: fault })
    headers.set(name.toLowerCase(), value)
  }
  if (headers.size > limits.customHeadersMax) {
    faults.push({ pointer: '/headers', detail: `has more than ${limits.customHeadersMax} headers` })
  }
  const [first] = faults
  if (first !== undefined) {
    throw new Problem('invalid_header', `${first.pointer.slice(1)} ${first.detail}.`, {
      errors: faults.slice(0, limits.customHeadersMax),
    })
  }
  return Object.fromEntries(headers)
}

/** Custom headers may carry credentials under a name of the customer's choice; such names sound like it. */
const credentialName =
  /authorization|cookie|token|secret|signature|passw|credential|session|api-?key|(^|[-_])(auth|key|pwd)([-_]|$)/

/** Whether the header may carry a credential, as far as its name, in lower case, says. */
export function soundsLikeCredential(name: string): boolean {
  return credentialName.test(name)
}

/** Why a header of this name cannot be set; undefined when it can. */
export function headerNameFault(name: string): string | undefined {
  if (name.length > limits.nameLengthMax) return `has a name of more than ${limits.nameLengthMax} characters`
  if (!nameForm.test(name)) return 'is not the name of a header'
  const lower = name.toLowerCase()
  if (lower === 'authorization') return 'is reserved: credentials go into `auth` of the subscription'
  if (reserved.has(lower) || reservedPrefixes.some((prefix) => lower.startsWith(prefix))) {
    return 'is reserved: it belongs to HTTP or to Posthorn'
  }
  return undefined
}

function faultOf(name: string, value: string): string | undefined {
  const fault = headerNameFault(name)
  if (fault !== undefined) return fault
  if (value.length > limits.customHeaderValueLengthMax) {
    return `is longer than ${limits.customHeaderValueLengthMax} characters`
  }
  if (value === redacted)
    return `is ${redacted}, which stands for a value that is not shown; leave the header out to keep it`
  return valueForm.test(value) ? undefined : 'may hold printable ASCII only, with no space at either end'
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
