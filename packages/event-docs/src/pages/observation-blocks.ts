/** What was really published, beside what the schema declares. For the operator: it is in no build for customers. */
import type { Observations, ObservedField } from '@posthorn/contract'
import { type Block, code, heading, mark, note, type Row, type Span, say, table } from '../page/blocks.ts'
import { counted } from '../words.ts'

const findings: Readonly<Record<ObservedField['findings'][number], string>> = {
  undeclared: 'seen, not declared',
  never_seen: 'declared, never seen',
  required_missing: 'missing although required',
  undeclared_type: 'of another type',
  outside_list: 'values outside the list',
}

/** Rows of a table. A schema that nothing keeps to would fill a book. */
const rowsMax = 200

export function observationBlocks(observations: Observations | undefined): Block[] {
  if (observations === undefined) return []
  const { sample, data, compared, more_fields } = observations
  const differing = data.filter((field) => field.findings.length > 0)
  const blocks: Block[] = [
    heading(2, 'Observed'),
    note(
      'warning',
      say`For you as the operator only. Build the documentation for customers without \`--observations\`.`,
    ),
  ]
  if (sample.events === 0)
    return [...blocks, say`No event of this type has been published since ${sample.since.slice(0, 10)}.`]
  blocks.push(
    say`What ${sample.complete ? 'all' : 'a sample of'} ${counted(sample.events, 'event')} published since ${sample.since.slice(0, 10)} had in them, compared with the schema.`,
  )
  if (!compared) return [...blocks, say`There is no schema to compare them with.`]
  if (differing.length === 0)
    return [
      ...blocks,
      say`No difference: everything that was sent is declared, and everything that is declared was sent.`,
    ]
  blocks.push(
    table(
      'What differs from the schema',
      ['Field', 'Present in', 'What differs'],
      differing.slice(0, rowsMax).map(rowOf),
    ),
  )
  const left = differing.length - Math.min(differing.length, rowsMax) + more_fields
  if (left > 0) blocks.push(say`And ${counted(left, 'more place')}.`)
  return blocks
}

function rowOf(field: ObservedField): Row {
  const spans: Span[] = []
  for (const finding of field.findings) spans.push(mark(findings[finding], 'warning'), ' ')
  const others = field.types.filter(({ declared }) => !declared).map(({ type }) => type)
  if (others.length > 0 && field.declared) spans.push({ kind: 'break' }, `Sent as ${others.join(', ')}.`)
  const outside = (field.values ?? []).filter(({ declared }) => !declared)
  if (outside.length > 0) {
    spans.push({ kind: 'break' }, 'Not listed: ')
    for (const [index, { value, events }] of outside.entries())
      spans.push(index === 0 ? '' : ', ', code(JSON.stringify(value)), ` (${events})`)
    spans.push('.')
  }
  return { cells: [[code(field.path)], [`${field.percent} %`], spans] }
}
