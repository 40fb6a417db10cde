/** What to do before it counts. */
import { limits } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import { code, codeBlock, heading, list, type Page, prose, say, steps } from '../page/blocks.ts'
import { durationInWords, exactDuration } from '../words.ts'
import { exampleApi } from './example-api.ts'

export function productionPage({ source, branding, apiUrl }: Documentation): Page {
  const { meta } = source
  const addresses = meta.egress_addresses
  return {
    path: 'production',
    title: 'Going to production',
    summary: 'A checklist, and what to know about addresses, TLS, rotating secrets and disabled subscriptions.',
    marks: [],
    blocks: [
      heading(2, 'Checklist'),
      list(
        prose`The signature is [verified](verify.html) over the raw body, and a wrong one is answered with \`401\`.`,
        prose`A timestamp more than ${durationInWords(meta.signature.tolerance_seconds)} away from your clock is refused, and the clock is kept right by NTP.`,
        prose`Each \`webhook-id\` is [processed once](responding.html#process-each-event-once).`,
        prose`You answer before you do the work, within ${durationInWords(meta.delivery.timeout_ms / 1000)}.`,
        prose`Event types and fields that you do not know do no harm.`,
        prose`The secret is in your secret store and not in your code.`,
        prose`Somebody is alerted when your receiver answers 5xx.`,
        prose`The [receiver check](receiver-check.html) passes.`,
      ),
      heading(2, 'Addresses'),
      addresses.length === 0
        ? say`${branding.name} has not published the addresses that requests come from. Do not filter by address; the signature proves who sent a request.`
        : say`Requests come from these addresses and no others. They are also in [ip-ranges.json](ip-ranges.json); read it from time to time, as they can change. An address proves nothing: verify the signature all the same.`,
      ...(addresses.length === 0 ? [] : [list(...addresses.map((address) => [code(address)]))]),
      heading(2, 'TLS'),
      say`Your server needs TLS 1.2 or later, HTTP/1.1, and a certificate from a public authority, sent with its whole chain. A private authority or a client certificate can be set on the subscription.`,
      heading(2, 'Rotating the secret'),
      steps(
        prose`Request a new secret. For ${exactDuration(limits.overlapSecondsDefault)}, or up to ${exactDuration(limits.overlapSecondsMax)} with \`overlap_seconds\`, requests are signed with both the new and the old one.`,
        prose`Deploy the new secret. A receiver that [compares with every signature](verify.html#while-a-secret-is-rotated) works before, during and after the change.`,
        prose`When the overlap is over, remove the old secret.`,
      ),
      codeBlock(
        'sh',
        `curl -X POST "${apiUrl ?? exampleApi}/v1/subscriptions/$SUBSCRIPTION/secrets" \\
  -H "authorization: Bearer $KEY" \\
  -H 'content-type: application/json' -d '{}'`,
        'Requesting a new secret',
      ),
      say`If a secret has leaked, set \`overlap_seconds\` to 0: the old one stops signing immediately.`,
      heading(2, 'What disables a subscription'),
      list(
        prose`A response with status \`410\`, immediately.`,
        ...(meta.delivery.disabled_after_hours === null
          ? []
          : [prose`Nothing but failures for ${durationInWords(meta.delivery.disabled_after_hours * 3600)}.`]),
      ),
      say`While a subscription is disabled its events are held. Resume it when your receiver is back, and they are sent.`,
    ],
  }
}
