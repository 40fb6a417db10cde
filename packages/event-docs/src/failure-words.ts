/**
 * What each failure code means, read from docs/errors.md: the same words for whoever runs Posthorn and whoever receives
 * from it, written once.
 */
import { readFileSync } from 'node:fs'
import { type FailureCode, failureCodes } from '@posthorn/contract'

export type FailureWord = {
  /** The first paragraph: what happened. */
  readonly meaning: string
  /** The others: usual causes, and what to do. Prose with code and strong words, without links. */
  readonly paragraphs: readonly string[]
}
export type FailureWords = (code: FailureCode) => FailureWord

const file = new URL('../../../docs/errors.md', import.meta.url)

/** @throws Error when a code is not explained there */
export function readFailureWords(): FailureWords {
  const sections = new Map(
    readFileSync(file, 'utf8')
      .split(/^### /m)
      .slice(1)
      .map((section) => {
        const [title = '', ...lines] = section.split(/\n/)
        // The next chapter is not part of the last section.
        const body = lines.join('\n').split(/^## /m, 1)[0] ?? ''
        return [title.trim(), body] as const
      }),
  )
  const words = new Map<FailureCode, FailureWord>(
    failureCodes.map((code) => {
      const [meaning, ...paragraphs] = paragraphsOf(sections.get(code) ?? '')
      if (meaning === undefined) throw new Error(`docs/errors.md does not explain ${code}`)
      return [code, { meaning, paragraphs: paragraphs.filter((text) => !text.startsWith('Do, as the operator')) }]
    }),
  )
  return (code) => words.get(code) ?? { meaning: '', paragraphs: [] }
}

/** Each on one line, and without the links: they lead to pages for the operator. */
function paragraphsOf(markdown: string): string[] {
  return markdown
    .split(/\n\s*\n/)
    .map((text) => text.replaceAll(/\s*\n\s*/g, ' ').trim())
    .filter((text) => text !== '')
    .map((text) => text.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll(/ \((decision \d+|configuration)\)/g, ''))
}
