/** How to try a receiver before anything depends on it. */
import { receiverChecks } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import { type Block, code, codeBlock, heading, link, list, type Page, prose, say, steps } from '../page/blocks.ts'
import { exampleApi } from './example-api.ts'
import { firstSample } from './first-sample.ts'

export function testingPage(documentation: Documentation): Page {
  const { apiUrl } = documentation
  const api = apiUrl ?? exampleApi
  const sample = firstSample(documentation)
  return {
    path: 'testing',
    title: 'Testing',
    summary:
      'Send signed samples to your own machine, send a test event, and find out why a signature does not verify.',
    marks: [],
    blocks: [
      heading(2, 'On your own machine'),
      steps(
        prose`Start your receiver with the public test secret. It is on the page of every event type${sample === undefined ? '' : ', such as '}${sample === undefined ? '' : link(`events/${sample.name}.html`, sample.name)}.`,
        prose`Run the \`curl\` command from that page. Its signature is valid, so your receiver has to accept it.`,
        prose`Change a letter in the middle of \`SECRET\` in the command and run it again. Now your receiver has to refuse it.`,
      ),
      heading(2, 'In your test suite'),
      say`[test-vectors.json](test-vectors.json) holds requests that your verification has to accept and requests that it has to refuse: rotated secrets, old timestamps, bodies that were serialized again, and signatures with a key pair. Each gives the time that your code has to take for now.`,
      heading(2, 'A test event'),
      say`This call sends a signed event of the type \`posthorn.test\` to a live subscription. Its response shows all that happened: name resolution, TLS, your status and body, and how long each step took.`,
      codeBlock(
        'sh',
        `curl -X POST "${api}/v1/subscriptions/$SUBSCRIPTION/test" \\
  -H "authorization: Bearer $KEY"`,
        'Sending a test event',
      ),
      ...credentialBlocks(documentation),
      heading(2, 'Receiver check'),
      say`One call tries ${receiverChecks.length} things that receivers get wrong and returns a scorecard with what to fix: [the receiver check](receiver-check.html).`,
      heading(2, 'Signature check'),
      say`A signature does not verify and you do not see why? Pass the request, as you received it, to the signature check. It names the mistake: a secret that was not decoded, a body that was parsed and serialized again, a trailing newline, a clock that is wrong. It never reveals a secret or the right signature.`,
      codeBlock(
        'sh',
        `curl "${api}/v1/signature-checks" \\
  -H "authorization: Bearer $KEY" \\
  -H 'content-type: application/json' \\
  -d @- <<'END'
{
  "subscription": "sub_…",
  "headers": {
    "webhook-id": "evt_…",
    "webhook-timestamp": "1764115200",
    "webhook-signature": "v1,…"
  },
  "body": "the raw body, as text"
}
END`,
        'Checking a signature',
      ),
      say`If the request is older than five minutes, add \`received_at\` with the time when it arrived.`,
    ],
  }
}

/** What the calls of this page need. */
function credentialBlocks({ branding, apiUrl }: Documentation): Block[] {
  return [
    list(
      prose`\`$KEY\` is your API key. Ask ${branding.name} for one if you have none.`,
      prose`\`$SUBSCRIPTION\` is the id of the subscription: \`sub_…\`.`,
      ...(apiUrl === undefined
        ? [prose`${code(exampleApi)} stands for the address of the API, which ${branding.name} gives you.`]
        : []),
    ),
  ]
}
