/**
 * Why a signature does not fit: every usual mistake is made on purpose, and the one that makes the signature fit is the
 * cause. Pure; nothing that it answers with holds a secret, a signature or a body.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonical, type SignatureCause } from '@posthorn/contract'
import { type PublicKey, parsePublicKey, parseSecret, verify, WebhookVerificationError } from '@posthorn/signing'

/** A secret of the scheme `v1`. */
export type CheckedSecret = { key: Uint8Array; subscriptionId: string; isCurrent: boolean; isOther: boolean }

export type CheckedRequest = {
  headers: Readonly<Record<string, string>>
  body: string
  receivedAt: Date
  secrets: readonly CheckedSecret[]
  /** `whpk_…`, those that are valid. */
  publicKeys: readonly string[]
  /** What was really sent under this id to this subscription; null when that is not known. */
  sent: { body: string | null; timestamps: readonly string[] } | null
}

export type Diagnosis = {
  authentic: boolean
  cause: SignatureCause | null
  detail: string
  subscriptionId: string | null
}

const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const
const toleranceSeconds = 300
/** Longer than any clock is wrong: the time is judged by itself. */
const anyAgeSeconds = 100_000_000_000

/** What a receiver's check of the whole request comes to, and why. */
export function diagnose(request: CheckedRequest): Diagnosis {
  const given = new Map(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]))
  for (const name of names) {
    if ((given.get(name) ?? '') !== '') continue
    const renamed = [name.replaceAll('-', '_'), `http_${name.replaceAll('-', '_')}`, `x-${name}`].find((one) =>
      given.has(one),
    )
    if (renamed !== undefined) {
      return found(
        'renamed_header',
        `The header ${name} came as ${renamed}. Read it under its own name, or map it back before verifying.`,
      )
    }
    return found(
      'missing_header',
      `The header ${name} is missing or empty. Look whether a proxy or a framework drops it.`,
    )
  }
  const headers = Object.fromEntries(names.map((name) => [name, given.get(name) ?? '']))
  const timestamp = headers['webhook-timestamp'] ?? ''
  if (/^\d{13}$/.test(timestamp)) {
    return found(
      'timestamp_in_ms',
      'webhook-timestamp is in milliseconds. It is sent in seconds: pass on the header as it came.',
    )
  }
  const fault = verification(request, headers, request.body)
  if (fault === null) return timeOf(timestamp, request.receivedAt)
  if (fault.code === 'invalid_header') {
    const { header, reason } = fault
    const token = /^(?:v1,)?(?:sha256=)?([0-9a-f]{64})$/i.test(headers[header] ?? '')
    if (header === 'webhook-signature' && (token || reason === 'url_safe_base64')) {
      return found(
        'signature_encoding',
        'The signature is in hex or in URL-safe base64. It is standard base64 with padding, behind `v1,`.',
      )
    }
    return found(
      'malformed_header',
      `The header ${header} has another form than it was sent in (${reason}). Pass it on unchanged.`,
    )
  }
  if (fault.code === 'unsupported_scheme') {
    return found('unknown_scheme', 'webhook-signature holds no signature of a scheme that this subscription signs by.')
  }
  return mismatch(request, headers)
}

/** What a signature was made of that somebody computed for a request that is in order. Its cause is null when it is the right one. */
export function explainComputed(computed: string, request: CheckedRequest): Diagnosis {
  const bytes = decodedSignature(computed)
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const content = { id: headers['webhook-id'] ?? '', timestamp: headers['webhook-timestamp'] ?? '', body: request.body }
  if (bytes === undefined) {
    return found(
      'signature_encoding',
      'computed_signature is no signature: it must be the base64 (or hex) of 32 bytes.',
    )
  }
  const own = request.secrets.filter(({ isCurrent, isOther }) => isCurrent && !isOther)
  if (own.some(({ key }) => fits([bytes], key, signedContent(content)))) {
    if (/^(?:v1,)?[A-Za-z0-9+/]{43}=$/.test(computed.trim())) {
      return { authentic: true, cause: null, detail: 'Your code computes the right signature.', subscriptionId: null }
    }
    return found(
      'signature_encoding',
      'Your code computes the right signature, but in hex or URL-safe base64. Compare it as standard base64.',
    )
  }
  return (
    explained([bytes], content, request) ??
    bodyVariant(request, (body) => own.some(({ key }) => fits([bytes], key, signedContent({ ...content, body })))) ??
    found(
      'no_match',
      'None of the usual mistakes explains it. Look which secret your code uses, and what it signs: `{webhook-id}.{webhook-timestamp}.{body}`, with the body as it came.',
    )
  )
}

function mismatch(request: CheckedRequest, headers: Readonly<Record<string, string>>): Diagnosis {
  const { sent } = request
  const timestamp = headers['webhook-timestamp'] ?? ''
  const fitsWith = (body: string) => verification(request, headers, body) === null
  if (sent?.body != null && sent.body !== request.body && fitsWith(sent.body))
    return bodyDifference(sent.body, request.body)
  const variant = bodyVariant(request, fitsWith)
  if (variant !== null) return variant
  const content = { id: headers['webhook-id'] ?? '', timestamp, body: request.body }
  const bodies = [request.body, ...(sent?.body != null && sent.body !== request.body ? [sent.body] : [])]
  const signatures = (headers['webhook-signature'] ?? '').split(' ').flatMap((token) => decodedSignature(token) ?? [])
  for (const body of bodies) {
    const cause = explained(signatures, { ...content, body }, request)
    if (cause !== null) return cause
    const other = sent?.timestamps.find(
      (one) => one !== timestamp && verification(request, { ...headers, 'webhook-timestamp': one }, body) === null,
    )
    if (other !== undefined) {
      return found(
        'timestamp_changed',
        'The signature belongs to another attempt of this event than webhook-timestamp: take all three headers from one request.',
      )
    }
  }
  if (sent === null) {
    return found(
      'event_unknown',
      'No event of this id was sent to this subscription: the headers come from another request, another tenant or another installation.',
    )
  }
  if (sent.body === null || sent.body === request.body) {
    return found(
      'no_match',
      'None of the usual mistakes explains it: the signature or the timestamp is not the one that was sent.',
    )
  }
  return bodyDifference(sent.body, request.body)
}

/** A signature by the wrong key, or of the wrong content. */
function explained(
  signatures: readonly Buffer[],
  content: { id: string; timestamp: string; body: string },
  { secrets }: CheckedRequest,
): Diagnosis | null {
  const whole = signedContent(content)
  for (const { key, subscriptionId, isCurrent, isOther } of secrets) {
    if (!isCurrent || isOther) {
      if (!fits(signatures, key, whole)) continue
      if (!isOther)
        return found(
          'secret_expired',
          'It is signed with a secret of this subscription that has expired. Use the current one.',
        )
      const detail =
        'It is signed with the secret of another subscription of this tenant. Each subscription has its own: use the one of this URL.'
      return { ...found('secret_of_other_subscription', detail), subscriptionId }
    }
    const text = Buffer.from(key).toString('base64')
    if (fits(signatures, Buffer.from(`whsec_${text}`), whole)) {
      return found(
        'secret_with_prefix',
        'The secret was used as text with its prefix. Remove `whsec_` and decode the rest as base64: the bytes are the key.',
      )
    }
    if (fits(signatures, Buffer.from(text), whole) || fits(signatures, Buffer.from(`whsec_${text}`, 'base64'), whole)) {
      return found(
        'secret_not_decoded',
        'The secret was not decoded rightly. Remove `whsec_` and decode the rest as base64: the bytes are the key.',
      )
    }
    if (fits(signatures, key, content.body)) {
      return found(
        'signed_body_only',
        'Only the body was signed. What is signed is `{webhook-id}.{webhook-timestamp}.{body}`.',
      )
    }
    if (fits(signatures, key, `${content.timestamp}.${content.body}`)) {
      return found(
        'signed_without_id',
        'The id is missing in what was signed, which is `{webhook-id}.{webhook-timestamp}.{body}`.',
      )
    }
  }
  return null
}

/** What happened to the body on the way, found by undoing it. */
function bodyVariant({ body }: CheckedRequest, fitsWith: (body: string) => boolean): Diagnosis | null {
  for (const [cause, undo] of undoings) {
    for (const before of undo(body)) {
      if (before !== body && fitsWith(before)) return found(cause, bodyDetails[cause] ?? '')
    }
  }
  return null
}

const undoings: readonly [SignatureCause, (body: string) => string[]][] = [
  ['body_byte_order_mark', (body) => [body.replace(/^\ufeff/, ''), `\ufeff${body}`]],
  ['body_trailing_space', (body) => [body.replace(/\s+$/, ''), body.trim(), `${body}\n`, `${body}\r\n`]],
  ['body_line_endings', (body) => [body.replaceAll('\r\n', '\n'), body.replaceAll(/\r?\n/g, '\r\n')]],
  ['body_unicode_form', (body) => [body.normalize('NFC'), body.normalize('NFD')]],
  [
    'body_encoding',
    (body) => [Buffer.from(body, 'latin1').toString('utf8'), Buffer.from(body, 'utf8').toString('latin1')],
  ],
  ['body_stringified', (body) => textOf(body)],
  ['body_reserialized', (body) => rewritten(body)],
]

const bodyDetails: Partial<Record<SignatureCause, string>> = {
  body_missing:
    'The body is empty: something has read it before. Read the raw bytes first, and parse them after verifying.',
  body_truncated:
    'The body is cut off: it is the beginning of what was sent. Look for a limit of size, or a stream that was not read to its end.',
  body_reserialized:
    'The JSON was parsed and written again: spaces, the order of members, numbers or escapes differ. Verify the raw bytes, and parse them afterwards.',
  body_stringified: 'The body was turned into a JSON string, or JSON was encoded twice. Verify the raw bytes.',
  body_data_only:
    'This is only `data`. The whole body was signed: verify the raw bytes, before anything is taken out of them.',
  body_trailing_space:
    'White space at the ends of the body was added or lost, usually a line break. Verify the raw bytes.',
  body_line_endings:
    'The line breaks were changed (CRLF and LF). Verify the raw bytes, and do not save them by way of an editor.',
  body_byte_order_mark: 'A byte order mark was added or lost at the beginning. Verify the raw bytes, not decoded text.',
  body_encoding: 'The bytes were read in another encoding than UTF-8. Verify the raw bytes, or decode them as UTF-8.',
  body_unicode_form: 'The text was normalised (NFC or NFD). Verify the raw bytes.',
  body_changed:
    'The headers are in order, but the body is another one than was sent. Look what changes it: a proxy, a middleware, or a copy by hand.',
}

/** The same, when what was sent is known. */
function bodyDifference(sent: string, body: string): Diagnosis {
  const cause = differenceOf(sent, body)
  return found(cause, bodyDetails[cause] ?? '')
}

function differenceOf(sent: string, body: string): SignatureCause {
  if (body === '') return 'body_missing'
  const undone = undoings.find(([cause, undo]) => cause !== 'body_reserialized' && undo(body).includes(sent))
  if (undone !== undefined) return undone[0]
  // The last characters of a cut body may be half of one.
  if (sent.startsWith(body.replace(/\ufffd+$/, ''))) return 'body_truncated'
  const [was, is] = [parsed(sent), parsed(body)]
  if (was === undefined || is === undefined) return 'body_changed'
  if (canonical(was.value) === canonical(is.value)) return 'body_reserialized'
  if (isRecord(was.value) && canonical(was.value['data'] ?? null) === canonical(is.value)) return 'body_data_only'
  return 'body_changed'
}

/** JSON in the usual ways of writing it. */
function rewritten(body: string): string[] {
  const json = parsed(body)
  if (json === undefined) return []
  const compact = JSON.stringify(json.value)
  const escaped = compact.replaceAll(
    /[\u007f-\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return [compact, escaped, compact.replaceAll('/', '\\/'), JSON.stringify(json.value, null, 2)]
}

/** A JSON string that holds the body. */
function textOf(body: string): string[] {
  const json = parsed(body)
  return typeof json?.value === 'string' ? [json.value] : []
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function timeOf(timestamp: string, receivedAt: Date): Diagnosis {
  const ageSeconds = Math.floor(receivedAt.getTime() / 1000) - Number(timestamp)
  if (Math.abs(ageSeconds) <= toleranceSeconds) {
    return {
      authentic: true,
      cause: null,
      detail: 'Everything is in order: the request is authentic and recent.',
      subscriptionId: null,
    }
  }
  const [cause, is] =
    ageSeconds > 0 ? (['timestamp_too_old', 'old'] as const) : (['timestamp_too_new', 'ahead'] as const)
  const detail = `The request is authentic, but at the time of receiving (${receivedAt.toISOString()}) it is ${Math.abs(ageSeconds)} s ${is}, and receivers allow ${toleranceSeconds} s. If that is not when it was received, give received_at; otherwise set the clock of the receiver, or look for a queue before it.`
  return { authentic: true, cause, detail, subscriptionId: null }
}

/** What the library that receivers use says of it, whatever the time is; null when it is authentic. */
function verification(
  { secrets, publicKeys }: CheckedRequest,
  headers: Readonly<Record<string, string>>,
  body: string,
): WebhookVerificationError['failure'] | null {
  const own = secrets.filter(({ isCurrent, isOther }) => isCurrent && !isOther)
  const keys: (ReturnType<typeof parseSecret> | PublicKey)[] = [
    ...own.map(({ key }) => parseSecret(Buffer.from(key).toString('base64'))),
    ...publicKeys.map((key) => parsePublicKey(key)),
  ]
  const now = new Date(Number(headers['webhook-timestamp']) * 1000)
  const timed = Number.isNaN(now.getTime()) ? new Date(0) : now
  try {
    verify({ headers, body: Buffer.from(body), keys, now: timed, toleranceSeconds: anyAgeSeconds })
    return null
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.failure
    throw error
  }
}

function signedContent({ id, timestamp, body }: { id: string; timestamp: string; body: string }): string {
  return `${id}.${timestamp}.${body}`
}

function fits(signatures: readonly Buffer[], key: Uint8Array, content: string): boolean {
  const expected = createHmac('sha256', key).update(content).digest()
  return signatures.some((signature) => timingSafeEqual(signature, expected))
}

/** The 32 bytes of a signature, however they are written. */
function decodedSignature(text: string): Buffer | undefined {
  const bare = text.trim().replace(/^(?:v1,|v1=|sha256=)/, '')
  const isHex = /^[0-9a-f]{64}$/i.test(bare)
  if (!isHex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(bare)) return undefined
  const bytes = Buffer.from(bare, isHex ? 'hex' : 'base64')
  return bytes.length === 32 ? bytes : undefined
}

function found(cause: SignatureCause, detail: string): Diagnosis {
  return { authentic: false, cause, detail, subscriptionId: null }
}
