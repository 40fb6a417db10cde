/** What is said of a field beside what it has to keep to. */
import { isObject, type Keywords, listOf } from '@posthorn/contract'
import type { SchemaField, Sensitivity } from './fields.ts'

/** Examples of one field that are shown. */
const examplesMax = 5

export type Remarks = Pick<SchemaField, 'title' | 'description' | 'default' | 'examples' | 'deprecated' | 'sensitivity'>

/** @param parts what all says something of the field, the nearest first: its own words come before those it refers to */
export function remarksOf(parts: readonly Keywords[]): Remarks {
  const withDefault = parts.find((part) => Object.hasOwn(part, 'default'))
  return {
    title: textIn(parts, 'title'),
    description: textIn(parts, 'description'),
    default: withDefault === undefined ? undefined : { value: withDefault['default'] },
    examples: listOf(parts.find((part) => listOf(part['examples']).length > 0)?.['examples']).slice(0, examplesMax),
    deprecated: parts.some((part) => part['deprecated'] === true),
    sensitivity: sensitivityOf(parts),
  }
}

/** The first text of that name. */
export function textIn(parts: readonly Keywords[], name: string): string | undefined {
  const found = parts.map((part) => part[name]).find((text) => typeof text === 'string' && text !== '')
  return typeof found === 'string' ? found : undefined
}

function sensitivityOf(parts: readonly Keywords[]): Sensitivity[] {
  const has = (name: string) => parts.some((part) => isMark(part[name]))
  return [
    ...(has('x-sensitive') ? (['sensitive'] as const) : []),
    ...(has('x-personal-data') ? (['personal data'] as const) : []),
  ]
}

/** Some authors say `true`, others which kind it is. */
function isMark(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value !== '' && value !== 'false') || isObject(value)
}
