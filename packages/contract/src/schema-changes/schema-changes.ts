/**
 * Tells what a new version of a schema changes for those who receive the data.
 *
 * The two are walked together, as alternatives of one type each (`schema-document.ts`). Every demand that the schema
 * before makes has to follow from the new one; one that does not is a change that somebody may trip over. So the verdict
 * errs on one side only: what is called safe is safe, for receivers that ignore members which they do not know. (A closed
 * object is read as an open one; a new member of it is a warning.) Demands that cannot be taken apart, such as `not`,
 * `if` and `contains`, follow only from being written alike.
 *
 * Pure and bounded: at most `stepsMax` steps, then one change says that it is too complex to tell.
 */
import {
  type ChangeKind,
  type ChangeVerdict,
  changeKinds,
  type SchemaChange,
  type SchemaChanges,
  worse,
} from './changes.ts'
import {
  type Bound,
  boundOf,
  type End,
  isClosed,
  itemAt,
  limitOf,
  listOf,
  memberOf,
  membersOf,
  objectOf,
  otherMembers,
  ownMember,
  tighter,
} from './keywords.ts'
import { sameIn } from './same.ts'
import {
  type Alternative,
  canonical,
  isObject,
  type JsonType,
  jsonTypes,
  type Keywords,
  numbering,
  type SchemaDocument,
  schemaDocument,
  TooComplex,
} from './schema-document.ts'
import { constantsOf, memberPath, shown, typesInWords, variantInWords } from './words.ts'

/** About half a second. A schema of 64 KiB with 2,000 members, all of them changed, takes a tenth of it. */
const stepsMax = 100_000
/** Changes that are named. The verdict counts the others too. */
const changesMax = 200

/** What is found at a place, with the path from there. */
type Found = { changes: SchemaChange[]; verdict: ChangeVerdict; truncated: boolean }
type Nodes = readonly unknown[]

/** Beside a reference they say nothing. */
const bare = new Set(['$ref', '$defs', '$comment', '$id', '$schema', '$anchor', '$dynamicAnchor'])

const nothing: Found = { changes: [], verdict: 'safe', truncated: false }

/**
 * @param before the schema of the version before
 * @param now the schema of the new one
 */
export function schemaChanges(before: unknown, now: unknown): SchemaChanges {
  try {
    const { changes, verdict, truncated } = comparison(before, now)([before], [now])
    return { verdict, truncated, changes: changes.map((change) => ({ ...change, path: `data${change.path}` })) }
  } catch (error) {
    if (!(error instanceof TooComplex) && !(error instanceof RangeError)) throw error
    const sentence = 'The two schemas are too complex to be compared, so anything may have changed.'
    const change: SchemaChange = { path: 'data', kind: 'too_complex', verdict: 'breaking', sentence }
    return { verdict: 'breaking', changes: [change], truncated: false }
  }
}

function comparison(rootBefore: unknown, rootNow: unknown): (before: Nodes, now: Nodes) => Found {
  let steps = 0
  const step = () => {
    steps += 1
    if (steps > stepsMax) throw new TooComplex()
  }
  const documents = { before: schemaDocument(rootBefore, step), now: schemaDocument(rootNow, step) }
  const same = sameIn(documents, step)
  const numberOf = numbering()
  const known = new Map<string, Found>()
  /** Pairs that are being compared, with their depth, and the outermost one of them that a result has relied on. */
  const open = new Map<string, number>()
  let reliedOn = Number.POSITIVE_INFINITY

  /** A node that does nothing but refer to another one is that one. */
  function followed(document: SchemaDocument, given: unknown): unknown {
    let node = given
    while (isObject(node) && typeof node['$ref'] === 'string' && Object.keys(node).every((name) => bare.has(name))) {
      step()
      node = document.resolve(node['$ref'])
    }
    return node
  }

  /** A pair that is met again while it is compared counts as unchanged: its changes are found where it was met first. */
  function compare(givenBefore: Nodes, givenNow: Nodes): Found {
    step()
    const before = givenBefore.map((node) => followed(documents.before, node))
    const now = givenNow.map((node) => followed(documents.now, node))
    const pair = `${before.map(numberOf).join()}|${now.map(numberOf).join()}`
    const found = known.get(pair)
    if (found !== undefined) return found
    const depthOpen = open.get(pair)
    if (depthOpen !== undefined) {
      reliedOn = Math.min(reliedOn, depthOpen)
      return nothing
    }
    const depth = open.size
    const reliedOnBefore = reliedOn
    reliedOn = Number.POSITIVE_INFINITY
    open.set(pair, depth)
    const result = compareNodes(before, now)
    open.delete(pair)
    // What rests on an unfinished pair outside of it is not known for good.
    if (reliedOn >= depth) known.set(pair, result)
    reliedOn = Math.min(reliedOnBefore, reliedOn < depth ? reliedOn : Number.POSITIVE_INFINITY)
    return result
  }

  function compareNodes(before: Nodes, now: Nodes): Found {
    if (before.length === now.length && before.every((node, index) => same(node, now[index]))) return nothing
    const found = collector()
    const old = documents.before.alternatives(before)
    const next = documents.now.alternatives(now)
    compareTypes(found, old, next)
    for (const type of jsonTypes) {
      const ofType = (all: readonly Alternative[]) => {
        const those = all.filter((one) => one.type === type)
        // There are not two nulls.
        return type === 'null' ? those.slice(0, 1) : those
      }
      const [oldOfType, nextOfType] = [ofType(old), ofType(next)]
      if (oldOfType.length > 0 && nextOfType.length > 0) found.take('', compareVariants(oldOfType, nextOfType))
    }
    compareRemarks(found, before, now)
    return found.all()
  }

  /** Each new variant has to be one that was known. */
  function compareVariants(old: readonly Alternative[], next: readonly Alternative[]): Found {
    const [first] = old
    const [only] = next
    if (old.length === 1 && next.length === 1 && first && only) return compareAlternatives(first, only)
    const found = collector()
    const met = new Set<Alternative>()
    const results: { variant: Alternative; result: Found }[] = []
    for (const variant of next) {
      const { partner, result } = partnerOf(variant, old)
      if (partner === undefined) {
        found.add('variant_added', '', `${upperFirst(variantInWords(variant))} is new: a receiver has never met it.`)
        continue
      }
      met.add(partner)
      results.push({ variant, result })
    }
    // What changes in all of them is told once, and anything else of the variant that it happens in.
    const [one] = results
    const shared = one?.result.changes.filter((change) =>
      results.every(({ result }) => result.changes.some(isLike(change))),
    )
    for (const { variant, result } of results) {
      const changes = result.changes.map((change) => (shared?.some(isLike(change)) ? change : within(variant, change)))
      found.take('', { ...result, changes })
    }
    for (const variant of old) {
      if (met.has(variant)) continue
      found.add('variant_removed', '', `${upperFirst(variantInWords(variant))} does not come any more.`)
    }
    return found.all()
  }

  /** The variant before that a new one fits best; none when it would break each of them. */
  function partnerOf(variant: Alternative, old: readonly Alternative[]) {
    // What has another constant is another variant: it is not looked into.
    const possible = old.filter((partner) => !haveOtherNames(partner, variant))
    const trials = possible.map((partner) => ({ partner, result: compareAlternatives(partner, variant) }))
    const least = (wanted: ChangeVerdict) => trials.find(({ result }) => result.verdict === wanted)
    const named = trials.find(({ partner }) => haveSameName(partner, variant))
    return least('safe') ?? least('warning') ?? named ?? { partner: undefined, result: nothing }
  }

  function compareAlternatives(old: Alternative, next: Alternative): Found {
    step()
    const found = collector()
    compareValues(found, old, next)
    const sides: Sides = { old, next, before: old.parts, now: next.parts }
    compareRules(found, sides)
    switch (old.type) {
      case 'string':
        compareLimits(found, sides, { minLength: 'min', maxLength: 'max' })
        comparePatterns(found, sides)
        break
      case 'number':
        if (old.integer && !next.integer) {
          found.add('type_widened', '', 'It was always an integer and may have a fraction now.')
        }
        if (!old.integer && next.integer) found.add('type_narrowed', '', 'It is always an integer now.')
        compareRange(found, sides)
        compareMultiples(found, sides)
        break
      case 'array':
        compareLimits(found, sides, { minItems: 'min', maxItems: 'max' })
        compareItems(found, sides)
        break
      case 'object':
        compareLimits(found, sides, { minProperties: 'min', maxProperties: 'max' })
        compareMembers(found, sides)
        break
    }
    compareFormats(found, sides)
    compareRemarksOfParts(found, sides)
    return found.all()
  }

  /** What cannot be taken apart follows only from the same words. */
  function compareRules(found: Collector, { before, now, old }: Sides): void {
    for (const rule of rulesOf(before, old.type)) {
      if (!rulesOf(now, old.type).some((other) => other.name === rule.name && same(rule.words, other.words))) {
        found.add(
          'rule_dropped',
          '',
          `The rule \`${rule.name}\` was changed or dropped: what it kept away may come now.`,
        )
      }
    }
  }

  function compareItems(found: Collector, { before, now }: Sides): void {
    const slots = Math.max(...[...before, ...now].map((part) => listOf(part['prefixItems']).length), 0)
    const lengthMax = limitOf(now, 'maxItems', 'max')
    for (let index = 0; index < slots && index < lengthMax; index += 1) {
      const old = before.flatMap((part) => itemAt(part, index))
      if (old.length > 0)
        found.take(
          `[${index}]`,
          compare(
            old,
            now.flatMap((part) => itemAt(part, index)),
          ),
        )
    }
    const rest = before.flatMap((part) => itemAt(part, Number.POSITIVE_INFINITY))
    if (rest.length > 0 && lengthMax > slots) {
      found.take(
        '[]',
        compare(
          rest,
          now.flatMap((part) => itemAt(part, Number.POSITIVE_INFINITY)),
        ),
      )
    }
  }

  function compareMembers(found: Collector, sides: Sides): void {
    const { before, now } = sides
    const names = new Set(
      [...before, ...now].flatMap((part) => [...Object.keys(membersOf(part)), ...listOf(part['required'])]),
    )
    for (const name of names) {
      step()
      if (typeof name === 'string') compareMember(found, sides, name)
    }
    const patterns = new Set(before.flatMap((part) => Object.keys(objectOf(part['patternProperties']))))
    for (const pattern of patterns) {
      const schemas = (parts: readonly Keywords[]) =>
        parts.flatMap((part) => ownMember(objectOf(part['patternProperties']), pattern))
      found.take(`{${shown(pattern)}}`, compare(schemas(before), schemas(now)))
    }
    const others = before.flatMap((part) => otherMembers(part))
    // Where a pattern takes names away from it that were not taken before, it says nothing for sure.
    const counted = now.filter((part) =>
      Object.keys(objectOf(part['patternProperties'])).every((one) => patterns.has(one)),
    )
    if (others.length === 0 || counted.some((part) => part['additionalProperties'] === false)) return
    found.take(
      '{}',
      compare(
        others,
        counted.flatMap((part) => otherMembers(part)),
      ),
    )
  }

  function compareMember(found: Collector, { before, now }: Sides, name: string): void {
    const path = memberPath(name)
    const was = presence(before, name)
    const is = presence(now, name)
    const old = before.flatMap((part) => memberOf(part, name))
    const next = now.flatMap((part) => memberOf(part, name, 'for sure'))
    if (was.named && !is.named && !is.required) {
      const sentence = was.required ? 'It always came, and does not come any more.' : 'It does not come any more.'
      found.add('property_removed', path, sentence)
      return
    }
    if (!was.named && !was.required && (is.named || is.required)) {
      const closed = before.some(isClosed) || old.includes(false)
      const often = is.required ? 'It is new, and always present.' : 'It is new, and optional.'
      if (closed) {
        found.add(
          'property_added',
          path,
          `${often} The schema before allowed no other members, so a receiver that validates by it refuses the data.`,
        )
      } else
        found.add(
          'property_added',
          path,
          `${often} Receivers that ignore what they do not know need do nothing.`,
          'safe',
        )
      if (old.length > 0 && !closed) found.take(path, compare(old, next))
      return
    }
    if (was.required && !is.required) found.add('property_optional', path, 'It always came, and may be missing now.')
    if (!was.required && is.required) found.add('property_required', path, 'It always comes now.')
    if (old.length > 0) found.take(path, compare(old, next))
  }

  return compare
}

type Sides = { old: Alternative; next: Alternative; before: readonly Keywords[]; now: readonly Keywords[] }

type Collector = {
  add(kind: ChangeKind, path: string, sentence: string, verdict?: ChangeVerdict): void
  /** Takes over what was found at a place further down. */
  take(path: string, found: Found): void
  all(): Found
}

function collector(): Collector {
  const changes: SchemaChange[] = []
  let worst: ChangeVerdict = 'safe'
  let truncated = false
  const told = new Set<string>()

  /** A demand that bears on several types is told once. */
  function push(change: SchemaChange): void {
    const text = `${change.kind} ${change.path} ${change.sentence}`
    if (told.has(text)) return
    told.add(text)
    if (changes.length < changesMax) changes.push(change)
    else truncated = true
  }

  return {
    add(kind, path, sentence, verdict = changeKinds[kind]) {
      worst = worse(worst, verdict)
      push({ path, kind, verdict, sentence })
    },
    take(path, found) {
      worst = worse(worst, found.verdict)
      truncated ||= found.truncated
      for (const change of found.changes) push({ ...change, path: path + change.path })
    },
    all: () => ({ changes, verdict: worst, truncated }),
  }
}

function compareTypes(found: Collector, old: readonly Alternative[], next: readonly Alternative[]): void {
  const typesOf = (alternatives: readonly Alternative[]) => new Set(alternatives.map(({ type }) => type))
  const [was, is] = [typesOf(old), typesOf(next)]
  const isNew = ({ type }: Alternative) => !was.has(type)
  const isGone = ({ type }: Alternative) => !is.has(type)
  const added = next.filter((one) => isNew(one) && one.type !== 'null')
  const gone = old.filter((one) => isGone(one) && one.type !== 'null')
  const kept = [...was].filter((type) => type !== 'null' && is.has(type))
  if (is.has('null') && !was.has('null')) found.add('null_added', '', 'It may be null now.')
  if (was.has('null') && !is.has('null')) found.add('null_removed', '', 'It is never null any more.')
  if (added.length > 0 && gone.length > 0 && kept.length === 0) {
    found.add('type_changed', '', `It was ${typesInWords(gone)} and is ${typesInWords(added)} now.`)
  } else if (added.length > 0) {
    found.add('type_widened', '', `It may be ${typesInWords(added)} now.`)
  } else if (gone.length > 0) {
    found.add('type_narrowed', '', `It is never ${typesInWords(gone)} any more.`)
  }
}

function compareValues(found: Collector, { values: was, parts }: Alternative, { values: is }: Alternative): void {
  if (was === undefined) {
    if (is !== undefined) found.add('values_limited', '', 'It only takes listed values now.')
    return
  }
  if (is === undefined) {
    found.add('values_unlimited', '', 'It only took listed values, and may take any other now.')
    return
  }
  const extensible = parts.some((part) => part['x-extensible-enum'] === true)
  for (const [text, value] of is) {
    if (was.has(text)) continue
    const sentence = `It may also be ${shown(value)} now. Code that handles each value does not know this one.`
    found.add('enum_value_added', '', sentence, extensible ? 'warning' : 'breaking')
  }
  for (const [text, value] of was) {
    if (!is.has(text)) found.add('enum_value_removed', '', `It is never ${shown(value)} any more.`)
  }
}

/** What is said beside the demands. */
function compareRemarks(found: Collector, before: Nodes, now: Nodes): void {
  const [was, is] = [before, now].map((nodes) => nodes.filter(isObject))
  // A member that is described no more was removed, or is any member of a map now.
  if (was === undefined || is === undefined || was.length === 0 || is.length === 0) return
  const texts = (nodes: readonly Keywords[], names: readonly string[]) =>
    canonical(nodes.map((node) => names.map((name) => node[name] ?? null)))
  if (texts(was, ['x-semantic-version']) !== texts(is, ['x-semantic-version']) && was.length > 0 && is.length > 0) {
    found.add('meaning_changed', '', meaningChanged)
  }
  const isDeprecated = (nodes: readonly Keywords[]) => nodes.some((node) => node['deprecated'] === true)
  if (!isDeprecated(was) && isDeprecated(is)) found.add('deprecated', '', isToGo)
  if (texts(was, ['title', 'description']) !== texts(is, ['title', 'description'])) {
    found.add('description_changed', '', inOtherWords)
  }
}

/** The same where a reference, `allOf` or a branch leads to it: what is said there is said of the data too. */
function compareRemarksOfParts(found: Collector, { before, now }: Sides): void {
  const meanings = (parts: readonly Keywords[]) =>
    canonical([...new Set(parts.flatMap((part) => part['x-semantic-version'] ?? []).map(canonical))].toSorted())
  if (meanings(before) !== meanings(now)) found.add('meaning_changed', '', meaningChanged)
  const isDeprecated = (parts: readonly Keywords[]) => parts.some((part) => part['deprecated'] === true)
  if (!isDeprecated(before) && isDeprecated(now)) found.add('deprecated', '', isToGo)
  // The nearest says it.
  const text = (parts: readonly Keywords[], name: string) => parts.find((part) => part[name] !== undefined)?.[name]
  const isDescribedAlike = ['title', 'description'].every((name) => text(before, name) === text(now, name))
  if (!isDescribedAlike) found.add('description_changed', '', inOtherWords)
}

const meaningChanged = 'Its meaning has changed, says `x-semantic-version`.'
const isToGo = 'It is deprecated and may go away.'
const inOtherWords = 'It is described in other words.'

/** Limits of sizes. */
function compareLimits(found: Collector, { before, now, next }: Sides, limits: Readonly<Record<string, End>>): void {
  for (const [name, end] of Object.entries(limits)) {
    const was = limitOf(before, name, end)
    const given = limitOf(now, name, end)
    const sizes = [...(next.values?.values() ?? [])].map((value) => sizeOf(value, name))
    const ofValues = end === 'min' ? Math.min(...sizes) : Math.max(...sizes)
    const is = sizes.length === 0 ? given : tighter(given, ofValues, end)
    // No size is below 0.
    const wasLoose = end === 'min' ? was <= 0 : was === Number.POSITIVE_INFINITY
    if (!wasLoose && tighter(was, is, end) !== is) {
      found.add(
        'limit_relaxed',
        '',
        `\`${name}\` was ${was} and is ${limitText(is)} now: check columns and validators.`,
      )
    } else if (Number.isFinite(given) && given !== was) {
      found.add('limit_tightened', '', `\`${name}\` is ${given} now.`)
    }
  }
}

/** Limits of numbers, with and without the limit itself. */
function compareRange(found: Collector, { before, now, next }: Sides): void {
  for (const end of ['min', 'max'] as const) {
    const was = boundOf(before, end, undefined)
    const is = boundOf(now, end, next.values)
    const name = end === 'min' ? 'minimum' : 'maximum'
    if (!Number.isFinite(was.limit) && !Number.isFinite(is.limit)) continue
    const follows =
      is.limit === was.limit ? is.exclusive || !was.exclusive : tighter(was.limit, is.limit, end) === is.limit
    if (!follows) {
      const sentence = `Its ${name} was ${boundText(was)} and is ${boundText(is)} now: check columns and validators.`
      found.add('limit_relaxed', '', sentence)
    } else if (limitOfKeywords(now, end) !== limitOfKeywords(before, end)) {
      found.add('limit_tightened', '', `Its ${name} is ${boundText(is)} now.`)
    }
  }
}

function limitOfKeywords(parts: readonly Keywords[], end: End): string {
  return boundText(boundOf(parts, end, undefined))
}

function limitText(limit: number): string {
  return Number.isFinite(limit) ? String(limit) : 'none'
}

function boundText({ limit, exclusive }: Bound): string {
  return exclusive ? `${limitText(limit)} (exclusive)` : limitText(limit)
}

/** What a limit of that name measures. */
function sizeOf(value: unknown, name: string): number {
  // Characters, not UTF-16 units.
  if (typeof value === 'string' && name.endsWith('Length')) return [...value].length
  if (Array.isArray(value)) return value.length
  return isObject(value) ? Object.keys(value).length : 0
}

function compareMultiples(found: Collector, { before, now, next }: Sides): void {
  for (const multiple of before.flatMap((part) => part['multipleOf'] ?? [])) {
    if (typeof multiple !== 'number') continue
    const isMultiple = (value: unknown) => typeof value === 'number' && value % multiple === 0
    const values = [...(next.values?.values() ?? [])]
    const follows =
      now.some((part) => isMultiple(part['multipleOf'])) || (values.length > 0 && values.every(isMultiple))
    if (follows || (next.integer && multiple === 1)) continue
    found.add('limit_relaxed', '', `It was always a multiple of ${multiple}, and need not be one now.`)
  }
}

function comparePatterns(found: Collector, { before, now }: Sides): void {
  const patterns = (parts: readonly Keywords[]) => new Set(parts.flatMap((part) => part['pattern'] ?? []))
  const is = patterns(now)
  for (const pattern of patterns(before)) {
    if (!is.has(pattern)) found.add('pattern_changed', '', `It need not match ${shown(pattern)} any more.`)
  }
}

function compareFormats(found: Collector, { before, now, old }: Sides): void {
  // Formats that we know are formats of strings, but for those of numbers.
  if (old.type !== 'string' && old.type !== 'number') return
  const formats = (parts: readonly Keywords[]) => parts.flatMap((part) => part['format'] ?? [])
  const is = new Set(formats(now))
  for (const format of new Set(formats(before))) {
    if (!is.has(format)) found.add('format_changed', '', `Its format need not be ${shown(format)} any more.`)
  }
}

/** The demands that are compared as a whole, each with all that its meaning hangs on. */
function rulesOf(parts: readonly Keywords[], type: JsonType): { name: string; words: unknown }[] {
  return parts.flatMap((part) => {
    const { not, contains, minContains = 1, maxContains = null } = part
    const rules: { name: string; words: unknown }[] = []
    if (not !== undefined) rules.push({ name: 'not', words: not })
    if (part['if'] !== undefined) {
      // A missing branch demands nothing.
      const [first = true, second = true] = [part['then'], part['else']]
      if (first !== true || second !== true) rules.push({ name: 'if', words: [part['if'], first, second] })
    }
    if (type === 'array') {
      if (contains !== undefined) rules.push({ name: 'contains', words: [contains, minContains, maxContains] })
      if (part['uniqueItems'] === true) rules.push({ name: 'uniqueItems', words: true })
      // What it is about depends on everything beside it.
      if (part['unevaluatedItems'] !== undefined) rules.push({ name: 'unevaluatedItems', words: part })
    }
    if (type === 'object') {
      const { propertyNames, unevaluatedProperties } = part
      if (propertyNames !== undefined) rules.push({ name: 'propertyNames', words: propertyNames })
      for (const [name, schema] of Object.entries(objectOf(part['dependentSchemas']))) {
        rules.push({ name: 'dependentSchemas', words: [name, schema] })
      }
      for (const [name, needed] of Object.entries(objectOf(part['dependentRequired']))) {
        for (const one of listOf(needed)) rules.push({ name: 'dependentRequired', words: [name, one] })
      }
      if (unevaluatedProperties !== undefined && unevaluatedProperties !== false) {
        rules.push({ name: 'unevaluatedProperties', words: part })
      }
    }
    return rules
  })
}

function presence(parts: readonly Keywords[], name: string): { named: boolean; required: boolean } {
  return {
    named: parts.some((part) => ownMember(membersOf(part), name).some((schema) => schema !== false)),
    required: parts.some((part) => listOf(part['required']).includes(name)),
  }
}

/** Whether the constants of both say that they are one variant. */
function haveSameName(a: Alternative, b: Alternative): boolean {
  const names = commonConstants(a, b)
  return names.length > 0 && names.every(({ isSame }) => isSame)
}

/** Whether a constant says that they are two. One that was announced to get other values says nothing. */
function haveOtherNames(a: Alternative, b: Alternative): boolean {
  const isAnnounced = (name: string) =>
    a.parts.some((part) => objectOf(membersOf(part)[name])['x-extensible-enum'] === true)
  return commonConstants(a, b).some(({ name, isSame }) => !isSame && !isAnnounced(name))
}

function commonConstants(a: Alternative, b: Alternative): { name: string; isSame: boolean }[] {
  const others = constantsOf(b.parts)
  const common = [...constantsOf(a.parts)].filter(([name]) => others.has(name))
  return common.map(([name, value]) => ({ name, isSame: canonical(value) === canonical(others.get(name)) }))
}

function isLike(change: SchemaChange): (other: SchemaChange) => boolean {
  return ({ kind, path, sentence }) => kind === change.kind && path === change.path && sentence === change.sentence
}

/** A change that happens in one variant, and may not happen in the others. */
function within(variant: Alternative, change: SchemaChange): SchemaChange {
  const { sentence } = change
  return {
    ...change,
    sentence: `In ${variantInWords(variant)}: ${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`,
  }
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
