/** Types in words, alone and of many: `integer`, `array of integers`, `map of strings or nulls`. */
import { inWords } from '@posthorn/contract'

export const anyValue = 'any value'

/** Of one place; several types of it are joined by "or", null last. */
export type TypeWords = { readonly one: readonly string[]; readonly many: readonly string[] }

const irregular: Readonly<Record<string, string>> = { [anyValue]: 'any values' }

export function typeWords(...words: string[]): TypeWords {
  return { one: words, many: words.map((word) => irregular[word] ?? `${word}s`) }
}

/** `array of strings`; plain `array` when nothing is known of the items. */
export function collectionWords(collection: 'array' | 'map', inner: TypeWords | undefined): TypeWords {
  if (inner === undefined || inner.one.length === 0) return typeWords(collection)
  const items = inWords(inner.many, 'or')
  return { one: [`${collection} of ${items}`], many: [`${collection}s of ${items}`] }
}

/** Each word once. */
export function joined(all: readonly TypeWords[]): TypeWords {
  const words = new Map(all.flatMap(({ one, many }) => one.map((word, index) => [word, many[index] ?? word] as const)))
  return { one: [...words.keys()], many: [...words.values()] }
}

export function typesInText({ one }: TypeWords): string {
  return one.length === 0 ? 'nothing' : inWords(one, 'or')
}
