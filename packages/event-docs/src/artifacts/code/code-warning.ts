/** What went wrong for one event type, which costs it something and not the whole. */
export type DocsWarning = {
  readonly eventType: string
  /** The file, or the language, that has less than it should. */
  readonly artifact: string
  /** For the operator. */
  readonly detail: string
}
