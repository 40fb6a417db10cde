/** Whether receivers that were written for what is published can live with what would be published now. */
import { type ChangeVerdict, changeVerdicts, type SchemaChange, schemaChanges } from '@posthorn/contract'
import { type Documentation, latestVersion } from '../../documentation.ts'
import type { DocumentedEventType } from '../../source.ts'
import { publishedSchema, sourceHash } from '../published-schema.ts'
import { without } from '../schema-document.ts'
import type { PublishedDocs, PublishedIndex } from './published.ts'

export type CheckFinding = {
  readonly eventType: string
  readonly verdict: ChangeVerdict
  /** What happened to the event type. */
  readonly sentence: string
  /** What happened to its data. */
  readonly changes: readonly SchemaChange[]
}

export type CheckResult = {
  /** The worst of the findings; `breaking` should fail a build. */
  readonly verdict: ChangeVerdict
  /** By event type; nothing about types that did not change. */
  readonly findings: readonly CheckFinding[]
  /** The same for the log of a build, the worst first, and the verdict last. */
  readonly lines: readonly string[]
}

/** Versions in one sentence. */
const namedMax = 10

type Published = PublishedIndex['event_types'][number]

export function checkAgainst(published: PublishedDocs, documentation: Documentation): CheckResult {
  const now = new Map(documentation.source.event_types.map((eventType) => [eventType.event_type.name, eventType]))
  const before = new Map(published.index.event_types.map((one) => [one.name, one]))
  const names = [...new Set([...before.keys(), ...now.keys()])].toSorted()
  const findings = names.flatMap((name) => {
    const was = before.get(name)
    const is = now.get(name)
    if (was === undefined) return [{ eventType: name, verdict: 'safe' as const, sentence: 'is new.', changes: [] }]
    if (is === undefined) {
      const sentence = 'is not there any more: receivers wait for it in vain.'
      return [{ eventType: name, verdict: 'breaking' as const, sentence, changes: [] }]
    }
    return compared(documentation, { was, is, schema: published.schemas.get(name) })
  })
  const verdict = worst(findings)
  return { verdict, findings, lines: linesOf(findings, verdict) }
}

function compared(
  documentation: Documentation,
  { was, is, schema }: { was: Published; is: DocumentedEventType; schema: unknown },
): CheckFinding[] {
  const eventType = was.name
  const found: CheckFinding[] = []
  const say = (verdict: ChangeVerdict, sentence: string, changes: readonly SchemaChange[] = []) =>
    found.push({ eventType, verdict, sentence, changes })
  if (was.status === 'active' && is.event_type.status === 'archived') {
    say('breaking', 'is archived: it will not be sent any more.')
  }
  if (was.status === 'archived' && is.event_type.status === 'active') say('safe', 'is sent again.')
  for (const version of is.versions) {
    const listed = was.versions.find((each) => each.version === version.version)
    if (listed === undefined || listed.source_sha256 === sourceHash(version)) continue
    say(
      'breaking',
      `version ${version.version} is another one than is published. A version never changes; make a new one.`,
    )
  }
  const version = latestVersion(is)
  const gone = was.versions.filter((listed) => !is.versions.some((one) => one.version === listed.version))
  if (version !== undefined && gone.length > 0) {
    const which = gone.slice(0, namedMax).map((listed) => listed.version)
    const more = gone.length > namedMax ? ', …' : ''
    say('warning', `has not the version ${which.join(', ')}${more} any more: the address of its schema leads nowhere.`)
  }
  if (version === undefined) {
    if (was.latest_version > 0) say('breaking', 'has no schema any more.')
    return found
  }
  if (was.latest_version === 0) {
    say('safe', `has its first schema, version ${version.version}.`)
    return found
  }
  if (version.version < was.latest_version) {
    say('breaking', `goes back from version ${was.latest_version} to version ${version.version}.`)
  }
  // What we add to a schema says nothing about the data.
  const { verdict, changes, truncated } = schemaChanges(plain(schema), plain(publishedSchema(documentation, version)))
  if (changes.length > 0) {
    const more = truncated ? ' (there are more than are named)' : ''
    say(verdict, `changes from version ${was.latest_version} to version ${version.version}${more}:`, changes)
  }
  return found
}

/** Examples are no demand, and the name and the title change with the version. */
function plain(schema: unknown): unknown {
  if (schema === null || typeof schema !== 'object') return schema
  return without(schema as Record<string, unknown>, ['$id', '$schema', 'title', 'examples'])
}

function worst(findings: readonly CheckFinding[]): ChangeVerdict {
  return changeVerdicts.findLast((verdict) => findings.some((finding) => finding.verdict === verdict)) ?? 'safe'
}

const conclusions: Record<ChangeVerdict, string> = {
  safe: 'Nothing breaks receivers of what is published.',
  warning: 'Nothing breaks code that reads the data, but validators and columns may be too narrow.',
  breaking:
    'This breaks receivers of what is published. Keep what they rely on, or publish a new event type beside the old one.',
}

function linesOf(findings: readonly CheckFinding[], verdict: ChangeVerdict): string[] {
  const worstFirst = changeVerdicts.toReversed().flatMap((each) => findings.filter((one) => one.verdict === each))
  return [
    ...worstFirst.flatMap(({ eventType, verdict: own, sentence, changes }) => [
      `${own}: ${eventType} ${sentence}`,
      ...changes.map((change) => printable(`  ${change.verdict}: ${change.path}: ${change.sentence}`)),
    ]),
    conclusions[verdict],
  ]
}

/** A log is read in a terminal, which obeys control characters. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\ufffd')
}
