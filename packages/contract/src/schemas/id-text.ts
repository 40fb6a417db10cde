import { Type } from 'typebox'
import { form } from '../forms.ts'
import { formatId, type IdNoun, idPattern } from '../ids.ts'

const exampleUuid = '019ab0fa-5c3e-7b1d-9a44-0c6f2e8d5b17'

/** An id of a noun, held to its form. */
export function Id(noun: IdNoun, options: { description?: string } = {}) {
  const example = formatId(noun, exampleUuid)
  const pattern = form(idPattern(noun), `must be ${withArticle(noun)}, such as ${example}`)
  return Type.String({ pattern, examples: [example], ...options })
}

function withArticle(noun: IdNoun): string {
  const words = noun === 'api_key' ? 'API key' : noun.replaceAll('_', ' ')
  return `the id of ${/^[aeiou]/i.test(words) ? 'an' : 'a'} ${words}`
}

/** The same in a path, where an id of the wrong form is simply not found. */
export function PathId(noun: IdNoun) {
  return Type.String({ examples: [formatId(noun, exampleUuid)] })
}
