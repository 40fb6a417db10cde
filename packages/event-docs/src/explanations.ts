/**
 * What the words of closed lists mean, read from the documents that explain them: the same text for whoever runs Posthorn
 * and whoever receives from it, written once.
 */
import { readFileSync } from 'node:fs'
import { type FailureCode, failureCodes, receiverChecks } from '@posthorn/contract'

export type Explanation = {
  /** The first paragraph: what happened. */
  readonly meaning: string
  /** The others: usual causes, and what to do. Prose with code and strong words, without links. */
  readonly paragraphs: readonly string[]
}

export type Explanations = {
  failure(code: FailureCode): Explanation
  receiverCheck(name: (typeof receiverChecks)[number]): Explanation
}

const folder = new URL('../../../docs/', import.meta.url)

/** @throws Error when a word is not explained where it should be */
export function readExplanations(): Explanations {
  return {
    failure: explained('errors.md', failureCodes),
    receiverCheck: explained('receiver-check.md', receiverChecks),
  }
}

function explained<Word extends string>(document: string, words: readonly Word[]): (word: Word) => Explanation {
  const sections = new Map(
    readFileSync(new URL(document, folder), 'utf8')
      .split(/^### /m)
      .slice(1)
      .map((section) => {
        const [title = '', ...lines] = section.split(/\n/)
        // The next chapter is not part of the last section.
        const body = lines.join('\n').split(/^## /m, 1)[0] ?? ''
        return [title.trim(), body] as const
      }),
  )
  const explanations = new Map<Word, Explanation>(
    words.map((word) => {
      const [meaning, ...paragraphs] = paragraphsOf(sections.get(word) ?? '')
      if (meaning === undefined) throw new Error(`docs/${document} does not explain ${word}`)
      return [word, { meaning, paragraphs: paragraphs.filter((text) => !text.startsWith('Do, as the operator')) }]
    }),
  )
  return (word) => explanations.get(word) ?? { meaning: '', paragraphs: [] }
}

/** Each on one line, and without the links: they lead to pages for the operator. */
function paragraphsOf(markdown: string): string[] {
  return markdown
    .split(/\n\s*\n/)
    .map((text) => text.replaceAll(/\s*\n\s*/g, ' ').trim())
    .filter((text) => text !== '')
    .map((text) => text.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll(/ \((decision \d+|configuration)\)/g, ''))
}
