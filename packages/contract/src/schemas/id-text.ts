import { Type } from 'typebox'
import { formatId, type IdNoun, idPattern } from '../ids.ts'

const exampleUuid = '019ab0fa-5c3e-7b1d-9a44-0c6f2e8d5b17'

/** An id of a noun, held to its form. */
export function Id(noun: IdNoun, options: { description?: string } = {}) {
  return Type.String({ pattern: idPattern(noun), examples: [formatId(noun, exampleUuid)], ...options })
}

/** The same in a path, where an id of the wrong form is simply not found. */
export function PathId(noun: IdNoun) {
  return Type.String({ examples: [formatId(noun, exampleUuid)] })
}
