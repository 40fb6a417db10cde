/**
 * Examples of the data of one version. Those of the author come first; where none of them fits the schema, or none was
 * given, some are made up: with all fields, in each of the variants, and the smallest. Whatever is shown was held to the
 * schema; what could not be found is said.
 *
 * The same version has the same examples at any time and on any machine. (A schema that takes longer than the limit to
 * make one has none; that hangs on the machine, and no schema that a person wrote comes near it.)
 */
import { canonical, type EventTypeVersion, listOf, Problem } from '@posthorn/contract'
import { type CompiledSchema, createSchemas, TimeLimitExceeded, withinTime } from '@posthorn/json-schema'
import { eachField, type SchemaVariant } from '../schema-fields/fields.ts'
import { schemaFields } from '../schema-fields/schema-fields.ts'
import { exampleValue, NoExample, type Plan } from './example-value.ts'
import type { Example, Examples } from './examples.ts'

/** Tries for one example. Each does something differently. */
const attemptsMax = 6
/** An example takes a few milliseconds. Generous, because a stalled machine counts too. */
const makeMsMax = 500
const variantsMax = 8
/** From the third attempt on, members further down are left out. */
const attemptsWithAll = 2
const allFields = 'All fields'
const labelLengthMax = 60

/** What an event type's examples are made from. */
export type ExamplesSource = Pick<EventTypeVersion, 'event_type' | 'version' | 'schema' | 'examples'>

/** Its compiler is made once: it takes longer than most schemas. */
const schemas = createSchemas()

export function examplesOf({ event_type, version, schema, examples }: ExamplesSource): Examples {
  const given = givenIn(schema, examples)
  const compiled = compile(schema)
  if ('refusal' in compiled) {
    const left = given.length > 0 ? ', so its examples cannot be checked and are left out' : ''
    return { examples: [], warnings: [`There is no example. ${compiled.refusal}${left}.`] }
  }
  const { fitting, warnings } = fittingOf(given, compiled)
  if (fitting.length > 0) {
    const name = (index: number) => (fitting.length === 1 ? 'Example' : `Example ${index + 1}`)
    return { examples: fitting.map((value, index) => ({ name: name(index), value, generated: false })), warnings }
  }
  const made = generated({ event_type, version, schema }, compiled)
  return { examples: made.examples, warnings: [...warnings, ...made.warnings] }
}

/** The author's own that fit, and nothing that was made up. Nothing is compiled where there are none. */
export function givenExamplesOf({ schema, examples }: ExamplesSource): unknown[] {
  const given = givenIn(schema, examples)
  if (given.length === 0) return []
  const compiled = compile(schema)
  return 'refusal' in compiled ? [] : fittingOf(given, compiled).fitting
}

function fittingOf(given: readonly unknown[], compiled: CompiledSchema): { fitting: unknown[]; warnings: string[] } {
  const warnings: string[] = []
  const fitting = given.filter((value, index) => {
    const [misfit] = compiled.check(value)
    if (misfit !== undefined)
      warnings.push(`Example ${index + 1} does not fit the schema and is left out: ${said(misfit)}.`)
    return misfit === undefined
  })
  return { fitting, warnings }
}

/** Those of the version, and those that the schema names itself; each once. */
function givenIn(schema: Readonly<Record<string, unknown>>, examples: readonly unknown[]): unknown[] {
  return [...new Map([...examples, ...listOf(schema['examples'])].map((value) => [canonical(value), value])).values()]
}

function compile(schema: unknown): CompiledSchema | { refusal: string } {
  try {
    return schemas.compile(schema)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { refusal: error.message.replace(/\.$/, '') }
  }
}

/** An example that is wanted, under the name that it is shown by. */
type Wish = { name: string; plan: Pick<Plan, 'members' | 'form'> }
type Made = { name: string; value: unknown; without: readonly string[] }
/** `isOver`: the schema is one that takes too long, and nothing more is tried. */
type NotMade = { reason: string; isOver: boolean }

function generated(source: Omit<ExamplesSource, 'examples'>, compiled: CompiledSchema): Examples {
  const found = new Map<string, Example>()
  const warnings = new Set<string>()
  let reason = ''
  for (const wish of wishesFor(source.schema)) {
    const made = fulfil(wish, source, compiled)
    if ('reason' in made) {
      reason = made.reason
      if (wish.plan.form !== undefined) warnings.add(`There is no example of ${wish.name}: ${reason}.`)
      if (made.isOver) break
      continue
    }
    for (const pointer of made.without)
      warnings.add(`The examples are without ${pointer}: no value was found that fits.`)
    const text = canonical(made.value)
    // The same value under two names says nothing more.
    if (!found.has(text)) found.set(text, { name: made.name, value: made.value, generated: true })
  }
  const [first, ...others] = found.values()
  if (first === undefined) return { examples: [], warnings: [...warnings, `There is no example: ${reason}.`] }
  const examples = others.length === 0 ? [{ ...first, name: 'Example' }] : [first, ...others]
  return { examples, warnings: [...warnings] }
}

/** Each variant of the data, or of the first place in it that has several; else all fields at once; and the smallest. */
function wishesFor(schema: unknown): Wish[] {
  const variants = variantsIn(schema).slice(0, variantsMax)
  const smallest: Wish = { name: 'Smallest', plan: { members: 'required', form: undefined } }
  if (variants.length < 2) return [{ name: allFields, plan: { members: 'all', form: undefined } }, smallest]
  const each = variants.map(({ label, path }, index): Wish => {
    return { name: `Variant ${label.slice(0, labelLengthMax)}`, plan: { members: 'all', form: { path, index } } }
  })
  return [...each, smallest]
}

function variantsIn(schema: unknown): readonly SchemaVariant[] {
  const { root } = schemaFields(schema)
  if (root === undefined) return []
  for (const { path, variants } of eachField(root)) {
    const areObjects = variants.length > 1 && variants.every(({ types }) => types === 'object')
    if (areObjects && (path === 'data' || variants.every(({ discriminator }) => discriminator !== undefined)))
      return variants
  }
  return []
}

function fulfil(
  { name, plan }: Wish,
  source: Omit<ExamplesSource, 'examples'>,
  compiled: CompiledSchema,
): Made | NotMade {
  const { event_type, version, schema } = source
  const thing = event_type.split('.')[0] ?? event_type
  const seed = `${event_type}@${version} ${name}`
  const without = new Set<string>()
  let reason = 'no value was found that fits the schema'
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      const value = withinTime(makeMsMax, () => exampleValue(schema, { ...plan, without, attempt }, seed, thing))
      const misfits = compiled.check(value)
      if (misfits.length === 0) {
        const isWhole = without.size === 0 && attempt < attemptsWithAll
        return { name: isWhole || name !== allFields ? name : 'Example', value, without: leftOut(without, value) }
      }
      for (const { pointer, detail } of misfits) {
        if (detail.startsWith('could not be checked')) return { reason: `it ${detail}`, isOver: true }
        if (pointer !== '') without.add(pointer)
      }
    } catch (error) {
      if (error instanceof TimeLimitExceeded) return { reason: 'it takes too long to make one', isOver: true }
      if (!(error instanceof NoExample)) throw error
      reason = error.message
    }
  }
  return { reason, isOver: false }
}

/** Those that are really not there. */
function leftOut(without: ReadonlySet<string>, value: unknown): string[] {
  return [...without].filter((pointer) => !isAt(value, pointer))
}

function isAt(value: unknown, pointer: string): boolean {
  let at = value
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, name)) return false
    at = (at as Readonly<Record<string, unknown>>)[name]
  }
  return true
}

function said({ pointer, detail }: { pointer: string; detail: string }): string {
  return `${pointer === '' ? 'it' : pointer} ${detail}`
}
