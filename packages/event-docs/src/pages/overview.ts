/** The first page: what these webhooks are, the facts at a glance, and where to go on. */
import { limits } from '@posthorn/contract'
import type { Documentation } from '../documentation.ts'
import {
  type Block,
  code,
  external,
  heading,
  link,
  list,
  type Page,
  paragraph,
  paragraphsOf,
  prose,
  say,
  table,
} from '../page/blocks.ts'
import { bytesInWords, durationInWords, listInWords } from '../words.ts'
import { attemptsOf } from './delivery.ts'

export function overviewPage({ source, branding }: Documentation): Page {
  const { meta, event_types } = source
  const published = event_types.filter(({ event_type }) => event_type.status === 'active')
  const attempts = attemptsOf(meta.delivery.retry_schedule_seconds)
  const last = attempts.at(-1)
  const scheme = listInWords(meta.signature.schemes.filter((one) => one === 'v1').map(() => 'HMAC-SHA256'))
  const blocks: Block[] = [
    ...(branding.intro === undefined
      ? [say`${branding.name} tells your server when something happens, by a signed HTTP request to a URL of yours.`]
      : paragraphsOf(branding.intro)),
    heading(2, 'At a glance'),
    table(
      'Facts at a glance',
      ['What', 'Value'],
      [
        {
          cells: [
            ['Request'],
            prose`${code(meta.delivery.method)} over HTTPS with a JSON body, at most ${bytesInWords(Number(meta.limits['event_data_bytes_max'] ?? limits.eventDataBytesMax))} of data`,
          ],
        },
        {
          cells: [
            ['Signature'],
            [
              external(meta.signature.standard, 'Standard Webhooks'),
              `, ${scheme}; `,
              ...prose`[how to verify it](verify.html)`,
            ],
          ],
        },
        {
          cells: [
            ['Accepted by'],
            prose`any status from 200 to 299 within ${durationInWords(meta.delivery.timeout_ms / 1000)}`,
          ],
        },
        {
          cells: [
            ['Attempts'],
            prose`${attempts.length} over ${durationInWords(last?.afterSeconds ?? 0)}; [the schedule](delivery.html)`,
          ],
        },
        { cells: [['More than once'], prose`possible: handle each \`webhook-id\` once`] },
        { cells: [['Order'], prose`not guaranteed, unless the subscription asks for it`] },
        { cells: [['Sent from'], prose`[addresses to let in](production.html#addresses)`] },
        { cells: [['Event types'], [link('events.html', String(published.length))]] },
      ],
    ),
    heading(2, 'Begin'),
    list(
      prose`[Quickstart](quickstart.html): a receiver that verifies, in five minutes`,
      prose`[Event types](events.html): what is sent, and when`,
      prose`[Verifying signatures](verify.html), with code that was run`,
      prose`[Testing](testing.html), before anything is live`,
    ),
    heading(2, 'For programs'),
    list(
      prose`[openapi.json](openapi.json): OpenAPI 3.1 with all webhooks · [asyncapi.yaml](asyncapi.yaml)`,
      prose`[schemas/index.json](schemas/index.json): JSON Schemas of every version · [TypeScript types](types/typescript.tgz)`,
      prose`[webhooks.json](webhooks.json): these facts for machines · [test-vectors.json](test-vectors.json): is your verification right?`,
      prose`[llms.txt](llms.txt), and every page as Markdown`,
    ),
  ]
  if (branding.support !== undefined)
    blocks.push(heading(2, 'Help'), paragraph('Ask ', external(branding.support, `${branding.name}'s support`), '.'))
  return {
    path: 'index',
    title: `${branding.name} webhooks`,
    summary: `What ${branding.name} sends to your server, and how to receive it.`,
    marks: [],
    blocks,
  }
}
