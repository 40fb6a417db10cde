/**
 * The program that runs inside a realm, beside JSONata and nothing else. It is passed on as text (`String(realmProgram)`),
 * so it refers to nothing outside itself, and what leaves it is text.
 *
 * JSONata lets an expression take hold of more than its data: with the transform operator it can turn a function into an
 * object and so see the syntax tree, the environment and the definitions of the built-in functions, and change them.
 * Nothing here tries to forbid that. It changes the realm of one transform of one tenant, where nothing else ever runs.
 */
import type { Expression, ExprNode } from 'jsonata'
import type { EvaluationFault, EvaluationLimits, EvaluatorRequest } from './protocol.ts'

type Jsonata = (expression: string, options: { sequence: number }) => Expression

export type RealmTools = {
  /** Begins to work on a request (JSON). It is done when the realm's microtasks have run. */
  begin(request: string): void
  /** What came of it: `=` and the result, or `!` and the fault as JSON; undefined while there is nothing. */
  take(): string | undefined
}

/** @param jsonata the library, loaded in this realm */
export function realmProgram(jsonata: Jsonata, limits: EvaluationLimits): RealmTools {
  /** Longest part of an author's own words, or of a value, that is passed on, in UTF-16 units. */
  const saidLengthMax = 500
  /** Functions of JSONata that are not to be had here, and why. */
  const forbidden: Record<string, string> = {
    eval: 'an expression that is made of data cannot be checked',
    random: 'every attempt must send the same body',
    shuffle: 'every attempt must send the same body',
  }

  /** A refusal of ours: `detail` never holds anything of the input. */
  class Refused extends Error {
    readonly code: string
    readonly position: number | null

    constructor(code: string, detail: string, position?: number) {
      super(detail)
      this.code = code
      this.position = position ?? null
    }
  }

  let compiled: Expression | undefined
  let nowMs = 0
  let outcome: string | undefined
  pinTime()
  boundTexts()
  // Otherwise `__proto__` would be no member of an object, but its prototype.
  Reflect.deleteProperty(Object.prototype, '__proto__')
  Math.random = () => {
    throw new Refused('not_available', `$random and $shuffle are not available: ${forbidden['random']}`)
  }

  return {
    begin(text) {
      outcome = undefined
      const request: EvaluatorRequest = JSON.parse(text)
      const isCheck = request.kind === 'check'
      const settle = (fault: EvaluationFault): void => {
        outcome = `!${JSON.stringify(fault)}`
      }
      ;(isCheck ? check(request.transform) : apply(request)).then(
        (result) => {
          outcome = `=${result}`
        },
        (error: unknown) => faultOf(error, isCheck).then(settle),
      )
    },
    take: () => outcome,
  }

  async function apply(request: Extract<EvaluatorRequest, { kind: 'apply' }>): Promise<string> {
    nowMs = request.nowMs
    compiled ??= expressionOf(request.transform)
    return resultText(await compiled.evaluate(JSON.parse(request.input)))
  }

  function expressionOf(transform: string): Expression {
    const expression = jsonata(transform, { sequence: limits.arrayLengthMax })
    expression.registerFunction('eval', () => {
      throw new Refused('not_available', `$eval is not available: ${forbidden['eval']}`)
    })
    return expression
  }

  /** Whether an expression can be used: it can be read, is not too deep, and calls only what there is. */
  async function check(transform: string): Promise<string> {
    for (const [name, position] of functionsCalled(jsonata(transform, { sequence: 1 }).ast())) {
      const reason = Object.hasOwn(forbidden, name) ? forbidden[name] : undefined
      if (reason !== undefined) throw new Refused('not_available', `$${name} is not available: ${reason}`, position)
      const known: unknown = await jsonata(`$${name}`, { sequence: 1 }).evaluate(undefined)
      if (known === undefined) throw new Refused('unknown_function', `There is no function $${name}`, position)
    }
    return 'null'
  }

  /** The functions that are called by a name that the expression does not give itself, and where. */
  function functionsCalled(tree: ExprNode): Map<string, number | undefined> {
    type Node = Omit<ExprNode, 'type'> & { type?: string; focus?: string; index?: string }
    const called = new Map<string, number | undefined>()
    const given = new Set<unknown>()
    const seen = new Set<object>()
    const open: { node: Node; depth: number }[] = [{ node: tree, depth: 0 }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { node } = next
      if (seen.has(node)) continue
      seen.add(node)
      // Arrays, and pairs in them, are not levels of the expression.
      const depth = next.depth + (typeof node.type === 'string' ? 1 : 0)
      if (depth > limits.expressionDepthMax) {
        const detail = `The expression is nested deeper than ${limits.expressionDepthMax} levels`
        throw new Refused('expression_too_deep', detail, node.position)
      }
      if (node.type === 'bind' && node.lhs !== undefined && 'value' in node.lhs) given.add(node.lhs.value)
      if (node.type === 'lambda') for (const parameter of node.arguments ?? []) given.add(parameter.value)
      given.add(node.focus).add(node.index)
      const { procedure } = node
      if (procedure?.type === 'variable' && !called.has(procedure.value)) called.set(procedure.value, node.position)
      for (const inner of Object.values(node)) {
        if (inner !== null && typeof inner === 'object') open.push({ node: inner, depth })
      }
    }
    for (const name of given) called.delete(String(name))
    return called
  }

  /** Writes a result as JSON, the same one always in the same way. */
  function resultText(result: unknown): string {
    let left = limits.resultBytesMax
    return write(result, '', 0)

    function write(value: unknown, pointer: string, depth: number): string {
      if (typeof value === 'string' || value === null || typeof value === 'boolean')
        return counted(JSON.stringify(value))
      if (typeof value === 'number') {
        if (!Number.isFinite(value)) throw wrong(pointer, 'is a number that JSON does not have')
        return counted(JSON.stringify(value))
      }
      if (value === undefined) throw wrong(pointer, 'is nothing')
      if (isFunction(value)) throw wrong(pointer, 'is a function')
      if (depth >= limits.resultDepthMax) {
        const detail = `The result is nested deeper than ${limits.resultDepthMax} levels`
        throw new Refused('result_too_deep', detail)
      }
      return Array.isArray(value) ? writeArray(value, pointer, depth) : writeObject(value, pointer, depth)
    }

    function writeArray(items: readonly unknown[], pointer: string, depth: number): string {
      let text = counted('[')
      for (let index = 0; index < items.length; index += 1) {
        text += (index > 0 ? counted(',') : '') + write(items[index], `${pointer}/${index}`, depth + 1)
      }
      return text + counted(']')
    }

    function writeObject(object: object, pointer: string, depth: number): string {
      let text = ''
      for (const [name, value] of Object.entries(object)) {
        if (value === undefined) continue
        const place = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
        text += counted(`${text === '' ? '' : ','}${JSON.stringify(name)}:`) + write(value, place, depth + 1)
      }
      return counted('{') + text + counted('}')
    }

    /** There are not fewer bytes than units; the bytes are counted when the result has left the realm. */
    function counted(part: string): string {
      left -= part.length
      if (left < 0) {
        throw new Refused('result_too_large', `The result is longer than ${limits.resultBytesMax} bytes of JSON`)
      }
      return part
    }

    function wrong(pointer: string, what: string): Refused {
      // Names of members may come from the input, so a place is told by its numbers and depth only.
      const place = pointer === '' ? 'The result' : `A value in the result, ${pointer.split('/').length - 1} deep,`
      return new Refused('result_unusable', `${place} ${what}`)
    }
  }

  function isFunction(value: unknown): value is (...given: never[]) => unknown {
    if (typeof value === 'function') return true
    if (value === null || typeof value !== 'object') return false
    return ['_jsonata_function', '_jsonata_lambda'].some(
      (mark) => Object.getOwnPropertyDescriptor(value, mark)?.value === true,
    )
  }

  /** @param isCheck there was no input, so what JSONata says can only hold what the expression says */
  async function faultOf(error: unknown, isCheck: boolean): Promise<EvaluationFault> {
    if (error instanceof Refused)
      return { code: error.code, position: error.position, detail: error.message, said: null }
    if (error instanceof RangeError) {
      const detail = 'A text grew too long, or a function called itself too often'
      return { code: 'range', position: null, detail, said: null }
    }
    if (isCheck && error instanceof SyntaxError) {
      return { code: 'regex', position: null, detail: shortened(error.message), said: null }
    }
    const { code, position, token, value, value2, index, type, message } = Object(error)
    if (typeof code !== 'string') {
      return { code: 'unknown', position: null, detail: 'JSONata could not evaluate the expression', said: null }
    }
    const place = typeof position === 'number' ? position : null
    const said = typeof message === 'string' ? shortened(message) : null
    if (isCheck) return { code, position: place, detail: said ?? code, said: null }
    if (code === 'D2014' || code === 'D2015') {
      return { code, position: place, detail: `An array has more than ${limits.arrayLengthMax} entries`, said: null }
    }
    const ownWords = code === 'D3141' ? 'An $assert of the expression failed' : 'The expression called $error'
    const inWords = { value: wordFor(value), value2: wordFor(value2), message: ownWords }
    return { code, position: place, detail: await sentence({ code, token, index, type, ...inWords }), said }
  }

  /** JSONata's own sentence about an error, with words in the places of values. It is made where errors are told. */
  async function sentence(error: { code: string } & Record<string, unknown>): Promise<string> {
    const raising = jsonata('$raise()', { sequence: 1 })
    raising.registerFunction('raise', () => {
      throw error
    })
    try {
      return String(await raising.evaluate(undefined))
    } catch (told) {
      const { message } = Object(told)
      return typeof message === 'string' ? shortened(message) : error.code
    }
  }

  function wordFor(value: unknown): string {
    if (value === undefined) return 'nothing'
    if (value === null) return 'null'
    if (Array.isArray(value)) return 'an array'
    if (isFunction(value)) return 'a function'
    return { string: 'a text', number: 'a number', boolean: 'a truth value' }[String(typeof value)] ?? 'an object'
  }

  function shortened(text: string): string {
    return text.length <= saidLengthMax ? text : `${text.slice(0, saidLengthMax - 1)}…`
  }

  /** What asks for the time of day gets that of the event, so that `$now()` is the same at every attempt. */
  function pinTime(): void {
    class PinnedDate extends Date {
      constructor(...given: []) {
        super(...((given.length === 0 ? [nowMs] : given) as [number]))
      }

      static override now(): number {
        return nowMs
      }
    }
    Object.defineProperty(globalThis, 'Date', { value: PinnedDate })
  }

  /**
   * Refuses texts that are too long where they are made, with a sentence, instead of letting the thread run out of memory.
   * It is a courtesy: what is not thought of here ends at the limit of memory.
   */
  function boundTexts(): void {
    const { concat } = String.prototype
    String.prototype.concat = function (...parts) {
      let length = this.length
      for (const part of parts) length += part.length
      refuseLonger(length)
      return concat.apply(this, parts)
    }
    const { join } = Array.prototype
    Array.prototype.join = function (separator = ',') {
      refuseLonger(this.length - 1)
      let length = separator.length * Math.max(0, this.length - 1)
      for (let index = 0; index < this.length; index += 1) {
        if (typeof this[index] === 'string') length += this[index].length
      }
      refuseLonger(length)
      return join.call(this, separator)
    }
    jsonata('$replace', { sequence: 1 })
      .evaluate(undefined)
      .then((definition) => {
        const replace = definition.implementation
        // By these names JSONata finds the parameters when the function is applied to some of them.
        definition.implementation = async function (
          str: unknown,
          pattern: unknown,
          replacement: unknown,
          limit: unknown,
        ) {
          const replaced: unknown = await replace.call(this, str, pattern, replacement, limit)
          if (typeof replaced === 'string') refuseLonger(replaced.length)
          return replaced
        }
      })
  }

  function refuseLonger(length: number): void {
    if (length <= limits.textLengthMax) return
    throw new Refused('text_too_long', `A text is longer than ${limits.textLengthMax} characters`)
  }
}
