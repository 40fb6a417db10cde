/** How to try a receiver before anything depends on it. */
import type { Documentation } from '../documentation.ts'
import { code, codeBlock, heading, list, type Page, prose, say, steps } from '../page/blocks.ts'

export function testingPage({ source, branding, apiUrl }: Documentation): Page {
  const first = source.event_types.find(({ event_type }) => event_type.status === 'active')?.event_type.name
  const api = apiUrl ?? 'https://api.example.com'
  return {
    path: 'testing',
    title: 'Testing',
    summary:
      'Replay signed samples, send a test event, check your receiver, and find out why a signature does not fit.',
    marks: [],
    blocks: [
      heading(2, 'On your own machine'),
      steps(
        prose`Start your receiver with the secret of the samples: it stands on the page of every event type${first === undefined ? '' : ', such as '}${first === undefined ? '' : { kind: 'link', to: `events/${first}.html`, text: first }}.`,
        prose`Run the \`curl\` that stands there against it. The signature is really valid, so your verification has to accept it.`,
        prose`Change one letter of the body and run it again: it has to be refused.`,
      ),
      say`[test-vectors.json](test-vectors.json) has requests that must be accepted and requests that must be refused, for a unit test of your verification: rotated secrets, stale timestamps, bodies that were written anew, signatures by a key pair.`,
      heading(2, 'A test event'),
      say`A subscription can be tested while it is live. The call sends one signed event of the type \`posthorn.test\` and answers with all that happened: the name's addresses, TLS, status, your answer, and timings.`,
      codeBlock(
        'sh',
        `curl -X POST "${api}/v1/subscriptions/$SUBSCRIPTION/test" -H "authorization: Bearer $KEY"`,
        'Sending a test event',
      ),
      heading(2, 'The receiver check'),
      say`One call sends what receivers get wrong, and answers with a scorecard that says what to mend: [the receiver check](receiver-check.html).`,
      heading(2, 'A signature that does not fit'),
      say`Give a request as you received it to the signature check. It names the mistake: a secret that was not decoded, a body that was parsed and written anew, a trailing newline, a clock that is off. It never tells a signature or a secret.`,
      codeBlock(
        'sh',
        `curl "${api}/v1/signature-checks" -H "authorization: Bearer $KEY" -H 'content-type: application/json' -d @- <<'END'
{
  "subscription": "sub_…",
  "headers": { "webhook-id": "evt_…", "webhook-timestamp": "1764115200", "webhook-signature": "v1,…" },
  "body": "the raw body, as text"
}
END`,
        'Checking a signature',
      ),
      list(
        prose`\`$KEY\` is an API key of yours; ask ${branding.name} for one if you have none.`,
        ...(apiUrl === undefined
          ? [prose`${code(api)} stands for the address of the API that ${branding.name} gives you.`]
          : []),
      ),
    ],
  }
}
