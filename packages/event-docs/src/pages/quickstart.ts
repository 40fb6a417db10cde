/** From nothing to a receiver that verifies, in the reader's language. */
import type { Documentation } from '../documentation.ts'
import {
  type Block,
  code,
  codeBlock,
  external,
  heading,
  link,
  list,
  type Page,
  prose,
  say,
  steps,
} from '../page/blocks.ts'
import { samples } from '../samples/samples.ts'
import { curlOf, publishedSecret, signedDelivery } from '../signed-delivery.ts'
import { firstSample } from './first-sample.ts'
import { sampleTabs } from './sample-blocks.ts'

export function quickstartPage(documentation: Documentation): Page {
  const { branding } = documentation
  const tabs = sampleTabs(samples.filter(({ usesLibrary }) => usesLibrary))
  return {
    path: 'quickstart',
    title: 'Quickstart',
    summary: 'Run a receiver, send it a signed event, and register its URL.',
    marks: [],
    blocks: [
      say`You write a receiver, run it on your own machine and send it an event whose signature is valid. Nothing has to be set up at ${branding.name} for that. When it works, you register the URL.`,
      heading(2, '1. Write a receiver', 'write-a-receiver'),
      say`Each of these accepts a \`POST\` request, verifies the signature over the raw body and answers \`204\`. Choose your language, set it up in an empty folder, save the code under the name above it, and start it. The test secret in the start command is public and good for nothing else.`,
      { kind: 'tabs', label: 'Language', tabs },
      say`You would rather not use a library? Verification is [about twenty lines](verify.html#without-a-library).`,
      heading(2, '2. Send it a signed event', 'send-it-a-signed-event'),
      ...sendBlocks(documentation),
      heading(2, '3. Register your URL', 'register-your-url'),
      steps(
        prose`Put the receiver where it can be reached over HTTPS from outside. While you develop, a tunnel to your machine will do, or any URL of your own that answers with a 2xx status: [listen](testing.html#real-events-on-your-own-machine) brings what is sent there to your machine.`,
        [
          ...(branding.portal === undefined
            ? prose`Give ${branding.name} the URL`
            : prose`In ${external(branding.portal, 'the portal')}, add a subscription with the URL`),
          ...prose` and choose event types: [all of them](events.html), some, or a pattern such as \`order.*\`.`,
        ],
        prose`The subscription has a secret of its own, \`whsec_…\`. Restart your receiver with it as \`WEBHOOK_SECRET\`.`,
        prose`Send a [test event](testing.html#a-test-event). The response shows how your receiver answered.`,
      ),
      heading(2, '4. Before you go live', 'before-you-go-live'),
      say`Run the [receiver check](receiver-check.html), which tries what receivers usually get wrong, and go through the [checklist](production.html).`,
    ],
  }
}

function sendBlocks(documentation: Documentation): Block[] {
  const sample = firstSample(documentation)
  if (sample === undefined)
    return [
      say`Every event type that has a schema comes with a sample to send. There is none yet; try a [test vector](test-vectors.json) meanwhile.`,
    ]
  const { name, example } = sample
  return [
    say`Leave the receiver running and paste this into a second terminal. It signs a sample of ${link(`events/${name}.html`, name)} with the test secret and sends it to \`http://127.0.0.1:8080/webhooks\`, where the receivers above listen. It needs a POSIX shell, \`curl\` and \`openssl\`; on Windows, use WSL or Git Bash.`,
    codeBlock('sh', curlOf(signedDelivery(documentation, name, example), 'fresh'), 'Signed request by curl'),
    say`The last line says \`HTTP 204\`, and the receiver prints \`received evt_…\`. Now check that it refuses a forgery: change a letter in the middle of \`SECRET\` and send it again. The answer has to be \`HTTP 401\`.`,
    list(
      prose`\`HTTP 401\` at first? The receiver was not started with ${code(`WEBHOOK_SECRET=${publishedSecret}`)}, or something parses the body before it is verified.`,
      prose`\`HTTP 000\`? Nothing listens there. Set \`RECEIVER_URL\` if your receiver has another address.`,
    ),
  ]
}
