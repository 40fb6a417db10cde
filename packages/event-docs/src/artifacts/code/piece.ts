/** What a generator is asked for, and what comes back: one event type in one language. */
import type { Keywords } from '../schema-document.ts'

export type Piece = {
  readonly language: 'typescript' | 'go' | 'python'
  /** The name of the type that is made. */
  readonly name: string
  readonly schema: Keywords
}

export type Made = { readonly text: string } | { readonly failure: string }
