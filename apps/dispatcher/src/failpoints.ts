/**
 * Named places in the life of an attempt at which a test may end the process, or look at the clock.
 *
 * What a process does at them is handed in by its main, like its clock. Every main of ours hands in nothing: no setting,
 * no variable and no request leads here, and passing one costs a call of an empty function.
 */

export const failpoints = [
  /** Nothing is taken yet. */
  'before_claim',
  /** The attempts are counted and leased; no request has begun. */
  'after_claim',
  /** The request is signed, and not a byte of it sent. */
  'before_request',
  /** The receiver has answered, or its time is over; nobody but this process knows. */
  'after_request',
  /** The outcome is about to be written, together with others. */
  'before_record',
  /** It is committed; nobody has been told. */
  'after_record',
] as const

export type Failpoint = (typeof failpoints)[number]

/** Told of each failpoint that is passed. */
export type PassFailpoint = (failpoint: Failpoint) => void

export const passAll: PassFailpoint = () => undefined
