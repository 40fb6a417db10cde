/** The catalogue of event types, by group. */
import { byName, compareTexts } from '../by-name.ts'
import type { Documentation } from '../documentation.ts'
import { latestVersion } from '../documentation.ts'
import { authored, type Block, heading, link, mark, type Page, type Row, say, table } from '../page/blocks.ts'
import type { DocsSource, DocumentedEventType } from '../source.ts'
import { counted } from '../words.ts'

/** Where those without a group stand. */
const ungrouped = 'Other events'

export type EventGroup = { readonly title: string; readonly eventTypes: readonly DocumentedEventType[] }

/** By name; those without a group come last. */
export function groupsOf(source: Pick<DocsSource, 'event_types'>): EventGroup[] {
  const groups = new Map<string, DocumentedEventType[]>()
  for (const each of byName(source)) {
    const title = each.event_type.group ?? ''
    groups.set(title, [...(groups.get(title) ?? []), each])
  }
  return [...groups]
    .sort(([one], [other]) => Number(one === '') - Number(other === '') || compareTexts(one, other))
    .map(([title, members]) => ({ title: title === '' ? ungrouped : title, eventTypes: members }))
}

export function eventsPage({ source, branding }: Documentation): Page {
  const blocks: Block[] = []
  const groups = groupsOf(source)
  if (groups.length === 0) blocks.push(say`${branding.name} has not published any event types yet.`)
  else
    blocks.push(
      say`These are the events that ${branding.name} can send you. A subscription lists the types that it wants, or a pattern such as \`order.*\`.`,
    )
  for (const { title, eventTypes } of groups) {
    if (groups.length > 1) blocks.push(heading(2, title))
    blocks.push(table(title, ['Event type', 'When it is sent'], eventTypes.map(rowOf), 'list'))
  }
  return {
    path: 'events',
    title: 'Event types',
    summary: `All ${counted(source.event_types.length, 'event type')}, by group, and when each is sent.`,
    marks: [],
    blocks,
  }
}

function rowOf(eventType: DocumentedEventType): Row {
  const { name, description, status } = eventType.event_type
  const marks = [
    ...(status === 'archived' ? [mark('archived', 'warning'), ' '] : []),
    ...(latestVersion(eventType) === undefined ? [mark('no schema'), ' '] : []),
  ]
  return { id: name, cells: [[link(`events/${name}.html`, name)], [...marks, ...authored(firstLineOf(description))]] }
}

/** What fits into one line of a table: the first paragraph. */
export function firstLineOf(description: string | null): string {
  return description?.split(/\n\s*\n/, 1)[0]?.trim() ?? ''
}
