/** The words of which the sentences about changes are made. */
import type { Alternative, JsonType, Keywords } from './schema-document.ts'

/** A value in a sentence is cut after so many characters. */
const valueLengthMax = 60

const typeWords: Record<JsonType, string> = {
  null: 'null',
  boolean: 'a boolean',
  number: 'a number',
  string: 'a string',
  array: 'an array',
  object: 'an object',
}

/** A plain name stands behind a dot, any other one in brackets. */
export function memberPath(name: string): string {
  return /^[A-Za-z_$][\w$-]*$/.test(name) ? `.${name}` : `[${shown(name)}]`
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.length > valueLengthMax ? `${text.slice(0, valueLengthMax)}…` : text
}

export function typesInWords(alternatives: readonly Alternative[]): string {
  const words = alternatives.map(({ type, integer }) => (integer ? 'an integer' : typeWords[type]))
  return inWords([...new Set(words)], 'or')
}

export function inWords(words: readonly string[], link: 'and' | 'or'): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} ${link} ${words.at(-1)}`
}

/** What tells a variant from the others: its title, or the constants of its members. */
export function variantInWords({ parts, type, integer, values }: Alternative): string {
  const title = parts.map((part) => part['title']).find((text) => typeof text === 'string')
  if (title !== undefined) return `the variant ${shown(title)}`
  const constants = [...constantsOf(parts)].slice(0, 3).map(([name, value]) => `${name}: ${shown(value)}`)
  if (constants.length > 0) return `the variant with ${inWords(constants, 'and')}`
  if (values !== undefined) return `the values ${inWords([...values.values()].slice(0, 3).map(shown), 'and')}`
  return `a variant that is ${integer ? 'an integer' : typeWords[type]}`
}

/** The members of an object that have one value only. */
export function constantsOf(parts: readonly Keywords[]): Map<string, unknown> {
  const constants = new Map<string, unknown>()
  for (const { properties } of parts) {
    if (properties === null || typeof properties !== 'object') continue
    for (const [name, schema] of Object.entries(properties)) {
      if (schema === null || typeof schema !== 'object') continue
      if (Object.hasOwn(schema, 'const')) constants.set(name, (schema as { const: unknown }).const)
      else if ('enum' in schema && Array.isArray(schema.enum) && schema.enum.length === 1)
        constants.set(name, schema.enum[0])
    }
  }
  return constants
}
