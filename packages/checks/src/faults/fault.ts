/**
 * What a fault is here: something that breaks of our own, brought about on purpose while events are published and
 * delivered, and a row that says what became of them.
 */
import type { Host } from '@posthorn/engine/embedded-postgres'

/** A line of the table. */
export type FaultRow = {
  fault: string
  /** Events that were acknowledged. */
  published: number
  /** Those of them that came, at least once. */
  delivered: number
  lost: number
  /** Requests for events that had come before. */
  duplicated: number
  /** As many of them as were in flight when a process was killed, or stopped for longer than its leases; else none. */
  duplicatesAllowed: number
  /** From the end of the fault (or the kill) until every subscription got an event that was published after it. */
  recoveredMs: number | null
  /** Whatever else was measured. */
  notes: readonly string[]
  /** What should not have been. Nothing else than these, lost events and forbidden duplicates makes a row fail. */
  wrong: readonly string[]
}

/** The fault could not be brought about here. */
export type Skipped = { skipped: string }

export type FaultParts = {
  /** The short form is for every run of the tests, the long one for `pnpm test:faults`. */
  size: 'short' | 'long'
  host: Host
  /** A database that is prepared, and gone afterwards. */
  openDatabase(): Promise<AsyncDisposable & { readonly url: string }>
  /** Told what is being done. */
  tell(line: string): void
  /** Ends everything. */
  stop: AbortSignal
}

export type Fault = {
  /** Its word on the command line. */
  name: string
  bringAbout(parts: FaultParts): Promise<readonly FaultRow[] | Skipped>
}

/** What is wrong with a row, or nothing. */
export function failuresOf(row: FaultRow): readonly string[] {
  const { lost, duplicated, duplicatesAllowed, wrong } = row
  return [
    ...(lost > 0 ? [`${lost} acknowledged events never came`] : []),
    ...(duplicated > duplicatesAllowed ? [`${duplicated} duplicates, and ${duplicatesAllowed} are allowed`] : []),
    ...wrong,
  ]
}
