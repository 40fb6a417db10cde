/**
 * A realm: a world of JavaScript with JSONata in it and no way out. It has the objects of the language itself and none of
 * Node's, cannot make code from text, and cannot import anything. Only text goes in and comes out.
 *
 * Each transform of each tenant has one of its own, because an expression can change the realm that it runs in (see
 * realm-program.ts).
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import vm from 'node:vm'
import { decodeBase64, encodeBase64 } from './base64.ts'
import {
  type EvaluationFault,
  type EvaluationLimits,
  type EvaluatorAnswer,
  type EvaluatorReply,
  type EvaluatorRequest,
  ofTime,
  patientMsMax,
} from './protocol.ts'
import { realmProgram } from './realm-program.ts'

/** Realms kept ready. One costs 3 ms to make and up to 1 MiB to keep. */
const realmsMax = 24
/** Longest sentence of a fault, in UTF-16 units. */
const toldLengthMax = 600
/** Where checks are made: no input ever comes there. */
const checkRealm = ''

/**
 * A transform that was ended before it had used this part of its time was starved: at first nearly all of it counts, the
 * second time a part that whatever is quick enough does not need.
 */
const usedPart = 0.8
const usedPartPatient = 0.25

export type Realms = {
  evaluate(request: EvaluatorRequest): EvaluatorReply
}

/** @param cpuMs the time of the processor that this thread has used, in milliseconds */
export function createRealms(limits: EvaluationLimits, cpuMs: () => number): Realms {
  const program = new vm.Script(programText(limits), { filename: 'realm' })
  // Insertion order is age: the one used longest ago comes first.
  const realms = new Map<string, vm.Context>()

  function realmOf(name: string): vm.Context {
    const realm = realms.get(name) ?? newRealm(program)
    realms.delete(name)
    realms.set(name, realm)
    const [oldest] = realms.keys()
    if (realms.size > realmsMax && oldest !== undefined) realms.delete(oldest)
    return realm
  }

  /** @param timeout on the clock, in milliseconds */
  function evaluateWithin(timeout: number, part: number, request: EvaluatorRequest): EvaluatorReply {
    const name = request.kind === 'check' ? checkRealm : JSON.stringify([request.tenantId, request.transform])
    const realm = realmOf(name)
    const begunMs = cpuMs()
    try {
      realm['request'] = JSON.stringify(request)
      begin.runInContext(realm, { timeout })
      return answerOf(take.runInContext(realm), limits)
    } catch (error) {
      // What was interrupted is in no defined state.
      realms.delete(name)
      if (!isTimeout(error)) throw error
      return cpuMs() - begunMs < limits.msMax * part ? { starved: true } : { fault: ofTime(limits) }
    }
  }

  return {
    evaluate(request) {
      const reply = evaluateWithin(limits.msMax, usedPart, request)
      return 'starved' in reply ? evaluateWithin(patientMsMax(limits), usedPartPatient, request) : reply
    },
  }
}

const begin = new vm.Script('tools.begin(request)')
const take = new vm.Script('tools.take()')

function newRealm(program: vm.Script): vm.Context {
  const realm = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
    codeGeneration: { strings: false, wasm: false },
    // Promises of the realm are kept before `runInContext` returns, and its time-out holds for them too.
    microtaskMode: 'afterEvaluate',
  })
  program.runInContext(realm)
  return realm
}

/** What a request led to, from the text that the realm gave. Nothing that it says is taken on trust. */
function answerOf(taken: unknown, limits: EvaluationLimits): EvaluatorAnswer {
  if (typeof taken !== 'string')
    return { fault: fault('pending', 'The transform waits for something that never comes') }
  const text = taken.slice(1)
  const value = parsed(text)
  if (taken.startsWith('!')) return { fault: faultOf(value) }
  if (value === undefined) return { fault: fault('unknown', 'JSONata could not evaluate the expression') }
  if (Buffer.byteLength(text) <= limits.resultBytesMax) return { data: text }
  return { fault: fault('result_too_large', `The result is longer than ${limits.resultBytesMax} bytes of JSON`) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function faultOf(told: unknown): EvaluationFault {
  const { code, position, detail, said } = Object(told)
  return {
    code: String(code).slice(0, 40),
    position: Number.isSafeInteger(position) ? position : null,
    detail: String(detail).slice(0, toldLengthMax),
    said: typeof said === 'string' ? said.slice(0, toldLengthMax) : null,
  }
}

function fault(code: string, detail: string): EvaluationFault {
  return { code, position: null, detail, said: null }
}

function isTimeout(error: unknown): boolean {
  // It may come from the other realm, where `Error` is another class.
  return Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

/** JSONata as it is installed, wrapped as CommonJS, and the program applied to it. */
function programText(limits: EvaluationLimits): string {
  const jsonata = readFileSync(createRequire(import.meta.url).resolve('jsonata'), 'utf8')
  // JSONata looks for base64 where a browser has it.
  return `
    const window = { btoa: ${encodeBase64}, atob: ${decodeBase64} }
    const library = { exports: {} };
    (function (module, exports) { ${jsonata}
    })(library, library.exports)
    const tools = (${realmProgram})(library.exports, ${JSON.stringify(limits)})`
}
