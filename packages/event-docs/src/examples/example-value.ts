/**
 * Makes up a value that should fit a schema. What to make is read off the alternatives of each place, so that recursion
 * ends where we want it; texts and numbers are realistic by the name of the field where one of those fits, and
 * json-schema-faker makes those that a pattern or a range asks for.
 *
 * Not every rule is looked at (`not`, `dependentSchemas`, `unevaluated…`): the caller checks what comes out, and asks
 * again with the next attempt, which does a few things differently. Bounded by the number of values; patterns of
 * strangers run here, so the caller limits the time too.
 */
import {
  type Alternative,
  boundOf,
  canonical,
  isClosed,
  isObject,
  itemAt,
  type Keywords,
  limitOf,
  listOf,
  memberOf,
  memberPath,
  membersOf,
  numbering,
  objectOf,
  otherMembers,
  schemaDocument,
  TooComplex,
  typeOf,
} from '@posthorn/contract'
import { generateSync } from 'json-schema-faker'
import { isStructural } from '../structure.ts'
import { isKnownFormat, numbersFor, singular, textsFor } from './realistic.ts'
import { type Draws, seeded } from './seeded.ts'

/** Values in one example, those that were made in vain included. A page shows a few dozen. */
const valuesMax = 3_000
/** Some tenths of a second. */
const stepsMax = 100_000
const levelsMax = 40
/** Characters of a text that a schema forces to be long. */
const textLengthMax = 4_096
/** Items of arrays near the root, and of those further down. */
const itemsWanted = { above: 2, below: 1 }
const levelsWithMoreItems = 3

export type Plan = {
  /** All members that may come, or only those that must. */
  readonly members: 'all' | 'required'
  /** The variant that is taken at a place, by its index among the forms of an object. */
  readonly form: { readonly path: string; readonly index: number } | undefined
  /** Places that are left out, by JSON Pointer, where they may be: what stood there did not fit. */
  readonly without: ReadonlySet<string>
  /** From 0. The first ones make the nicest examples, later ones smaller and odder ones. */
  readonly attempt: number
}

/** No value was found. The message says why, for people. */
export class NoExample extends Error {
  override readonly name = 'NoExample'
  readonly code = 'no_example'
}

/** This way leads nowhere; another one may. */
class DeadEnd extends Error {
  override readonly name = 'DeadEnd'
  readonly code = 'dead_end'
}

type Nodes = readonly unknown[]
/** `turn` is the index of an item among its like, so that two of them differ. */
type Place = { path: string; pointer: string; name: string; thing: string; level: number; turn: number }

/**
 * @param seed equal seeds make equal values
 * @param thing what the data is about: `invoice`
 * @throws NoExample
 */
export function exampleValue(schema: unknown, plan: Plan, seed: string, thing: string): unknown {
  try {
    return makerOf(schema, plan, seeded(`${seed} ${plan.attempt}`))(thing)
  } catch (error) {
    if (error instanceof DeadEnd) throw new NoExample(error.message)
    if (error instanceof TooComplex || error instanceof RangeError) throw new NoExample('the schema is too complex')
    throw error
  }
}

function makerOf(schema: unknown, plan: Plan, draws: Draws): (thing: string) => unknown {
  let steps = 0
  let values = 0
  const document = schemaDocument(schema, () => {
    steps += 1
    if (steps > stepsMax) throw new TooComplex()
  })
  const numberOf = numbering()
  /** How often a place around this one is made of the same parts. */
  const open = new Map<string, number>()
  const { attempt } = plan
  /** A tree is nicer with one branch; when that is too much, without. */
  const repetitions = plan.members === 'all' && attempt === 0 ? 1 : 0
  const takesExamples = attempt < 2

  function valueAt(nodes: Nodes, place: Place): unknown {
    values += 1
    if (values > valuesMax) throw new NoExample(`it would need more than ${valuesMax} values`)
    if (place.level > levelsMax) throw new DeadEnd(`the schema is more than ${levelsMax} levels deep`)
    const given = document.alternatives(nodes)
    const structure = given.flatMap(({ parts }) => parts.filter(isStructural)).map(numberOf)
    const key = [...new Set(structure)].sort((a, b) => a - b).join()
    const times = open.get(key) ?? 0
    if (key !== '' && times > repetitions)
      return madeOf(
        given.filter(({ type }) => type !== 'object' && type !== 'array'),
        nodes,
        place,
      )
    open.set(key, times + 1)
    try {
      return madeOf(given, nodes, place)
    } finally {
      open.set(key, times)
    }
  }

  /** The first alternative, in the order of what we would rather show, that leads to a value. */
  function madeOf(alternatives: readonly Alternative[], nodes: Nodes, place: Place): unknown {
    let reason: DeadEnd | undefined
    for (const alternative of inOrder(alternatives, place)) {
      try {
        return ofAlternative(withConditions(alternative, nodes), place)
      } catch (error) {
        if (!(error instanceof DeadEnd)) throw error
        reason = error
      }
    }
    throw reason ?? new DeadEnd(`no value fits at ${place.path}, or only one without end`)
  }

  function inOrder(alternatives: readonly Alternative[], { path, turn }: Place): readonly Alternative[] {
    const objects = alternatives.filter(({ type }) => type === 'object')
    const wanted = plan.form?.path === path ? objects[plan.form.index] : undefined
    if (wanted !== undefined) return [wanted]
    const nulls = alternatives.filter(({ type }) => type === 'null')
    const others = alternatives.filter(({ type }) => type !== 'null')
    // Items of an array show one variant after the other.
    const first = others.length > 1 ? (turn + Math.max(attempt - 1, 0)) % others.length : 0
    const rotated = [...others.slice(first), ...others.slice(0, first)]
    // Where anything may stand, a text says that best.
    const ranked = others.length < 5 ? rotated : rotated.sort((a, b) => rankOf(a) - rankOf(b))
    return plan.members === 'required' && attempt < 2 ? [...nulls, ...ranked] : [...ranked, ...nulls]
  }

  /** With `then` of one of its conditions, a different one at each attempt, and `else` of the others. */
  function withConditions(alternative: Alternative, nodes: Nodes): Alternative {
    const conditions = alternative.parts.filter((part) => part['if'] !== undefined)
    if (conditions.length === 0) return alternative
    const more = conditions.flatMap((part, index) =>
      index === attempt % (conditions.length + 1) ? [part['if'], part['then'] ?? true] : [part['else'] ?? true],
    )
    const found = document.alternatives([...nodes, ...more]).filter(({ type }) => type === alternative.type)
    return found.find(({ parts }) => alternative.parts.every((part) => parts.includes(part))) ?? alternative
  }

  function ofAlternative({ type, integer, parts, values: listed }: Alternative, place: Place): unknown {
    if (listed !== undefined) {
      const all = [...listed.values()]
      return all[attempt === 0 ? place.turn % all.length : draws.below(all.length)]
    }
    const told = takesExamples ? saidBy(parts, type, place) : undefined
    if (told !== undefined) return told.value
    switch (type) {
      case 'null':
        return null
      case 'boolean':
        return place.turn % 2 === 0
      case 'number':
        return numberFor(parts, integer, place)
      case 'string':
        return textFor(parts, place)
      case 'array':
        return arrayOf(parts, place)
      case 'object':
        return objectFor(parts, place)
    }
  }

  function saidBy(
    parts: readonly Keywords[],
    type: Alternative['type'],
    { turn }: Place,
  ): { value: unknown } | undefined {
    // Whole objects of the author may have members that are not required.
    if (plan.members === 'required' && (type === 'object' || type === 'array')) return undefined
    const isOfType = (value: unknown) => typeOf(value) === type
    const examples = parts.map((part) => listOf(part['examples']).filter(isOfType)).find((list) => list.length > 0)
    if (examples !== undefined) return { value: examples[turn % examples.length] }
    // A default is often empty, which shows nothing.
    const defaults = parts.map((part) => part['default']).filter((value) => isOfType(value) && value !== '')
    return type === 'string' || type === 'number' ? defaults.map((value) => ({ value }))[0] : undefined
  }

  function numberFor(parts: readonly Keywords[], integer: boolean, place: Place): number {
    const lower = boundOf(parts, 'min', undefined)
    const upper = boundOf(parts, 'max', undefined)
    const multiples = parts.map((part) => part['multipleOf']).filter((one) => typeof one === 'number')
    const fits = (value: number) =>
      (!integer || Number.isInteger(value)) &&
      (lower.exclusive ? value > lower.limit : value >= lower.limit) &&
      (upper.exclusive ? value < upper.limit : value <= upper.limit) &&
      multiples.every((multiple) => Number.isInteger(value / multiple))
    const chosen = chosenFrom(numbersFor(place), fits, place.turn)
    if (chosen !== undefined) return chosen
    const [multiple] = multiples
    const step = multiple ?? 1
    const from = Number.isFinite(lower.limit)
      ? lower.limit
      : Number.isFinite(upper.limit)
        ? upper.limit - 100 * step
        : 0
    const to = Number.isFinite(upper.limit) ? upper.limit : from + 100 * step
    const value = generateSync(
      {
        type: integer ? 'integer' : 'number',
        ...(lower.exclusive ? { exclusiveMinimum: from } : { minimum: from }),
        ...(upper.exclusive ? { exclusiveMaximum: to } : { maximum: to }),
        ...(multiple !== undefined && { multipleOf: multiple }),
      },
      { seed: draws.below(2 ** 31) },
    )
    return typeof value === 'number' && Number.isFinite(value) ? value : from
  }

  function textFor(parts: readonly Keywords[], place: Place): string {
    const least = Math.max(limitOf(parts, 'minLength', 'min'), 0)
    const most = limitOf(parts, 'maxLength', 'max')
    if (least > textLengthMax) throw new DeadEnd(`at ${place.path} a text of ${least} characters is needed`)
    const patterns = parts.map((part) => part['pattern']).filter((one) => typeof one === 'string')
    const expressions = patterns.map(expressionOf)
    const fits = (text: string) => {
      const length = [...text].length
      return length >= least && length <= most && expressions.every((one) => one?.test(text) ?? true)
    }
    const format = parts.map((part) => part['format']).find((one) => typeof one === 'string')
    const chosen = chosenFrom(textsFor(place, format, draws), fits, place.turn)
    if (chosen !== undefined) return chosen
    const [pattern] = patterns
    if (pattern === undefined) {
      if (isKnownFormat(format))
        throw new DeadEnd(`at ${place.path} no ${format} was found that is as long as it must be`)
      return stretched(place.name, least, most)
    }
    const made = generateSync(
      {
        type: 'string',
        pattern,
        ...(least > 0 && { minLength: least }),
        ...(Number.isFinite(most) && { maxLength: most }),
      },
      { seed: draws.below(2 ** 31) },
    )
    return typeof made === 'string' ? made : ''
  }

  function arrayOf(parts: readonly Keywords[], place: Place): unknown[] {
    const least = Math.max(limitOf(parts, 'minItems', 'min'), 0)
    const most = limitOf(parts, 'maxItems', 'max')
    if (least > valuesMax) throw new DeadEnd(`at ${place.path} ${least} items are needed`)
    const contained = parts.flatMap(containedIn)
    const slots = Math.max(...parts.map((part) => listOf(part['prefixItems']).length))
    const isBare = slots === 0 && parts.every((part) => itemAt(part, 0).length === 0)
    const usual = place.level < levelsWithMoreItems ? itemsWanted.above : itemsWanted.below
    const wanted = plan.members === 'required' || isBare ? 0 : Math.max(usual, slots)
    const count = Math.min(Math.max(least, wanted, contained.length), most)
    const unique = parts.some((part) => part['uniqueItems'] === true)
    const items: unknown[] = []
    const seen = new Set<string>()
    // A few turns more than items, for those that come twice.
    for (let turn = 0; items.length < count && turn < count + 20; turn += 1) {
      const index = items.length
      const nodes = [...parts.flatMap((part) => itemAt(part, index)), ...(contained[index] ?? [])]
      const name = singular(place.name)
      const path = `${place.path}[${index < slots ? index : ''}]`
      const inner = { path, pointer: `${place.pointer}/${index}`, name, thing: name }
      try {
        const item = valueAt(nodes, { ...inner, level: place.level + 1, turn })
        const text = canonical(item)
        if (unique && seen.has(text)) continue
        seen.add(text)
        items.push(item)
      } catch (error) {
        // Fewer will do: an array is where most recursions end.
        if (!(error instanceof DeadEnd) || items.length < Math.max(least, contained.length)) throw error
        break
      }
    }
    return items
  }

  function objectFor(parts: readonly Keywords[], place: Place): unknown {
    const most = limitOf(parts, 'maxProperties', 'max')
    const least = Math.max(limitOf(parts, 'minProperties', 'min'), 0)
    if (least > valuesMax) throw new DeadEnd(`at ${place.path} ${least} members are needed`)
    const required = requiredIn(parts)
    const members = new Map<string, unknown>()
    const thing = place.name
    const add = (name: string, nodes: Nodes, inMap = false) => {
      if (members.has(name)) return
      if (nodes.includes(false)) throw new DeadEnd(`${name} must come and must not at ${place.path}`)
      const path = `${place.path}${inMap ? '{}' : memberPath(name)}`
      const pointer = pointerTo(place, name)
      // Members of a map are like items of what the map is called.
      const called = inMap ? { name: singular(place.name), turn: members.size } : { name, turn: place.turn }
      members.set(name, valueAt(nodes, { ...called, path, pointer, thing, level: place.level + 1 }))
    }
    /** The member, unless it may be left out and leads nowhere. */
    const offer = (name: string, nodes: Nodes, inMap = false) => {
      if (members.size >= most || nodes.includes(false) || plan.without.has(pointerTo(place, name))) return
      try {
        add(name, nodes, inMap)
        for (const needed of neededWith(parts, name)) add(needed, memberNodes(parts, needed))
      } catch (error) {
        if (!(error instanceof DeadEnd)) throw error
        members.delete(name)
      }
    }
    for (const name of required) add(name, memberNodes(parts, name))
    for (const name of [...members.keys()]) {
      for (const needed of neededWith(parts, name)) add(needed, memberNodes(parts, needed))
    }
    const optional = [...new Set(parts.flatMap((part) => Object.keys(membersOf(part))))]
    const isWanted = plan.members === 'all' && place.level < levelsOfOptional(attempt)
    const forbidden = attempt === 0 ? new Set<string>() : forbiddenIn(parts)
    for (const name of optional) {
      if ((isWanted && !forbidden.has(name)) || members.size < least) offer(name, memberNodes(parts, name))
    }
    const others = parts.flatMap(otherMembers)
    const fromPatterns = parts.flatMap((part) => Object.entries(objectOf(part['patternProperties'])))
    const isMap = others.some((node) => Object.keys(node as object).length > 0)
    for (const [pattern, node] of fromPatterns) {
      if (isWanted || members.size < least) offer(nameOfPattern(pattern), [node], true)
    }
    const names = namesFor(parts)
    for (let turn = 0; turn < names.length + 20 + least; turn += 1) {
      const isEnough = members.size >= least && !(isWanted && isMap && optional.length === 0 && turn < 2)
      if (isEnough || parts.some(isClosed)) break
      offer(names[turn] ?? `key_${turn + 1}`, others, true)
    }
    return ordered(members, parts)
  }

  function nameOfPattern(pattern: string): string {
    const made = generateSync({ type: 'string', pattern, maxLength: 40 }, { seed: draws.below(2 ** 31) })
    return typeof made === 'string' ? made : ''
  }

  /** Names that members of a map may have. */
  function namesFor(parts: readonly Keywords[]): string[] {
    const rules = parts.flatMap((part) => part['propertyNames'] ?? []).filter(isObject)
    const listed = rules.flatMap((rule) => listOf(rule['enum'])).filter((name) => typeof name === 'string')
    if (listed.length > 0) return listed
    if (rules.length === 0) return []
    const place = { path: '', pointer: '', name: 'key', thing: '', level: 0 }
    return [0, 1, 2].map((turn) => textFor(rules, { ...place, turn }))
  }

  return (thing) => valueAt([schema], { path: 'data', pointer: '', name: thing, thing, level: 0, turn: 0 })
}

/** One that fits of the first group in which some do. */
function chosenFrom<T>(groups: readonly (readonly T[])[], fits: (one: T) => boolean, turn: number): T | undefined {
  const fitting = groups.map((group) => group.filter(fits)).find((group) => group.length > 0)
  return fitting?.[turn % fitting.length]
}

/** Levels at which members that may be missing are there. */
function levelsOfOptional(attempt: number): number {
  return attempt < 2 ? Number.POSITIVE_INFINITY : Math.max(5 - attempt, 1)
}

function rankOf({ type }: Alternative): number {
  return ['string', 'number', 'boolean', 'object', 'array', 'null'].indexOf(type)
}

function pointerTo({ pointer }: Place, name: string): string {
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function memberNodes(parts: readonly Keywords[], name: string): Nodes {
  return parts.flatMap((part) => memberOf(part, name))
}

function requiredIn(parts: readonly Keywords[]): Set<string> {
  return new Set(parts.flatMap((part) => listOf(part['required'])).filter((name) => typeof name === 'string'))
}

/** Members that come with it, and those that come with them. */
function neededWith(parts: readonly Keywords[], name: string): Set<string> {
  const needed = new Set<string>()
  const todo = [name]
  for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
    for (const part of parts) {
      for (const more of listOf(objectOf(part['dependentRequired'])[one])) {
        if (typeof more !== 'string' || needed.has(more)) continue
        needed.add(more)
        todo.push(more)
      }
    }
  }
  return needed
}

/** Members that a `not` may speak of. */
function forbiddenIn(parts: readonly Keywords[]): Set<string> {
  return requiredIn(parts.flatMap((part) => part['not'] ?? []).filter(isObject))
}

/** What an array has to contain, once for each time. */
function containedIn(part: Keywords): unknown[][] {
  const { contains, minContains = 1 } = part
  if (contains === undefined || typeof minContains !== 'number') return []
  return Array.from({ length: Math.min(Math.max(minContains, 0), 50) }, () => [contains])
}

/** In the order in which the schema names them. An object with no prototype to be set by a name. */
function ordered(members: ReadonlyMap<string, unknown>, parts: readonly Keywords[]): unknown {
  const names = new Set([...parts.flatMap((part) => Object.keys(membersOf(part))), ...members.keys()])
  return Object.fromEntries([...names].filter((name) => members.has(name)).map((name) => [name, members.get(name)]))
}

function stretched(name: string, least: number, most: number): string {
  const text = [...`Example ${name} `.repeat(Math.ceil(least / 8) + 1).trim()]
  return text
    .slice(0, Math.max(least, Math.min(most, text.length, least + 8)))
    .join('')
    .trimEnd()
    .padEnd(least, '.')
}

/** The caller limits the time that it takes. */
function expressionOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return undefined
  }
}
