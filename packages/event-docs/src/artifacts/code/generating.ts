/** Code for each event type by itself, from the newest version of its schema; what fails is told and has none. */

import { byName } from '../../by-name.ts'
import { type Documentation, latestVersion } from '../../documentation.ts'
import type { DocumentedEventType } from '../../source.ts'
import { UnusableSchema } from '../schema-document.ts'
import type { CodeMaker } from './code-maker.ts'
import { type CodeName, codeNames } from './code-names.ts'
import type { DocsWarning } from './code-warning.ts'
import type { Piece } from './piece.ts'

export type GeneratedType = {
  readonly type: string
  readonly name: CodeName
  readonly eventType: DocumentedEventType
  /** Undefined where there is no schema, or nothing could be made of it. */
  readonly code: string | undefined
  /** Why there is no code. */
  readonly reason: string | undefined
}

export type Generated = { readonly types: readonly GeneratedType[]; readonly warnings: readonly DocsWarning[] }

/**
 * @param pieceOf what to ask for; throws UnusableSchema where nothing can be made of a schema
 * @param finished the text as it goes into a file; undefined when it is not what was asked for
 */
export async function generate(
  documentation: Documentation,
  maker: CodeMaker,
  language: {
    artifact: string
    pieceOf: (schema: unknown, name: CodeName, type: string) => Piece
    finished: (text: string, name: CodeName) => string | undefined
  },
): Promise<Generated> {
  const names = codeNames(documentation)
  const types = await Promise.all(byName(documentation.source).map(generated))
  const warnings = types.flatMap(({ type, eventType, reason }) => {
    const version = latestVersion(eventType)?.version
    if (reason === undefined || version === undefined) return []
    return [{ eventType: type, artifact: language.artifact, detail: `version ${version} is not described: ${reason}` }]
  })
  return { types, warnings }

  async function generated(eventType: DocumentedEventType): Promise<GeneratedType> {
    const type = eventType.event_type.name
    const name = names.get(type)
    if (name === undefined) throw new Error(`no name was given to ${type}`)
    const version = latestVersion(eventType)
    const made = version === undefined ? { failure: 'it has no schema' } : await makeOne(version.schema, name, type)
    const code = 'text' in made ? made.text : undefined
    return { type, name, eventType, code, reason: 'failure' in made ? made.failure : undefined }
  }

  async function makeOne(schema: unknown, name: CodeName, type: string) {
    const piece = pieceFor(schema, name, type)
    if ('failure' in piece) return piece
    const made = await maker.make(piece)
    if ('failure' in made) return made
    const text = language.finished(made.text, name)
    return text === undefined ? { failure: 'the generator made something else' } : { text }
  }

  function pieceFor(schema: unknown, name: CodeName, type: string): Piece | { failure: string } {
    try {
      return language.pieceOf(schema, name, type)
    } catch (error) {
      if (error instanceof UnusableSchema) return { failure: error.message }
      throw error
    }
  }
}
