/**
 * What the keywords of a schema ask for, read out of parts that all apply at once: the narrowest limit, what a member or
 * an item has to keep to. Whatever is not of the form that JSON Schema gives it says nothing.
 */
import { type Alternative, isObject, type Keywords } from './schema-document.ts'

export type End = 'min' | 'max'
export type Bound = { limit: number; exclusive: boolean }

export function objectOf(value: unknown): Keywords {
  return isObject(value) ? value : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function membersOf(part: Keywords): Keywords {
  return objectOf(part['properties'])
}

export function ownMember(members: Keywords, name: string): unknown[] {
  return Object.hasOwn(members, name) ? [members[name]] : []
}

/** What a part demands of a member. Where patterns might take the name, "all others" is not for sure. */
export function memberOf(part: Keywords, name: string, certainty?: 'for sure'): unknown[] {
  const own = ownMember(membersOf(part), name)
  if (own.length > 0) return own
  const isUncertain = certainty !== undefined && Object.keys(objectOf(part['patternProperties'])).length > 0
  return isUncertain ? [] : otherMembers(part)
}

/** What a part demands of members that it does not name. Closed objects are read as open ones. */
export function otherMembers({ additionalProperties }: Keywords): unknown[] {
  return isObject(additionalProperties) ? [additionalProperties] : []
}

export function isClosed({ additionalProperties, unevaluatedProperties }: Keywords): boolean {
  return additionalProperties === false || unevaluatedProperties === false
}

/** What a part demands of the item at a place; infinity for all behind the slots of both. */
export function itemAt(part: Keywords, index: number): unknown[] {
  const slot = listOf(part['prefixItems'])[index]
  if (slot !== undefined) return [slot]
  const { items } = part
  return items === undefined || items === false || items === true ? [] : [items]
}

/** The narrowest of the limits of that name; infinite for none. */
export function limitOf(parts: readonly Keywords[], name: string, end: End): number {
  const given = parts.map((part) => part[name]).filter((limit) => typeof limit === 'number')
  if (name === 'maxItems') given.push(...parts.flatMap(closedLength))
  return end === 'min' ? Math.max(...given) : Math.min(...given)
}

export function boundOf(parts: readonly Keywords[], end: End, values: Alternative['values']): Bound {
  const [plain, exclusive] = end === 'min' ? ['minimum', 'exclusiveMinimum'] : ['maximum', 'exclusiveMaximum']
  const numbers = [...(values?.values() ?? [])].filter((value) => typeof value === 'number')
  const ofValues = end === 'min' ? Math.min(...numbers) : Math.max(...numbers)
  const closed = limitOf(parts, plain ?? '', end)
  const included = numbers.length === 0 ? closed : tighter(closed, ofValues, end)
  const excluded = limitOf(parts, exclusive ?? '', end)
  const limit = tighter(included, excluded, end)
  return { limit, exclusive: limit === excluded && Number.isFinite(excluded) }
}

export function tighter(a: number, b: number, end: End): number {
  return end === 'min' ? Math.max(a, b) : Math.min(a, b)
}

/** A tuple that allows nothing behind its slots is limited to them. */
function closedLength(part: Keywords): number[] {
  return part['items'] === false ? [listOf(part['prefixItems']).length] : []
}
