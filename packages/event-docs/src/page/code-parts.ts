/**
 * What stands out in a block of code: the names, texts and other values of JSON, and the comments of other languages. No
 * more than that, so that it is right without a parser for each language; what is not told apart looks plain.
 */

export type CodePart = { readonly kind: 'plain' | 'comment' | 'name' | 'text' | 'value'; readonly text: string }

/** Each finds a comment, from a place where nothing else can be meant to the end of the line. */
const slashes = /(?<=^|\s)(?:\/\/.*|\/\*\*.*\*\/)$/gm
const hashes = /(?<=^|\s)#.*$/gm
const comments: Readonly<Record<string, RegExp>> = {
  js: slashes,
  go: slashes,
  java: slashes,
  csharp: slashes,
  rust: slashes,
  php: /(?<=^|\s)(?:\/\/.*|\/\*\*.*\*\/|\/\*\*|\*.*)$/gm,
  python: hashes,
  ruby: hashes,
  sh: hashes,
  sql: /(?<=^|\s)--.*$/gm,
}

/** Longer code stays plain: marks would make the page several times as long. */
const lengthMax = 100_000

/** All of the text, in its order. */
export function codeParts(language: string, text: string): CodePart[] {
  if (text.length > lengthMax) return [{ kind: 'plain', text }]
  if (language === 'json') return partsBy(text, jsonToken, kindInJson)
  const comment = Object.hasOwn(comments, language) ? comments[language] : undefined
  return comment === undefined ? [{ kind: 'plain', text }] : partsBy(text, comment, () => 'comment')
}

/** A text with what stands behind it when it is a name, or a number or a word. */
const jsonToken = /"(?:[^"\\]|\\.)*"(?=(\s*:)?)|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g

function kindInJson([token, colon]: RegExpMatchArray): CodePart['kind'] {
  if (!token.startsWith('"')) return 'value'
  return colon === undefined ? 'text' : 'name'
}

function partsBy(text: string, token: RegExp, kindOf: (found: RegExpMatchArray) => CodePart['kind']): CodePart[] {
  const parts: CodePart[] = []
  let end = 0
  for (const found of text.matchAll(token)) {
    if (found.index > end) parts.push({ kind: 'plain', text: text.slice(end, found.index) })
    parts.push({ kind: kindOf(found), text: found[0] })
    end = found.index + found[0].length
  }
  if (end < text.length) parts.push({ kind: 'plain', text: text.slice(end) })
  return parts
}
