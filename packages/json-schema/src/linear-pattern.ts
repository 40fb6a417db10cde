/**
 * Regular expressions of strangers, matched in time linear in the text (RE2). `^(a+)+$` takes Node's own engine hours;
 * here it is an ordinary pattern.
 *
 * The price: look-around and back-references do not exist, a repetition counts to 1,000 at most, and `\s` and `.` know
 * only ASCII white space and `\n`. What is not supported is refused, never matched in another meaning.
 */
import { RE2JS, RE2JSException } from 're2js'

const patternLengthMax = 1_000

/** A pattern that cannot be used. The message says why; `pattern` names it. */
export class PatternRefused extends Error {
  override readonly name = 'PatternRefused'
  readonly code = 'pattern_refused'
  readonly pattern: string

  constructor(pattern: string, reason: string) {
    super(reason)
    this.pattern = pattern
  }
}

export type LinearPattern = {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean
}

/**
 * Compiles a pattern in the dialect of ECMA 262 that JSON Schema asks for.
 *
 * @throws PatternRefused
 */
export function linearPattern(pattern: string): LinearPattern {
  if (pattern.length > patternLengthMax) {
    throw new PatternRefused(pattern, `is longer than ${patternLengthMax} characters`)
  }
  // RE2JS would read a named back-reference as plain letters.
  if (/(?<!\\)(?:\\\\)*\\k/.test(pattern)) throw new PatternRefused(pattern, 'has a back-reference')
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern))
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new PatternRefused(
      pattern,
      'is not supported: only what can be matched in linear time (RE2) is, so no look-around and no back-references',
    )
  }
}
