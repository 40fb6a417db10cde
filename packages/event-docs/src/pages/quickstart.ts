/** From nothing to a receiver that verifies, in the reader's language. */
import type { Documentation } from '../documentation.ts'
import { external, heading, link, type Page, prose, say, steps } from '../page/blocks.ts'
import { samples } from '../samples/samples.ts'
import { sampleTabs } from './sample-blocks.ts'

export function quickstartPage({ source, branding }: Documentation): Page {
  const first = source.event_types.find(({ event_type }) => event_type.status === 'active')?.event_type.name
  const tabs = sampleTabs(samples.filter(({ usesLibrary }) => usesLibrary))
  const portal = branding.portal
  return {
    path: 'quickstart',
    title: 'Quickstart',
    summary: 'Receive and verify the first event in five minutes.',
    marks: [],
    blocks: [
      heading(2, '1. Write a receiver'),
      say`It takes a POST, verifies the signature over the raw body, and answers \`204\`. The secret comes from the environment.`,
      { kind: 'tabs', label: 'Language', tabs },
      say`Without a library it is about twenty lines: [verifying signatures](verify.html#without-a-library).`,
      heading(2, '2. Try it with a signed sample'),
      first === undefined
        ? say`Every event type has a sample that is really signed. There is none yet.`
        : say`Start it with the secret of the samples, and run the \`curl\` of an event type against it: ${link(`events/${first}.html`, first, 'send-this-sample-to-your-receiver')}.`,
      heading(2, '3. Register its URL'),
      steps(
        portal === undefined
          ? prose`Give ${branding.name} the URL of your receiver, which has to be reachable by HTTPS, and choose event types: [all of them](events.html), or by a pattern such as \`order.*\`.`
          : prose`Open ${external(portal, 'the portal')}, give the URL of your receiver, which has to be reachable by HTTPS, and choose event types: [all of them](events.html), or by a pattern such as \`order.*\`.`,
        prose`Copy the secret of the new subscription (\`whsec_…\`) into the environment of your receiver as \`WEBHOOK_SECRET\`.`,
        prose`Send a [test event](testing.html#a-test-event). Its answer says what your receiver did.`,
      ),
      heading(2, '4. Before it is live'),
      say`Go through [the list](production.html). The [receiver check](receiver-check.html) tries what usually goes wrong.`,
    ],
  }
}
