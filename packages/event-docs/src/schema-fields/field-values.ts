/** The values that a field may have, with what their author says of each. */
import { type Alternative, canonical, isObject, type Keywords, listOf } from '@posthorn/contract'
import type { FieldValue, FieldValues } from './fields.ts'

/** Values that are listed in a row of a table; the others are counted. */
const valuesMax = 100

/**
 * Undefined when any value of the types may come.
 *
 * @param alternatives of the types that are no null
 */
export function valuesOf(alternatives: readonly Alternative[]): FieldValues | undefined {
  const parts = alternatives.flatMap((one) => one.parts)
  const given = [...new Map(alternatives.flatMap(({ values }) => [...(values ?? [])])).values()]
  const known = given.length > 0 ? given : parts.flatMap((part) => listOf(part['x-extensible-enum']))
  if (known.length === 0) return undefined
  const isListed = alternatives.every(({ values }) => values !== undefined)
  const open = !isListed || parts.some((part) => part['x-extensible-enum'] === true)
  const remarks = remarksIn(parts)
  const list = known.slice(0, valuesMax).map((value): FieldValue => {
    const remark = remarks.get(canonical(value)) ?? {}
    return { value, title: textOf(remark['title']), description: textOf(remark['description']) }
  })
  return { list, more: known.length - list.length, open }
}

/** What branches that are one constant each say of it. */
function remarksIn(parts: readonly Keywords[]): Map<string, Keywords> {
  const remarks = new Map<string, Keywords>()
  for (const part of new Set(parts)) {
    for (const branch of [...listOf(part['oneOf']), ...listOf(part['anyOf'])]) {
      if (isObject(branch) && Object.hasOwn(branch, 'const')) remarks.set(canonical(branch['const']), branch)
    }
  }
  return remarks
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
