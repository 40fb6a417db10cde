import { type Observations, observationFindings } from '@posthorn/contract'
import type { EventSample } from '@posthorn/engine'
import type { ObservedField } from '@posthorn/event-docs'
import type { ObservedSample } from '../observing.ts'
import type { Reader } from '../reader.ts'

export function observationsView(
  sample: EventSample,
  { observed, events }: ObservedSample,
  reader: Reader,
): Observations {
  const counts = observationFindings.map((finding) => {
    return [finding, observed.fields.filter(({ findings }) => findings.includes(finding)).length] as const
  })
  const isWhole = events.length === sample.events.length && !observed.truncated
  return {
    event_type: sample.eventType,
    version: sample.version?.number ?? null,
    compared: observed.compared,
    sample: {
      events: observed.events,
      bytes: events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0),
      since: sample.since.toISOString(),
      oldest_at: events.at(-1)?.publishedAt.toISOString() ?? null,
      newest_at: events[0]?.publishedAt.toISOString() ?? null,
      complete: sample.isComplete && isWhole,
      versions: versionsOf(events),
    },
    // One for each of the list.
    counts: Object.fromEntries(counts) as Observations['counts'],
    data: observed.fields.map((field) => fieldView(field, observed.events, reader)),
    more_fields: observed.moreFields,
  }
}

function fieldView(field: ObservedField, events: number, reader: Reader): Observations['data'][number] {
  return {
    path: field.path,
    declared: field.declared,
    required: field.required,
    findings: field.findings,
    events: field.events,
    percent: Math.round((field.events / Math.max(1, events)) * 1000) / 10,
    parent_events: field.parentEvents,
    missing_events: field.missingEvents,
    types: field.types,
    values: reader.payloads ? field.values : null,
    more_values: reader.payloads ? field.moreValues : 0,
    outside_events: field.outsideEvents,
    untold_events: field.untoldEvents,
  }
}

function versionsOf(events: EventSample['events']): Observations['sample']['versions'] {
  const byVersion = Map.groupBy(events, ({ schemaVersion }) => schemaVersion)
  return [...byVersion]
    .map(([version, of]) => ({ version, events: of.length }))
    .toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0))
}
