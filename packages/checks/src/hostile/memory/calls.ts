/** What the process whose memory is watched is told to do, and what it answers. */

/** Sends so many requests to one URL at the same time. */
export type Order = { url: string; count: number; timeoutMs: number }

/** What came of them, and the resident memory of the process in bytes: before, at most, and after. */
export type Report = {
  outcomes: { status: number | null; failureCode: string | null; truncated: boolean; totalMs: number }[]
  before: number
  most: number
  after: number
}
