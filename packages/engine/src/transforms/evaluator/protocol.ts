/** What an evaluator is asked, and what it answers. Everything in it is text or a number: it crosses three borders. */

/** How much of the machine one transform may have. All of it counts, the reading of the input and the writing of the result too. */
export type EvaluationLimits = {
  /** Time, in milliseconds: of the processor, as far as that can be told, so that a busy machine fails no transform. */
  msMax: number
  /** Memory of the thread, in MiB: of everything in it, some 15 of them for the thread itself. */
  memoryMibMax: number
  /** The result as JSON, in bytes of UTF-8. */
  resultBytesMax: number
  /** Objects and arrays inside one another in the result. */
  resultDepthMax: number
  /** Parts of an expression inside one another. */
  expressionDepthMax: number
  /** One text, in UTF-16 units, and one array, in entries. */
  textLengthMax: number
  arrayLengthMax: number
}

export type EvaluatorRequest =
  /** Whether a transform can be used at all. */
  | { kind: 'check'; transform: string }
  /** What it makes of an input. */
  | {
      kind: 'apply'
      transform: string
      tenantId: string
      /** JSON. */
      input: string
      /** What the transform takes for the time of day, in Unix milliseconds. */
      nowMs: number
    }

export type EvaluatorAnswer = { data: string } | { fault: EvaluationFault }

/** What an evaluator says: an answer, or that it did not get the time of the processor that it needed for one. */
export type EvaluatorReply = EvaluatorAnswer | { starved: true }

/** How much longer than its limit a transform may take on the clock, because others use the processor too. */
const clockFactor = 4

/** The longest that an evaluation takes on the clock, in milliseconds: it is begun a second time if it was starved. */
export function clockMsMax({ msMax }: EvaluationLimits): number {
  return msMax + patientMsMax({ msMax })
}

/** The time on the clock of the second time, in milliseconds. */
export function patientMsMax({ msMax }: Pick<EvaluationLimits, 'msMax'>): number {
  return clockFactor * msMax
}

/**
 * Why a transform did not give its result. The words that are not JSONata's own: `time` and `memory` say that it took too
 * much, `range` that a text or a recursion went beyond what the language holds, `pending` that it waits for something that
 * never comes; the others are about the result or the expression.
 */
export type EvaluationFault = {
  code: string
  /** About where in the expression, in UTF-16 units; null when that is not known. */
  position: number | null
  /** A sentence without anything of the input in it. */
  detail: string
  /** The same in the words of the expression's author or with values of the input; null when there is no more to say. */
  said: string | null
}

/** What is told when the time is over. */
export function ofTime({ msMax }: EvaluationLimits): EvaluationFault {
  return { code: 'time', position: null, detail: `The transform took longer than ${msMax} ms`, said: null }
}

/** What is told when there is no memory left. */
export function ofMemory({ memoryMibMax }: EvaluationLimits): EvaluationFault {
  const detail = `The transform needs more memory than there is for it (${memoryMibMax} MiB)`
  return { code: 'memory', position: null, detail, said: null }
}
