/** A house rule: one sentence that holds everywhere, with its reason, and small houses that show that it can fail. */
import type { House } from './house.ts'
import type { Source } from './source.ts'

export type Finding = { readonly path: string; readonly line: number; readonly what: string }

export type Example = {
  /** Path to text. */
  readonly files: Readonly<Record<string, string>>
  /** The places that the rule finds, as `path:line`: none where the example keeps the rule. */
  readonly finds: readonly string[]
}

export type Rule = {
  /** What holds. The title of its test. */
  readonly sentence: string
  /** Why, and what to do instead; told with what was found. */
  readonly reason: string
  /** Everything that breaks the rule. */
  find(house: House): Iterable<Finding>
  readonly examples: readonly Example[]
}

/** What a reader needs to mend it: every place, then the reason. */
export function report(rule: Rule, findings: readonly Finding[]): string {
  return [...findings.map(({ path, line, what }) => `${path}:${line} ${what}`), `Why: ${rule.reason}`].join('\n')
}

/** Finds in each source by itself. */
export function inSources(find: (source: Source) => Iterable<Finding>): (house: House) => Finding[] {
  return ({ sources }) => sources.flatMap((source) => [...find(source)])
}

/** Every line of a text that matches, as findings. */
export function* matchingLines(
  path: string,
  text: string,
  pattern: RegExp,
  what: (match: string) => string,
): Iterable<Finding> {
  for (const [index, line] of text.split('\n').entries()) {
    const match = pattern.exec(line)
    if (match !== null) yield { path, line: index + 1, what: what(match[0]) }
  }
}

/** The first line of a file that has a text in it: where a finding about a manifest points. */
export function lineWith(text: string, part: string): number {
  return (
    Math.max(
      text.split('\n').findIndex((line) => line.includes(part)),
      0,
    ) + 1
  )
}
