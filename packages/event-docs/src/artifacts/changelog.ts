/** What changed, version by version of each event type, for people, programs and feed readers. */
import type { SchemaComparison } from '@posthorn/contract'
import type { Artifact } from '../artifact.ts'
import { compareTexts } from '../by-name.ts'
import type { Documentation } from '../documentation.ts'
import { addresses, whole } from './addresses.ts'
import { jsonArtifact } from './json.ts'
import { xmlText } from './words.ts'

export type ChangelogEntry = {
  readonly eventType: string
  readonly version: number
  /** When the version was made: ISO 8601. */
  readonly at: string
  /** The version that it is compared with; null for the first, and for versions from before comparisons were kept. */
  readonly comparedWith: number | null
  /** Null where nothing is known. */
  readonly verdict: 'safe' | 'warning' | 'breaking' | null
  readonly changes: readonly SchemaComparison['changes'][number][]
  /** There are more changes than are named. */
  readonly truncated: boolean
}

/** One entry for each version of each event type, the newest first. */
export function changelogOf({ source }: Documentation): ChangelogEntry[] {
  const entries = source.event_types.flatMap(({ versions }) =>
    versions.map(({ event_type, version, comparison, created_at }) => ({
      eventType: event_type,
      version,
      at: created_at,
      comparedWith: comparison?.compared_with ?? null,
      verdict: comparison?.verdict ?? null,
      changes: comparison?.changes ?? [],
      truncated: comparison?.truncated ?? false,
    })),
  )
  return entries.toSorted(
    (a, b) => compareTexts(b.at, a.at) || compareTexts(a.eventType, b.eventType) || b.version - a.version,
  )
}

/** One sentence on the whole of an entry. */
export function changelogSummary({ version, comparedWith, verdict, changes, truncated }: ChangelogEntry): string {
  if (verdict === null) return 'What it changed was not kept.'
  if (comparedWith === null) return version === 1 ? 'The first version.' : 'There is nothing to compare it with.'
  const count = `${changes.length}${truncated ? ' or more' : ''} change${changes.length === 1 && !truncated ? '' : 's'}`
  if (changes.length === 0) return `Nothing changes for receivers of version ${comparedWith}.`
  return `${count} since version ${comparedWith}. ${verdicts[verdict]}`
}

const verdicts = {
  safe: 'Receivers need do nothing.',
  warning: 'Look whether validators and columns are wide enough.',
  breaking: 'Code that reads it may fail.',
} as const

export function changelogDocument(documentation: Documentation): Artifact {
  return jsonArtifact({
    format: 'posthorn-changelog/1',
    feed_url: whole(documentation, addresses.feed),
    entries: changelogOf(documentation).map((entry) => ({
      id: entryId(documentation, entry),
      event_type: entry.eventType,
      version: entry.version,
      at: entry.at,
      compared_with: entry.comparedWith,
      verdict: entry.verdict,
      summary: changelogSummary(entry),
      changes: entry.changes,
      truncated: entry.truncated,
      url: entryUrl(documentation, entry),
      schema_url: whole(documentation, addresses.schema(entry.eventType, entry.version)),
    })),
  })
}

/** Atom 1.0 (RFC 4287). */
export function changelogFeed(documentation: Documentation): Artifact {
  const entries = changelogOf(documentation)
  const { name } = documentation.branding
  const body = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${xmlText(tagUri(documentation, { day: firstDay, path: 'changelog' }))}</id>
  <title>${xmlText(`${name}: changes of events`)}</title>
  <updated>${xmlText(entries[0]?.at ?? `${firstDay}T00:00:00.000Z`)}</updated>
  <author><name>${xmlText(name)}</name></author>
  <link rel="self" type="application/atom+xml" href="${xmlText(whole(documentation, addresses.feed))}"/>
  <link rel="alternate" type="text/html" href="${xmlText(whole(documentation, addresses.changelogPage))}"/>
${entries.map((entry) => entryXml(documentation, entry)).join('\n')}
</feed>
`
  return { contentType: 'application/atom+xml; charset=utf-8', body }
}

function entryXml(documentation: Documentation, entry: ChangelogEntry): string {
  const { eventType, version, verdict, at, changes } = entry
  const mark = verdict === 'breaking' ? ' (breaking)' : ''
  const items = changes.map(({ path, sentence, verdict: each }) => {
    return `<li><code>${xmlText(path)}</code> (${each}): ${xmlText(sentence)}</li>`
  })
  const list = items.length === 0 ? '' : `<ul>${items.join('')}</ul>`
  const html = `<p>${xmlText(changelogSummary(entry))}</p>${list}`
  return `  <entry>
    <id>${xmlText(entryId(documentation, entry))}</id>
    <title>${xmlText(`${eventType}, version ${version}${mark}`)}</title>
    <updated>${xmlText(at)}</updated>
    <link rel="alternate" type="text/html" href="${xmlText(entryUrl(documentation, entry))}"/>${
      verdict === null ? '' : `\n    <category term="${verdict}"/>`
    }
    <content type="html">${xmlText(html)}</content>
  </entry>`
}

function entryUrl(documentation: Documentation, { eventType }: ChangelogEntry): string {
  return whole(documentation, addresses.eventPage(eventType))
}

function entryId(documentation: Documentation, { eventType, version, at }: ChangelogEntry): string {
  return tagUri(documentation, { day: at.slice(0, 10), path: `${eventType}/${version}` })
}

/** A day on which whoever publishes this surely had the name; any one will do, if it never changes. */
const firstDay = '2026-01-01'

/** A name that stays when the site moves within its host (RFC 4151). */
function tagUri({ baseUrl }: Documentation, { day, path }: { day: string; path: string }): string {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : 'localhost'
  return `tag:${host.replaceAll(/[^A-Za-z0-9.-]/g, '-')},${day}:event-types/${path}`
}
