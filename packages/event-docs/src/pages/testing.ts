/** How to try a receiver before anything depends on it. */
import { receiverChecks } from '@posthorn/contract'
import { addresses, whole } from '../artifacts/addresses.ts'
import type { Documentation } from '../documentation.ts'
import { type Block, code, codeBlock, heading, link, list, type Page, prose, say, steps } from '../page/blocks.ts'
import { exampleApi } from './example-api.ts'
import { firstSample, type Sample } from './first-sample.ts'

export function testingPage(documentation: Documentation): Page {
  const { apiUrl } = documentation
  const api = apiUrl ?? exampleApi
  const sample = firstSample(documentation)
  return {
    path: 'testing',
    title: 'Testing',
    summary:
      'Send signed samples or real events to your own machine, send a test event, and find out why a signature does not verify.',
    marks: [],
    blocks: [
      ...sampleBlocks(sample),
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
      heading(2, 'Real events on your own machine'),
      say`Events that are sent to a subscription can come to your own machine too. [listen.mjs](listen.mjs) reads what is sent and repeats each request to your local receiver: the same bytes with the same signature. Your receiver verifies it with the secret of the subscription, as it will in production.`,
      steps(
        prose`Start your receiver with the secret of the subscription as \`WEBHOOK_SECRET\`.`,
        prose`Save [listen.mjs](listen.mjs): one file, which needs Node.js 20 or newer and nothing else. Start it with the address of your receiver, and leave it running:`,
      ),
      codeBlock('sh', listenCommands(documentation), 'Start listen'),
      say`Each event is a line: what the receiver at the registered URL answered, and behind the arrow what yours did. End it with Ctrl+C.`,
      codeBlock(
        '',
        '12:04:31  evt_01kdy3c2g0fesmh0cdwq8tprqa  invoice.paid  attempt 1: 503  → 204 in 4 ms',
        'What listen shows',
      ),
      list(
        prose`Only what is sent to a subscription comes to you: create one first. Best is a URL of your own that answers with a 2xx status. What fails there comes to you all the same, and again with each retry; but after many failures in a row new events are held back and come one at a time, up to five minutes apart.`,
        prose`It comes when the attempt at the registered URL has ended. Your local answer is shown and changes nothing: the delivery is retried or not by what the registered URL answered.`,
        prose`To get an event once more, and at once, resend its delivery. A [test event](testing.html#a-test-event) is no delivery and does not come here.`,
        prose`The key needs to see signatures: take an API key of the role \`tenant\`, or the token of a portal session with the capabilities \`subscriptions:read\`, \`deliveries:read\`, \`payloads:read\` and \`secrets:reveal\`. Each event costs a call of the API, so take a key of its own. It is read from the environment and sent to the API alone.`,
        prose`Headers that carry your credentials, such as \`authorization\`, are stored nowhere and left out.`,
      ),
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

/** In the words of the calls of this page. */
function listenCommands({ apiUrl = exampleApi, baseUrl }: Documentation): string {
  const start = `POSTHORN_API_KEY="$KEY" node listen.mjs --api "${apiUrl}" \\
  --to http://127.0.0.1:8080/webhooks --subscription "$SUBSCRIPTION"`
  return /^https?:/.test(baseUrl) ? `curl -fsSO "${whole({ baseUrl }, addresses.listen)}"\n${start}` : start
}

/** A signed sample to send, where there is one: without a schema nobody knows what an event holds. */
function sampleBlocks(sample: Sample | undefined): Block[] {
  if (sample === undefined) return []
  return [
    heading(2, 'On your own machine'),
    steps(
      prose`Start your receiver with the public test secret. It is on the page of every event type that has a schema, such as ${link(`events/${sample.name}.html`, sample.name)}.`,
      prose`Run the \`curl\` command from that page. Its signature is valid, so your receiver has to accept it.`,
      prose`Change a letter in the middle of \`SECRET\` in the command and run it again. Now your receiver has to refuse it.`,
    ),
  ]
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
