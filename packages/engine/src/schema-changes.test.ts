/** The verdicts of `schemaChanges` held against the validator that published data is checked with. */
import { type ChangeVerdict, changeVerdicts, schemaChanges } from '@posthorn/contract'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'

type Schema = boolean | { [name: string]: unknown }
type Choose = <T>(options: readonly T[]) => T

const names = ['a', 'b', 'c']
const scalars = [null, 'a', 0, true, 'b', 1, 2, 'aaa', false, 4, 1.5, '']
const types = ['string', 'object', 'array', 'number', 'integer', 'null', 'boolean']
const small = [0, 1, 2, 3]
const reference = { $ref: '#/$defs/one' }

/** Choices are numbers, so that fast-check can make them smaller: the first option is the simplest. */
const choices = fc.array(fc.nat(9_999), { minLength: 0, maxLength: 160, size: 'max' })

function chooser(numbers: readonly number[]): Choose {
  let place = 0
  return (options) => {
    const number = numbers[place] ?? 0
    place += 1
    return options[number % options.length] as (typeof options)[number]
  }
}

function some<T>(choose: Choose, max: number, make: () => T): T[] {
  return Array.from({ length: choose(small.slice(0, max + 1)) }, make)
}

/** @param refers whether a reference may stand here, which must lie deeper in the data than what it refers to */
function schemaOf(choose: Choose, depth: number, refers = false): Schema {
  const plain: Schema[] = [
    {},
    { type: 'string' },
    { type: ['string', 'null'] },
    { enum: ['a', 'b'] },
    { type: 'integer' },
    true,
  ]
  if (depth === 0) return choose(plain)
  const inner = (deeper = refers) => schemaOf(choose, depth - 1, deeper)
  const within = () => inner(true)
  const named = (keys: readonly string[]) => Object.fromEntries(some(choose, 3, () => [choose(keys), within()]))
  const list = () => [inner(), ...some(choose, 1, inner)]
  const few = () => [...new Set(some(choose, 3, () => choose(scalars)))]
  const keywords: Record<string, () => unknown> = {
    type: () => choose<unknown>([...types, ['string', 'null'], ['object', 'null'], ['integer', 'string']]),
    properties: () => named(names),
    required: () => [...new Set(some(choose, 3, () => choose(names)))],
    enum: () => [choose(scalars), ...few()],
    const: () => choose(scalars),
    'x-extensible-enum': () => true,
    additionalProperties: () => choose<() => unknown>([() => false, within])(),
    patternProperties: () => named(['^a', 'b']),
    propertyNames: () => choose([{ maxLength: 1 }, { enum: ['a', 'b'] }]),
    dependentRequired: () => ({ [choose(names)]: [choose(names)] }),
    items: () => choose<() => unknown>([within, () => false])(),
    prefixItems: () => [within(), ...some(choose, 1, within)],
    uniqueItems: () => true,
    contains: within,
    pattern: () => choose(['^a', 'a$']),
    multipleOf: () => choose([1, 2, 0.5]),
    anyOf: list,
    oneOf: list,
    allOf: list,
    not: inner,
    if: inner,
    else: inner,
    $ref: () => (refers ? reference.$ref : '#/$defs/two'),
  }
  for (const name of ['minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']) {
    keywords[name] = () => choose(small)
  }
  for (const name of ['minItems', 'maxItems', 'minProperties', 'maxProperties']) keywords[name] = () => choose(small)
  const all = Object.keys(keywords)
  const chosen = new Set(['type', ...some(choose, 3, () => choose(all))].slice(choose([0, 1])))
  return Object.fromEntries([...chosen].map((name) => [name, keywords[name]?.()]))
}

function wholeOf(choose: Choose): { [name: string]: unknown } {
  const one = {
    type: choose<unknown>(['object', ['object', 'null']]),
    properties: { a: choose<Schema>([reference, schemaOf(choose, 1, true)]) },
  }
  return { ...(schemaOf(choose, 3) as object), $defs: { one, two: schemaOf(choose, 0) } }
}

/** Another schema: the same one with a few places changed, or one that has nothing to do with it. */
function nextOf(choose: Choose, before: Schema): Schema {
  if (choose([1, 2, 3, 0]) === 0) return wholeOf(choose)
  const now = structuredClone(before)
  for (const _one of [0, ...some(choose, 2, () => 0)]) {
    const nodes: { [name: string]: unknown }[] = []
    const walk = (value: unknown) => {
      if (value === null || typeof value !== 'object') return
      if (!Array.isArray(value)) nodes.push(value as { [name: string]: unknown })
      Object.values(value).forEach(walk)
    }
    walk(now)
    const node = choose(nodes)
    const other = schemaOf(choose, 2) as { [name: string]: unknown }
    const keys = Object.keys(node).filter((key) => !['$defs', 'one', 'two'].includes(key))
    const how = choose(['drop', 'add', 'exchange'])
    if (how === 'add') for (const [added, value] of Object.entries(other)) node[added] ??= value
    else if (keys.length > 0) {
      const key = choose(keys)
      if (how === 'drop') delete node[key]
      else if (Object.hasOwn(other, key)) node[key] = other[key]
    }
  }
  return now
}

function instanceOf(choose: Choose, depth = 3): unknown {
  const form = depth === 0 ? 'scalar' : choose(['object', 'scalar', 'list', 'object'])
  if (form === 'scalar') return choose(scalars)
  if (form === 'list') return some(choose, 3, () => instanceOf(choose, depth - 1))
  return Object.fromEntries(some(choose, 3, () => [choose(names), instanceOf(choose, depth - 1)]))
}

const limitsOf = [
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
].concat(['multipleOf', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'format'])

/** What a receiver of the schema accepts that ignores what it does not know; after a warning, one without limits too. */
function receiverOf(schema: Schema, verdict: ChangeVerdict): Schema {
  if (typeof schema === 'boolean') return schema
  const open: { [name: string]: unknown } = {}
  const each = (part: unknown) => receiverOf(part as Schema, verdict)
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'additionalProperties' && value === false) continue
    if (verdict === 'warning') {
      if (limitsOf.includes(name) || (name === 'items' && value === false)) continue
      if ((name === 'enum' || name === 'const') && schema['x-extensible-enum'] === true) continue
    }
    if (name === 'properties' || name === 'patternProperties' || name === '$defs') {
      open[name] = Object.fromEntries(
        Object.entries(value as object)
          // A member that must not come is one that nobody knows.
          .filter(([, part]) => !(verdict === 'warning' && name === 'properties' && part === false))
          .map(([key, part]) => [key, each(part)]),
      )
    } else if (name === 'oneOf' || name === 'anyOf') {
      const lists = [...((open['allOf'] as unknown[]) ?? []), { anyOf: (value as unknown[]).map(each) }]
      open['allOf'] = lists
    } else if (name === 'allOf')
      open['allOf'] = [...((open['allOf'] as unknown[]) ?? []), ...(value as unknown[]).map(each)]
    else if (name === 'prefixItems') open[name] = (value as unknown[]).map(each)
    else if (name === 'items' || name === 'additionalProperties') open[name] = each(value)
    else open[name] = value
  }
  return open
}

/** The validator itself, without the limits of time that ours sets at each call. */
const ajv = new Ajv2020({ strict: false, logger: false, ownProperties: true, addUsedSchema: false })

/** Undefined for a schema that is none, or that has no end. */
function compiled(schema: Schema): ValidateFunction | undefined {
  try {
    const validate = ajv.compile(schema)
    for (const one of data) validate(one)
    return validate
  } catch {
    return undefined
  } finally {
    ajv.removeSchema(schema)
  }
}

/** Data of all small forms, the same for each pair. */
const data = [...scalars, ...Array.from({ length: 150 }, (_, seed) => instanceOf(chooser(scattered(seed))))]

function scattered(seed: number): number[] {
  let state = seed + 1
  return Array.from({ length: 60 }, () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  })
}

test('what is not called breaking does not break a receiver of the version before', () => {
  const met: Record<ChangeVerdict, number> = { safe: 0, warning: 0, breaking: 0 }
  fc.assert(
    fc.property(choices, (numbers) => {
      const choose = chooser(numbers)
      const before = wholeOf(choose)
      const now = nextOf(choose, before)
      const { verdict, changes } = schemaChanges(before, now)
      const next = compiled(now)
      if (next === undefined || compiled(before) === undefined) return
      const fitting = data.filter((value) => next(value))
      if (fitting.length > 0) met[verdict] += 1
      if (verdict === 'breaking') return
      const receiver = ajv.compile(receiverOf(before, verdict))
      for (const value of fitting) {
        if (!receiver(value)) throw new Error(JSON.stringify({ before, now, value, changes }, null, 1))
      }
    }),
    { numRuns: 500 },
  )
  // The property is only worth something when data fitted: of the rarest there are 17 in the middle. That each rule is met
  // by itself is tested in `packages/checks/src/schema-changes/edits.test.ts`.
  for (const verdict of changeVerdicts) expect(met[verdict]).toBeGreaterThan(0)
})

test('a schema has no changes against itself, and none that hurt when it is written in another way', () => {
  fc.assert(
    fc.property(choices, (numbers) => {
      const one = wholeOf(chooser(numbers))
      expect(schemaChanges(one, structuredClone(one))).toEqual({ verdict: 'safe', changes: [], truncated: false })
      const { $defs, ...all } = one
      const { verdict } = schemaChanges(one, { $ref: '#/$defs/all', $defs: { ...($defs as object), all } })
      if (verdict !== 'safe') throw new Error(JSON.stringify(one, null, 1))
    }),
    { numRuns: 300 },
  )
})
