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
    summary: 'What is signed, how to compare it, code with and without a library, rotation, and common mistakes.',
    marks: [],
    blocks: [
      say`Anybody can send a request to a public URL. The signature proves that a request comes from ${branding.name} and that nobody has changed it on the way. Signatures follow ${external(signature.standard, 'Standard Webhooks')}, for which there are [libraries in many languages](quickstart.html).`,
      heading(2, 'What is signed'),
      codeBlock('', `{${id}}.{${timestamp}}.{body}`, 'The signed content'),
      say`The values of the two headers and the **raw bytes of the body**, joined by full stops. The signature is the HMAC-SHA256 of that content, with the bytes of your secret as the key.`,
      heading(2, 'Step by step'),
      steps(
        prose`Read the raw body before anything parses it. JSON that is parsed and serialized again has different bytes.`,
        prose`Read the headers ${code(id)}, ${code(timestamp)} and ${code(signature.headers.signature)}. If one is missing, refuse the request.`,
        prose`Refuse it too if the timestamp, in Unix seconds, is more than ${tolerance} away from your clock, in the past or in the future. It is the time of this attempt, so that a retry of yesterday's event is fresh.`,
        prose`Decode the secret: remove \`whsec_\` and decode the rest as base64. The result is the key. **Do not start without one**: with an empty key, anybody can sign.`,
        prose`Compute the HMAC-SHA256 of the signed content with the key, and encode it as base64.`,
        prose`The signature header holds one or more signatures separated by spaces, each with its version in front: \`v1,…\`. Skip versions that you do not know. **One of the others has to equal yours.** Compare in constant time.`,
      ),
      heading(2, 'Without a library'),
      say`These receivers verify with what their language brings along. Below each of them you see with which version it was run against the [test vectors](test-vectors.json).`,
      { kind: 'tabs', label: 'Language', tabs },
      heading(2, 'While a secret is rotated'),
      say`During the overlap every request carries two signatures, one by the new secret and one by the old. A receiver that has either of them accepts the request, as long as it compares with every signature and not only with the first.`,
      ...(signature.schemes.includes('v1a')
        ? [
            heading(2, 'With a public key'),
            say`A subscription can be signed with Ed25519 as well. Its signatures begin with \`v1a,\` and are verified with a public key, which does not have to be kept secret: \`GET /v1/subscriptions/{id}/public-keys\`. The signed content is the same.`,
          ]
        : []),
      heading(2, 'When verification fails'),
      list(
        prose`A framework parsed the body before you got it. Ask it for the raw body.`,
        prose`The secret was used as text. Remove \`whsec_\` and decode the rest as base64.`,
        prose`The secret belongs to another subscription or another environment.`,
        prose`The body was read in an encoding other than UTF-8, or a newline was added.`,
        prose`Your server's clock is wrong.`,
      ),
      say`The [signature check](testing.html#signature-check) tells you which of these it is.`,
    ],
  }
}
