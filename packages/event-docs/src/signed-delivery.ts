/**
 * A delivery as a receiver gets it, for documentation: the headers and the body of a first attempt in the form `standard`,
 * with a signature that really verifies, for a secret that everybody knows and at a time that never changes. A test holds
 * it to what the dispatcher sends (`packages/checks/src/docs/documented-deliveries.test.ts`).
 */
import { createHash } from 'node:crypto'
import { formatId, uuidV7 } from '@posthorn/contract'
import { parseSecret, signedHeaders } from '@posthorn/signing'
import type { Documentation } from './documentation.ts'
import type { Example } from './examples/examples.ts'

/** Published, so it protects nothing: the base64 of “this secret is public, never use it!”. */
export const publishedSecret = 'whsec_dGhpcyBzZWNyZXQgaXMgcHVibGljLCBuZXZlciB1c2UgaXQh'

/** When every documented event happened, and when it is sent: Unix milliseconds. */
export const documentedEventMs = Date.UTC(2026, 0, 1, 12, 0, 0)
export const documentedSendMs = documentedEventMs + 1_000

/**
 * What protects a header: `signed` ones are part of what the signature is made over, `signature` is the signature, and
 * an `unsigned` one could be changed on the way.
 */
export type HeaderProtection = 'signed' | 'signature' | 'unsigned'

export type DeliveryHeader = { readonly name: string; readonly value: string; readonly protection: HeaderProtection }

export type SignedDelivery = {
  readonly secret: string
  /** Unix seconds at which the signature was made. A receiver has to take this for now to verify it. */
  readonly timestamp: number
  /** In the order in which they are sent; `host` and `content-length` follow from the URL and the body. */
  readonly headers: readonly DeliveryHeader[]
  readonly body: string
}

/** @param type the name of the event type */
export function signedDelivery(documentation: Documentation, type: string, example: Example): SignedDelivery {
  const body = bodyOf(type, example)
  const timestamp = documentedSendMs / 1_000
  const signed = signedHeaders({ id: eventIdOf(type, example), timestamp, body }, [parseSecret(publishedSecret)])
  const values = {
    'content-type': 'application/json',
    'user-agent': `Posthorn/${documentation.source.meta.version}`,
    'posthorn-event-type': type,
    'posthorn-attempt': '1',
    ...signed,
  }
  const headers = Object.entries(values).map(([name, value]) => ({ name, value, protection: protectionOf(name) }))
  return { secret: publishedSecret, timestamp, headers, body }
}

/** The event of an example: what is in the body. */
export function documentedEvent(type: string, example: Example): { type: string; timestamp: string; data: unknown } {
  return { type, timestamp: new Date(documentedEventMs).toISOString(), data: example.value }
}

/** The same event has the same id, at any time and on any machine. */
function eventIdOf(type: string, { name, value }: Example): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([type, name, value]))
    .digest()
  return formatId('event', uuidV7(documentedEventMs, hash))
}

function bodyOf(type: string, example: Example): string {
  return JSON.stringify(documentedEvent(type, example))
}

export function protectionOf(header: string): HeaderProtection {
  if (header === 'webhook-signature') return 'signature'
  return header === 'webhook-id' || header === 'webhook-timestamp' ? 'signed' : 'unsigned'
}

/**
 * A command for a POSIX shell with `curl` that sends the delivery to `$RECEIVER_URL`, or to where the code samples listen
 * on the same machine. It prints the answer and its status.
 *
 * @param signature `fixed` sends the documented signature, which is too old for every receiver that looks at its clock;
 *   `fresh` makes one for this moment, with `openssl`
 */
export function curlOf(delivery: SignedDelivery, signature: 'fixed' | 'fresh'): string {
  return signature === 'fixed' ? fixedCurl(delivery) : freshCurl(delivery)
}

/** What curl would add or ask for by itself, and a delivery does not have. */
const notOfCurl = ["-H 'accept:'", "-H 'expect:'"]
// biome-ignore lint/suspicious/noTemplateCurlyInString: an expansion of the shell
const receiverUrl = '"${RECEIVER_URL:-http://127.0.0.1:8080/webhooks}"'

function fixedCurl({ headers, body }: SignedDelivery): string {
  const lines = headers.map(({ name, value }) => `-H ${quoted(`${name}: ${value}`)}`)
  return `${piped(quoted(body), [...notOfCurl, ...lines])}\n`
}

function freshCurl({ secret, headers, body }: SignedDelivery): string {
  const id = headers.find(({ name }) => name === 'webhook-id')?.value ?? ''
  const others = headers.filter(({ protection }) => protection === 'unsigned')
  const lines = [
    ...others.map(({ name, value }) => `-H ${quoted(`${name}: ${value}`)}`),
    '-H "webhook-id: $ID"',
    '-H "webhook-timestamp: $TIMESTAMP"',
    '-H "webhook-signature: v1,$SIGNATURE"',
  ]
  return `SECRET=${quoted(secret)}
ID=${quoted(id)}
TIMESTAMP=$(date +%s)
BODY=${quoted(body)}
KEY=$(printf '%s' "\${SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')
SIGNATURE=$(printf '%s.%s.%s' "$ID" "$TIMESTAMP" "$BODY" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | openssl base64 -A)
${piped('"$BODY"', [...notOfCurl, ...lines])}
`
}

/** The body goes in by a pipe: as an argument it might be too long. */
function piped(body: string, options: readonly string[]): string {
  const lines = [
    `printf '%s' ${body} | curl -sS -X POST`,
    `--url ${receiverUrl}`,
    ...options,
    '--data-binary @-',
    "-w '\\nHTTP %{http_code}\\n'",
  ]
  return lines.join(' \\\n  ')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
