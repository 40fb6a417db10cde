/**
 * Transforms: JSONata expressions by which a subscription makes the data that it is sent out of an event. They are written
 * by strangers, so they run elsewhere (`transforms/evaluators.ts`) and under limits, and whatever they do becomes either
 * JSON or a fault with a sentence.
 *
 * The same transform of the same event always makes the same bytes: it knows no time but that of the event and no chance.
 */
import { formatId, limits, Problem, type Uuid } from '@posthorn/contract'
import type { EvaluationFault, EvaluationLimits, EvaluatorRequest } from './transforms/evaluator/protocol.ts'
import { createEvaluators, EvaluatorsUnavailable } from './transforms/evaluators.ts'

/** Evaluators of a process where nobody says how many. The setting has the same default. */
const processesDefault = 2
/** How long a person waits for an evaluator, in milliseconds. */
const checkWaitMsMax = 5_000
/** What a caller is told to wait when there is none, in seconds. */
const retryAfterSeconds = 2

const evaluationLimits: EvaluationLimits = {
  msMax: limits.transformMsMax,
  memoryMibMax: limits.transformMemoryMibMax,
  resultBytesMax: limits.eventDataBytesMax,
  // As of published data, which stands one level deep in a body.
  resultDepthMax: limits.jsonDepthMax - 1,
  expressionDepthMax: limits.transformDepthMax,
  textLengthMax: limits.transformTextLengthMax,
  arrayLengthMax: limits.transformArrayLengthMax,
}

/** What a transform sees of an event. */
export type TransformedEvent = {
  id: Uuid
  type: string
  timestamp: Date
  keys: Readonly<Record<string, string>>
  /** JSON. */
  data: string
}

/** Whose transform it is: tenants and their subscriptions take turns. */
export type TransformOwner = { tenantId: string; subscriptionId: Uuid }

/** A transform failed at an event, and will fail again as long as neither changes. */
export class TransformFailed extends Error {
  override readonly name = 'TransformFailed'
  readonly code = 'transform_failed'
  /** The same for somebody who may see what events hold. */
  readonly told: string
  readonly position: number | null

  constructor({ code, position, detail, said }: EvaluationFault) {
    super(sentence({ code, position, detail }))
    this.told = sentence({ code, position, detail: said ?? detail })
    this.position = position
  }
}

export type Transforms = {
  /**
   * Whether a transform can be used.
   *
   * @param pointer where it stands in the request
   * @throws Problem `invalid_transform` with the reason, `overloaded`
   */
  check(transform: string, owner: TransformOwner, pointer: string): Promise<void>
  /**
   * The data that a transform makes of an event, as JSON.
   *
   * @throws TransformFailed; EvaluatorsUnavailable when it could not be tried in time; the reason of the signal
   */
  apply(
    transform: string,
    event: TransformedEvent,
    owner: TransformOwner,
    asking: { waitMsMax: number; signal?: AbortSignal },
  ): Promise<string>
  close(): void
}

/** One a process. It starts nothing before it is needed. */
export function createTransforms({ processes = processesDefault }: { processes?: number } = {}): Transforms {
  const evaluators = createEvaluators({ limits: evaluationLimits, processes })

  return {
    async check(transform, owner, pointer) {
      const bytes = Buffer.byteLength(transform)
      if (bytes > limits.transformBytesMax) {
        throw invalid(pointer, `is ${bytes} bytes; at most ${limits.transformBytesMax} are accepted`)
      }
      const request: EvaluatorRequest = { kind: 'check', transform }
      const asking = { turn: owner, waitMsMax: checkWaitMsMax }
      const answer = await evaluators.evaluate(request, asking).catch((error: unknown) => {
        throw error instanceof EvaluatorsUnavailable ? overloaded(error) : error
      })
      if ('fault' in answer) throw invalid(pointer, `cannot be used: ${sentence(answer.fault)}`)
    },
    async apply(transform, event, owner, asking) {
      const { tenantId } = owner
      const nowMs = event.timestamp.getTime()
      const request = { kind: 'apply' as const, transform, tenantId, input: inputOf(event), nowMs }
      const answer = await evaluators.evaluate(request, { turn: owner, ...asking })
      if ('fault' in answer) throw new TransformFailed(answer.fault)
      return answer.data
    },
    close: () => evaluators.close(),
  }
}

/** What is told to a caller whose transform could not be tried. */
export function overloaded(cause: EvaluatorsUnavailable): Problem {
  const detail = 'No transform can be evaluated at the moment. Nothing was changed; try again.'
  return new Problem('overloaded', detail, { retryAfterSeconds, cause })
}

/** The document that a transform sees. The bytes of `data` are put in as they are. */
function inputOf({ id, type, timestamp, keys, data }: TransformedEvent): string {
  const head = JSON.stringify({ id: formatId('event', id), type, timestamp: timestamp.toISOString(), keys })
  return `${head.slice(0, -1)},"data":${data}}`
}

/** A fault in one sentence, with the place, and with the code under which JSONata explains it. */
function sentence({ code, position, detail }: Pick<EvaluationFault, 'code' | 'position' | 'detail'>): string {
  const place = position === null ? '' : `, near character ${position}`
  const named = /^[SDT]\d{4}$/.test(code) ? ` (JSONata ${code})` : ''
  return `${detail.replace(/\.$/, '')}${place}${named}.`
}

function invalid(pointer: string, detail: string): Problem {
  const place = detail.replace(/\.$/, '')
  return new Problem('invalid_transform', `${pointer.slice(1)} ${place}.`, { errors: [{ pointer, detail: place }] })
}
