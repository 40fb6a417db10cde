/** All that ever changed in the schemas, the newest first. */
import { changelogOf } from '../artifacts/changelog.ts'
import type { Documentation } from '../documentation.ts'
import { type Block, heading, link, type Page, paragraph, say } from '../page/blocks.ts'
import { changeBlocks, verdictMark } from './change-blocks.ts'

export function changelogPage(documentation: Documentation): Page {
  const entries = changelogOf(documentation)
  const blocks: Block[] = [
    say`Every version of every schema, and what it means for a receiver that was written for the version before. Subscribe to the [Atom feed](changelog.atom), or read it as [JSON](changelog.json).`,
  ]
  if (entries.length === 0) blocks.push(say`No event type has a schema yet.`)
  let day = ''
  for (const entry of entries) {
    const own = entry.at.slice(0, 10)
    if (own !== day) blocks.push(heading(2, own))
    day = own
    blocks.push(
      paragraph(
        link(`events/${entry.eventType}.html`, entry.eventType),
        `, version ${entry.version} `,
        verdictMark(entry),
      ),
      ...changeBlocks(entry),
    )
  }
  return {
    path: 'changelog',
    title: 'Changelog',
    summary: 'What changed in the schemas of event types, and whether it breaks your receiver.',
    marks: [],
    blocks,
  }
}
