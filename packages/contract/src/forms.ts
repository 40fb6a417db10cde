/**
 * Forms of texts: a regular expression for programs, and beside it the sentence that people are told when they write
 * something else. Nobody who has mistyped a date wants to read an expression of two hundred characters.
 */

const sentences = new Map<string, string>()

/**
 * Makes a form known, and gives back its JSON-Schema pattern.
 *
 * @param must goes on after the place that is wrong: `must be …`, with an example
 */
export function form(pattern: string, must: string): string {
  sentences.set(pattern, must)
  return pattern
}

/** What a text that breaks the pattern is told; undefined for patterns that are not ours. */
export function formSentence(pattern: string): string | undefined {
  return sentences.get(pattern)
}
