/** How a request is verified: what is signed, code for it, and what goes wrong. */
import type { Documentation } from '../documentation.ts'
import { code, codeBlock, external, heading, list, type Page, prose, say, steps } from '../page/blocks.ts'
import { samples } from '../samples/samples.ts'
import { durationInWords } from '../words.ts'
import { sampleTabs } from './sample-blocks.ts'

export function verifyPage({ source, branding }: Documentation): Page {
  const { signature } = source.meta
  const { id, timestamp } = signature.headers
  const tolerance = durationInWords(signature.tolerance_seconds)
  const tabs = sampleTabs(samples.filter(({ usesLibrary }) => !usesLibrary))
  return {
    path: 'verify',
    title: 'Verifying signatures',
    summary: 'What is signed, how to compare it, code without and with a library, rotation, and the usual mistakes.',
    marks: [],
    blocks: [
      say`Anybody can send a request to a public URL. The signature tells you that it is from ${branding.name}, and that nobody changed it. Requests are signed by ${external(signature.standard, 'Standard Webhooks')}, for which there are [libraries in many languages](quickstart.html).`,
      heading(2, 'What is signed'),
      codeBlock('', `{${id}}.{${timestamp}}.{body}`, 'The signed content'),
      say`The two headers as they came, the **bytes of the body as they came**, and two full stops. The signature is the HMAC-SHA256 of that, by the bytes of your secret.`,
      heading(2, 'Step by step'),
      steps(
        prose`Take the raw body, before anything parses it. JSON that was parsed and written again has other bytes.`,
        prose`Take ${code(id)}, ${code(timestamp)} and ${code(signature.headers.signature)}. If one is missing, refuse.`,
        prose`Decode the secret: cut \`whsec_\` off, and read the rest as base64. That gives the key. **Refuse to start with an empty one**: a library that takes it lets anybody sign.`,
        prose`Compute the HMAC-SHA256 of the signed content with the key.`,
        prose`The header holds one or more tokens, with a space between, each \`v1,\` and a signature in base64. **One of them has to be yours**, compared in constant time. Skip tokens of versions that you do not know.`,
        prose`Refuse when the timestamp, in seconds, is more than ${tolerance} from your clock, both ways. It is that of this attempt, so a retry of yesterday's event is fresh.`,
      ),
      heading(2, 'Without a library'),
      say`Each of these uses what its language brings along. Which were run against the [test vectors](test-vectors.json), and with what, stands below each.`,
      { kind: 'tabs', label: 'Language', tabs },
      heading(2, 'While a secret is rotated'),
      say`For the time of the overlap every request carries two signatures, by the new and by the old secret. A receiver with either of them accepts it. One that looks at the first token only does not: compare with all.`,
      ...(signature.schemes.includes('v1a')
        ? [
            heading(2, 'By a public key'),
            say`A subscription may be signed by Ed25519 too. Its tokens are \`v1a,…\` and are verified with a public key, which is no secret: \`GET /v1/subscriptions/{id}/public-keys\`. The signed content is the same.`,
          ]
        : []),
      heading(2, 'When it does not fit'),
      list(
        prose`A framework parsed the body before you got it. Ask it for the raw one.`,
        prose`The secret was used as text. It has to be decoded from base64, without \`whsec_\`.`,
        prose`The secret is that of another subscription, or of the test environment.`,
        prose`The body was read as another encoding than UTF-8, or a newline was added.`,
        prose`The clock of your server is off.`,
        prose`The [signature check](testing.html#a-signature-that-does-not-fit) names which of them it is.`,
      ),
    ],
  }
}
