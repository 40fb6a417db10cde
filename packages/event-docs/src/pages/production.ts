/** What to do before it counts. */
import type { Documentation } from '../documentation.ts'
import { code, heading, list, type Page, prose, say, steps } from '../page/blocks.ts'
import { durationInWords } from '../words.ts'

export function productionPage({ source, branding, apiUrl }: Documentation): Page {
  const { meta } = source
  const addresses = meta.egress_addresses
  const api = apiUrl ?? 'https://api.example.com'
  return {
    path: 'production',
    title: 'Going to production',
    summary: 'A list to go through: addresses, TLS, secrets and their rotation, what disables a subscription.',
    marks: [],
    blocks: [
      heading(2, 'Before it is live'),
      list(
        prose`The signature is verified over the raw body, and a wrong one is answered with \`400\`.`,
        prose`The timestamp may be ${durationInWords(meta.signature.tolerance_seconds)} off, no more. Your clock is set by NTP.`,
        prose`Each \`webhook-id\` is [handled once](responding.html#handle-each-event-once).`,
        prose`The answer comes before the work, within ${durationInWords(meta.delivery.timeout_ms / 1000)}.`,
        prose`Unknown event types and members do no harm.`,
        prose`The secret is in your secret store, not in your code.`,
        prose`Somebody is told when your receiver answers 5xx.`,
        prose`The [receiver check](receiver-check.html) passes.`,
      ),
      heading(2, 'Addresses'),
      addresses.length === 0
        ? say`${branding.name} has not named the addresses that requests come from. Do not filter by address; the signature says who sent it.`
        : say`Requests come from these addresses and no others. They are in [ip-ranges.json](ip-ranges.json) too; read it again now and then. An address is no proof: verify the signature.`,
      ...(addresses.length === 0 ? [] : [list(...addresses.map((address) => [code(address)]))]),
      heading(2, 'TLS'),
      say`TLS 1.2 or later, HTTP/1.1, and a certificate of a public authority with its whole chain. A private authority or a client certificate can be set on the subscription.`,
      heading(2, 'Rotating the secret'),
      steps(
        prose`Ask for a new secret: ${code(`POST ${api}/v1/subscriptions/…/secrets`)}. For a day, or as long as you say (at most 7 days), requests are signed by both, in one header.`,
        prose`Deploy the new secret. A receiver that compares each signature of the header with each of its secrets needs no moment of change.`,
        prose`When the old one has run out, remove it.`,
      ),
      say`If a secret has leaked, rotate with an overlap of 0 seconds: the old one signs nothing any more.`,
      heading(2, 'What disables a subscription'),
      list(
        prose`An answer \`410\`, at once.`,
        meta.delivery.disabled_after_hours === null
          ? prose`Nothing else.`
          : prose`${durationInWords(meta.delivery.disabled_after_hours * 3600)} of nothing but failure.`,
      ),
      say`Events are held while it is disabled. Resume it when your receiver is back, and they are sent.`,
    ],
  }
}
