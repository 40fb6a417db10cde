/** What the receiver check tries, in the words of docs/receiver-check.md, and what to mend when a check fails. */
import { receiverChecks } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import { codeBlock, heading, list, type Page, paragraph, prose, say, spansOf } from '../page/blocks.ts'

export function receiverCheckPage({ explanations, apiUrl }: Documentation): Page {
  const api = apiUrl ?? 'https://api.example.com'
  return {
    path: 'receiver-check',
    title: 'The receiver check',
    summary: 'Nine requests that try what receivers get wrong, and a scorecard that says what to mend.',
    marks: [],
    blocks: [
      say`One call sends ${receiverChecks.length} requests to your receiver, one after the other: good, forged, old, repeated, unknown and large ones. It answers with a scorecard.`,
      codeBlock(
        'sh',
        `curl -X POST "${api}/v1/subscriptions/$SUBSCRIPTION/conformance" -H "authorization: Bearer $KEY"`,
        'Checking a receiver',
      ),
      list(
        prose`Every request has the header \`posthorn-test: 1\` and the id of an event that does not exist, so nothing has happened.`,
        prose`The type is \`posthorn.test\`. A receiver that takes known types only is asked with one of them: \`?event_type=invoice.paid\`.`,
        prose`When the good event is not accepted, the others are not sent.`,
        prose`Nothing of it changes the health of the subscription, its deliveries or its history.`,
      ),
      heading(2, 'Checks'),
      ...receiverChecks.flatMap((check) => {
        const { meaning, paragraphs } = explanations.receiverCheck(check)
        return [heading(3, check, check), ...[meaning, ...paragraphs].map((text) => paragraph(...spansOf(text)))]
      }),
    ],
  }
}
