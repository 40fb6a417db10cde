/**
 * Business keys that are read out of the data, by a JSON pointer (RFC 6901) that stands with the event type. Publishing never
 * fails because of them: where the data holds nothing that can be a key, there is no key.
 */
import { isStorableText, limits } from '@posthorn/contract'
import { valueText } from './published-json.ts'

/** The name of a key, and where its value is. */
export type KeyPointers = Readonly<Record<string, string>>

/**
 * The keys of an event: those that its publisher gave, and of those that are read out of the data what names he did not
 * give. Strings are taken as they are and integers as they are written; anything else, an empty or an overlong text, and
 * what would be a key too many is left out.
 *
 * @param data valid JSON
 */
export function keysOfEvent(
  given: Readonly<Record<string, string>>,
  pointers: KeyPointers,
  data: string,
): Record<string, string> {
  const keys = new Map(Object.entries(given))
  for (const [name, pointer] of Object.entries(pointers)) {
    if (keys.has(name) || keys.size >= limits.businessKeysMax) continue
    const value = keyValue(valueText(data, tokensOf(pointer)))
    if (value !== undefined) keys.set(name, value)
  }
  return Object.fromEntries(keys)
}

/** `/a~1b/0` → `a/b`, `0`. */
function tokensOf(pointer: string): string[] {
  if (pointer === '') return []
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** @param literal a value as JSON has it */
function keyValue(literal: string | undefined): string | undefined {
  if (literal === undefined || literal.length > literalLengthMax) return undefined
  const text = /^-?\d+$/.test(literal) ? literal : literal.startsWith('"') ? String(JSON.parse(literal)) : ''
  const isKey = text !== '' && lengthOf(text) <= limits.businessKeyValueLengthMax && isStorableText(text)
  return isKey ? text : undefined
}

/** Each character of a text may be escaped: `\\ud83d\\udc4d`. Longer ones are not even read. */
const literalLengthMax = limits.businessKeyValueLengthMax * 12 + 2

/** As JSON Schema counts: characters and not UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length
}
