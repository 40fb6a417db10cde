/**
 * Schemas of strangers, used without trusting them: JSON Schema 2020-12 by Ajv, with everything taken out by which a
 * schema could reach beyond itself or run for long.
 *
 * - Nothing is loaded, and references stay inside the schema (`rules.ts`).
 * - Patterns run on a linear engine, `uniqueItems` is linear, and only formats that are checked in linear time are known;
 *   an unknown format is a comment.
 * - Compiling and checking end after a fixed time whatever the schema is (`time-limit.ts`: about 0.2 ms a call).
 *
 * A schema that passes `compileSchema` may still be slow on data that nobody has tried. Then the data does not fit, with
 * a detail that says so: `check` never throws.
 */
import { canonical, Problem, type ProblemPlace } from '@posthorn/contract'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { type FormatName, fastFormats } from 'ajv-formats/dist/formats.js'
import { linearPattern, PatternRefused } from './linear-pattern.ts'
import { placesOf } from './places.ts'
import { schemaFaults } from './rules.ts'
import { TimeLimitExceeded, withinTime } from './time-limit.ts'

/** A schema of 64 KiB compiles in a tenth of this, in milliseconds. */
const compileMsMax = 1_000
/** Data of 256 KiB is checked in a tenth of this, in milliseconds. Generous, because a stalled machine counts too. */
const checkMsMax = 500
/** Places named in one refusal. */
const placesMax = 20
/** Compiled schemas kept by a `CheckSchema`. */
const compiledMax = 500

/** The formats that are held to. Left out: those whose expressions are not linear (`url`) or mean nothing (`password`). */
const formats = [
  'date', 'time', 'date-time', 'duration', 'uri', 'uri-reference', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid',
  'json-pointer', 'relative-json-pointer', 'int32', 'int64', 'float', 'double',
] as const satisfies readonly FormatName[] // biome-ignore format: one list

/** Schemas that keep to the rules, compiled. */
export type Schemas = {
  /**
   * Compiles a schema and holds its examples to it.
   *
   * @throws Problem `invalid_schema` with pointers into `{schema, examples}`
   */
  compile(schema: unknown, examples?: readonly unknown[]): CompiledSchema
}

export type CompiledSchema = {
  /** What does not fit: JSON Pointers into the data; nothing when all fits. */
  check(data: unknown): ProblemPlace[]
}

export function createSchemas(): Schemas {
  let ajv: Ajv2020 | undefined

  function compiled(schema: Record<string, unknown>): ValidateFunction {
    ajv ??= newAjv()
    const compiler = ajv
    try {
      return withinTime(compileMsMax, () => compileWith(compiler, schema))
    } catch (error) {
      // A compiler that was interrupted is in no defined state.
      ajv = undefined
      throw refusal(error)
    }
  }

  return {
    compile(schema, examples = []) {
      const faults = schemaFaults(schema)
      if (faults.length > 0) throw invalidSchema(faults)
      // `$id` would name the schema among all that are known; local references do not need it.
      const { $id: _name, ...nameless } = schema as Record<string, unknown> // an object, or it had a fault
      const validate = compiled(nameless)
      const misfits = examples.flatMap((example, index) =>
        check(validate, example).map(({ pointer, detail }) => ({ pointer: `/examples/${index}${pointer}`, detail })),
      )
      if (misfits.length > 0) throw invalidSchema(misfits.slice(0, placesMax))
      return { check: (data) => check(validate, data) }
    },
  }
}

/**
 * Holds data to one version of an event type's schema.
 *
 * @param dataText valid JSON
 * @returns JSON Pointers into the data; nothing when all fits
 */
export type CheckSchema = (eventType: string, version: number, dataText: string) => Promise<ProblemPlace[]>

/**
 * Checks published data, with the compiled schemas kept.
 *
 * @param load gives the schema of a version, which never changes, or `undefined` when there is none (then all data fits)
 */
export function checkWith(load: (eventType: string, version: number) => Promise<unknown>): CheckSchema {
  const schemas = createSchemas()
  // Insertion order is age: the one used longest ago comes first.
  const kept = new Map<string, CompiledSchema>()

  async function compiledOf(eventType: string, version: number): Promise<CompiledSchema> {
    const key = `${eventType}@${version}`
    const compiled = kept.get(key) ?? compile(schemas, await load(eventType, version))
    kept.delete(key)
    kept.set(key, compiled)
    for (const oldest of kept.keys()) {
      if (kept.size <= compiledMax) break
      kept.delete(oldest)
    }
    return compiled
  }

  return async (eventType, version, dataText) => {
    const compiled = await compiledOf(eventType, version)
    const places = compiled.check(JSON.parse(dataText))
    // Compiled anew next time: an interrupted check may have left the patterns' own tables half written.
    if (places.some(({ detail }) => detail === tookTooLong)) kept.delete(`${eventType}@${version}`)
    return places
  }
}

function newAjv(): Ajv2020 {
  // `addUsedSchema` stays on: without it `$ref: '#'` is not found. A schema without a name takes the place of the last one.
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    logger: false,
    inlineRefs: false,
    // Without it `required: ["toString"]` would be met by every object.
    ownProperties: true,
    code: { regExp: Object.assign(linearRegExp, { code: 'linearRegExp' }) },
  })
  for (const name of formats) ajv.addFormat(name, fastFormats[name])
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, items: readonly unknown[]) => !wanted || areUnique(items),
    error: { message: 'must not contain the same item twice' },
  })
  // The meta-schema is compiled here, so that its 20 ms do not count against the first schema.
  ajv.validateSchema({})
  return ajv
}

function compileWith(ajv: Ajv2020, schema: Record<string, unknown>): ValidateFunction {
  if (ajv.validateSchema(schema) !== true) throw invalidSchema(inSchema(placesOf(ajv.errors ?? [])))
  try {
    const validate = ajv.compile(schema)
    // A schema that refers to nothing but itself would never end; it shows on any value.
    for (const probe of [null, true, 0, '', [], {}]) validate(probe)
    return validate
  } finally {
    // Kept by the caller, not by the compiler.
    ajv.removeSchema(schema)
  }
}

/** Ajv tells compiled patterns apart by their text. */
function linearRegExp(pattern: string) {
  const compiled = linearPattern(pattern)
  return { test: (text: string) => compiled.test(text), toString: () => pattern }
}

/** Whether no two items are equal, by their canonical text: linear, where comparing each with each would be quadratic. */
function areUnique(items: readonly unknown[]): boolean {
  return new Set(items.map(canonical)).size === items.length
}

const tookTooLong = `could not be checked in ${checkMsMax} ms, so the schema or the data must become simpler`
const tooDeep = 'could not be checked: the schema refers to itself without end, or too deeply'

function check(validate: ValidateFunction, data: unknown): ProblemPlace[] {
  try {
    return withinTime(checkMsMax, () => (validate(data) ? [] : placesOf(validate.errors ?? [])))
  } catch (error) {
    if (error instanceof TimeLimitExceeded) return [{ pointer: '', detail: tookTooLong }]
    if (error instanceof RangeError) return [{ pointer: '', detail: tooDeep }]
    throw error
  }
}

function compile(schemas: Schemas, schema: unknown): CompiledSchema {
  if (schema === undefined) return { check: () => [] }
  try {
    return schemas.compile(schema)
  } catch (error) {
    // It was compiled when it was stored. If it no longer is, the data must not pass unchecked.
    if (!(error instanceof Problem)) throw error
    const detail = `could not be checked: ${error.message}`
    return { check: () => [{ pointer: '', detail }] }
  }
}

/** What made a schema fail to compile, for its author. */
function refusal(error: unknown): unknown {
  if (error instanceof Problem) return error
  if (error instanceof TimeLimitExceeded) {
    return invalidSchema([{ pointer: '/schema', detail: `is too complex: it does not compile in ${compileMsMax} ms` }])
  }
  if (error instanceof PatternRefused) {
    const pattern = error.pattern.slice(0, 100)
    return invalidSchema([{ pointer: '/schema', detail: `the pattern ${JSON.stringify(pattern)} ${error.message}` }])
  }
  if (error instanceof RangeError)
    return invalidSchema([{ pointer: '/schema', detail: 'refers to itself without end' }])
  // Ajv says with plain errors what it cannot compile; there is nothing of ours in there to go wrong.
  const reason = error instanceof Error ? error.message : 'cannot be compiled'
  return invalidSchema([{ pointer: '/schema', detail: reason.slice(0, 300) }])
}

function inSchema(places: readonly ProblemPlace[]): ProblemPlace[] {
  return places.map(({ pointer, detail }) => ({ pointer: `/schema${pointer}`, detail }))
}

function invalidSchema(errors: readonly ProblemPlace[]): Problem {
  const [first] = errors
  const place = first === undefined ? 'It cannot be compiled.' : `${first.pointer}: ${first.detail}.`
  return new Problem('invalid_schema', `The schema cannot be used. ${place}`, {
    errors: errors.slice(0, placesMax),
  })
}
