/** What the receiver check tries, in the words of docs/receiver-check.md, and what to fix when a check fails. */
import { receiverChecks } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import { code, codeBlock, heading, list, type Page, paragraph, prose, say, spansOf } from '../page/blocks.ts'
import { exampleApi } from './example-api.ts'
import { firstSample } from './first-sample.ts'

export function receiverCheckPage(documentation: Documentation): Page {
  const { explanations, apiUrl } = documentation
  const api = apiUrl ?? exampleApi
  const known = firstSample(documentation)?.name ?? 'invoice.paid'
  return {
    path: 'receiver-check',
    title: 'Receiver check',
    summary: `${receiverChecks.length} things that receivers get wrong, tried by one call, with what to fix.`,
    marks: [],
    blocks: [
      say`One call sends your receiver good, forged, old, repeated, unknown and large events, one after another, and returns a scorecard: for each of ${receiverChecks.length} checks what was sent, how you answered, and what to fix.`,
      codeBlock(
        'sh',
        `curl -X POST "${api}/v1/subscriptions/$SUBSCRIPTION/conformance" \\
  -H "authorization: Bearer $KEY"`,
        'Checking a receiver',
      ),
      list(
        prose`It is safe: every request carries the header \`posthorn-test: 1\` and the id of an event that does not exist.`,
        prose`The events have the type \`posthorn.test\`. If your receiver only accepts types that it knows, name one of them: add ${code(`?event_type=${known}`)} to the URL.`,
        prose`If the first, good event is not accepted, the others are not sent.`,
        prose`The check does not touch the subscription's health, deliveries or history.`,
      ),
      heading(2, 'Checks'),
      ...receiverChecks.flatMap((check) => {
        const { meaning, paragraphs } = explanations.receiverCheck(check)
        return [heading(3, check, check), ...[meaning, ...paragraphs].map((text) => paragraph(...spansOf(text)))]
      }),
    ],
  }
}
