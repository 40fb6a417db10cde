/** The fields of a schema as rows of a table. */
import { authored, code, mark, type Row, type Span, type Spans } from '../page/blocks.ts'
import type { FieldContent, FieldValues, SchemaField, SchemaVariant } from '../schema-fields/fields.ts'

/** Values listed in a cell; the schema has them all. */
const valuesShownMax = 30
const exampleLengthMax = 80

/** `data` first, then what is in it. The columns are the field, its type, and what it means. */
export function fieldRows(root: SchemaField): Row[] {
  return rowsOf(root, 0)
}

function rowsOf(field: SchemaField, depth: number): Row[] {
  return [rowOf(field, depth), ...contentRows(field, depth)]
}

/** Variants take a level of the table, although they are none of the data. */
function contentRows({ children, variants }: FieldContent, depth: number): Row[] {
  return [
    ...children.flatMap((child) => rowsOf(child, depth + 1)),
    ...variants.flatMap((variant) => [variantRow(variant, depth + 1), ...contentRows(variant, depth + 1)]),
  ]
}

function rowOf(field: SchemaField, depth: number): Row {
  const { path, name, types } = field
  return { id: path, depth, cells: [[code(depth === 0 ? path : name)], [types], descriptionOf(field)] }
}

function variantRow(variant: SchemaVariant, depth: number): Row {
  const { label, discriminator, description } = variant
  const spans: Span[] = []
  if (discriminator !== undefined)
    spans.push('When ', code(lastOf(discriminator.path)), ' is ', code(json(discriminator.value)), '. ')
  if (description !== undefined) spans.push(...authored(description))
  return { depth, cells: [['Variant ', { kind: 'strong', text: label }], [variant.types], withDetails(spans, variant)] }
}

function descriptionOf(field: SchemaField): Spans {
  const spans: Span[] = []
  if (!field.required && field.depth > 0) spans.push(mark('optional'), ' ')
  if (field.deprecated) spans.push(mark('deprecated', 'warning'), ' ')
  for (const one of field.sensitivity) spans.push(mark(one, 'warning'), ' ')
  const words = field.description ?? field.title
  if (words !== undefined) spans.push(...authored(words))
  withDetails(spans, field)
  if (field.default !== undefined) spans.push(...lineBreak(spans), 'Default: ', code(json(field.default.value)), '.')
  const [example] = field.examples
  if (example !== undefined && field.values === undefined && field.children.length === 0)
    spans.push(...lineBreak(spans), 'Example: ', code(cut(json(example))))
  if (field.since !== undefined && field.since > 1) spans.push(...lineBreak(spans), `Since version ${field.since}.`)
  return spans
}

/** Adds what holds for its values. */
function withDetails(spans: Span[], content: FieldContent): Spans {
  if (content.constraints.length > 0) spans.push(...lineBreak(spans), ...constraintSpans(content.constraints))
  if (content.values !== undefined) spans.push(...lineBreak(spans), ...valueSpans(content.values))
  if (content.refersTo !== undefined)
    spans.push(...lineBreak(spans), 'Has the same fields as ', code(content.refersTo), '.')
  return spans
}

/** Patterns and formats are taken by their letters, so that they stand as code. */
function constraintSpans(constraints: readonly string[]): Span[] {
  return constraints.flatMap((constraint, index) => {
    const shown = index === 0 ? capitalized(constraint) : `; ${constraint}`
    const [, before = shown, literal] = /^(.*?\b(?:pattern|format) )(.+)$/i.exec(shown) ?? []
    return literal === undefined ? [shown] : [before, code(literal)]
  })
}

function lineBreak(spans: readonly Span[]): Span[] {
  return spans.length === 0 ? [] : [{ kind: 'break' }]
}

function valueSpans({ list, more, open }: FieldValues): Span[] {
  const shown = list.slice(0, valuesShownMax)
  const left = list.length - shown.length + more
  const spans: Span[] = [open ? 'Known values: ' : list.length === 1 && left === 0 ? 'Always ' : 'One of ']
  for (const [index, { value, title, description }] of shown.entries()) {
    if (index > 0) spans.push(', ')
    spans.push(code(json(value)))
    const words = description ?? title
    if (words !== undefined) spans.push(` (${words})`)
  }
  if (left > 0) spans.push(` and ${left} more, listed in the JSON Schema`)
  spans.push(open ? '. New values may be added: have a default for them.' : '.')
  return spans
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined'
}

function cut(text: string): string {
  return text.length > exampleLengthMax ? `${text.slice(0, exampleLengthMax)}…` : text
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}
