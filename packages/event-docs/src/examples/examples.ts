/** Values of `data` that fit a version of a schema: those that its author gave, or one that is made up. */
export type Example = {
  /** For people: “Example 2”, “Smallest”. */
  readonly name: string
  readonly value: unknown
  /** Made up here, because the author gave none. */
  readonly generated: boolean
}

export type Examples = {
  readonly examples: readonly Example[]
  /** Why there is none, or why one that was given is left out. */
  readonly warnings: readonly string[]
}
