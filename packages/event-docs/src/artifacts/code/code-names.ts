/**
 * Names of event types in programs: `invoice.paid` is `InvoicePaid`. Two types never get the same one, not even in another
 * case of letters, because some become names of files. The older type has the first choice, so a name does not change
 * when a type is added.
 */
import type { Documentation } from '../../documentation.ts'

export type CodeName = {
  /** `InvoicePaid`. */
  readonly base: string
  /** `invoice_paid`, for files and variables. */
  readonly stem: string
}

/** What the generated files say themselves, in lower case. */
const reserved = ['webhook', 'anywebhook', 'unknownwebhook', 'webhookevent', 'unknown']

export function codeNames({ source }: Pick<Documentation, 'source'>): ReadonlyMap<string, CodeName> {
  const types = source.event_types.map(({ event_type }) => event_type)
  const oldestFirst = types.toSorted((a, b) => order(a.created_at, b.created_at) || order(a.name, b.name))
  const bases = uniqueNames(reserved)
  const stems = uniqueNames(reserved)
  const names = new Map<string, CodeName>()
  for (const { name } of oldestFirst) {
    const words = wordsOf(name)
    names.set(name, { base: bases(joined(words)), stem: stems(words.join('_').toLowerCase()) })
  }
  return names
}

/** Gives each name once: the second `Line` is `Line_2`. */
export function uniqueNames(taken: Iterable<string> = []): (wanted: string) => string {
  const all = new Set([...taken].map((name) => name.toLowerCase()))
  return (wanted) => {
    let name = wanted
    for (let number = 2; all.has(name.toLowerCase()); number += 1) name = `${wanted}_${number}`
    all.add(name.toLowerCase())
    return name
  }
}

/** A name for a type, from any text: letters and digits of ASCII, a capital first. */
export function typeNameOf(text: string): string {
  return joined(wordsOf(text))
}

/** A letter behind a digit is a capital: the generator for TypeScript would make it one. */
function joined(words: readonly string[]): string {
  const name = words.map(upperFirst).join('')
  return name.replaceAll(/\d[a-z]/g, (letters) => letters.toUpperCase())
}

/** At least one word, which begins with a letter. */
function wordsOf(text: string): string[] {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return /^[A-Za-z]/.test(words[0] ?? '') ? words : ['event', ...words]
}

function upperFirst(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

function order(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
