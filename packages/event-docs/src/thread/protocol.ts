/** What the thread of a site and the one that asks it say to each other. */
import type { Artifact } from '../artifact.ts'
import type { createDocumentation } from '../documentation.ts'

/** What a site is made from, as the thread is given it when it starts. */
export type SiteGiven = Parameters<typeof createDocumentation>[0]

export type FileAsked = { readonly id: number; readonly path: string }

export type FileAnswered = { readonly id: number } & (
  | { readonly artifact: Artifact | undefined }
  /** A fault of ours. */
  | { readonly failure: string }
)
