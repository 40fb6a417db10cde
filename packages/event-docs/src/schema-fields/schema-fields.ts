/**
 * The JSON Schema of an event's data as a tree of fields for a table. Its author is a stranger: whatever it is, this ends,
 * and says what it does not show.
 *
 * Each place of the data is read as alternatives of one type each (`schema-document.ts` in the contract): references and
 * `allOf` are followed, `anyOf` and `oneOf` taken apart. One alternative of a type is the field itself; several are its
 * variants. A place that is made of the same parts as one around it is that one again, so a recursion ends with its path.
 *
 * Bounded: steps, fields and levels are counted. What is too much for a table is no table, and a page shows the source.
 */
import {
  type Alternative,
  isObject,
  itemAt,
  type JsonType,
  jsonTypes,
  type Keywords,
  limitOf,
  listOf,
  memberOf,
  memberPath,
  membersOf,
  numbering,
  objectOf,
  otherMembers,
  ownMember,
  schemaDocument,
  shown,
  TooComplex,
} from '@posthorn/contract'
import { isStructural } from '../structure.ts'
import { constraintsOf } from './constraints.ts'
import { valuesOf } from './field-values.ts'
import type { FieldContent, SchemaField, SchemaFields, SchemaVariant } from './fields.ts'
import { type Remarks, remarksOf, textIn } from './remarks.ts'
import { anyValue, collectionWords, joined, type TypeWords, typesInText, typeWords } from './type-words.ts'
import { commonParts, type Form, type Forms, formsOf, labelOf } from './variants.ts'

/** Rows of a table. A schema of 64 KiB has 2,000 members at most, and more only by what it refers to many times. */
const fieldsMax = 2_000
/** Objects, arrays and maps inside one another. */
const levelsMax = 32
/** Some tenths of a second. */
const stepsMax = 100_000
/** Slots of a tuple that get a row each. */
const slotsMax = 50
const warningsMax = 50

type Nodes = readonly unknown[]
type Place = { path: string; depth: number; level: number }

/** A place read, with what its field is made from. */
type Content = FieldContent & { words: TypeWords; remarks: Remarks }
/** What one alternative adds. */
type Part = Pick<FieldContent, 'constraints' | 'values' | 'refersTo' | 'children' | 'variants'> & {
  words: TypeWords
  /** What is said of the items or members, for a field of which nothing is said itself. */
  inner?: Remarks
}

/** There is no table for this schema; the message says why. */
class TooMuch extends Error {
  override readonly name = 'TooMuch'
  readonly code = 'too_much'
}

/**
 * @param schema JSON Schema 2020-12 of `data`
 * @param options.since the first version that has a field, by its path (`sinceVersions`)
 */
export function schemaFields(schema: unknown, options: { since?: ReadonlyMap<string, number> } = {}): SchemaFields {
  const warnings = new Set<string>()
  try {
    const root = readSchema(schema, options.since ?? new Map(), warnings)
    return { root, renderable: true, warnings: listed(warnings) }
  } catch (error) {
    const isOurs = error instanceof TooMuch || error instanceof TooComplex || error instanceof RangeError
    if (!isOurs) throw error
    const reason = error instanceof TooMuch ? error.message : 'It refers to itself without end, or too deeply.'
    return { root: undefined, renderable: false, warnings: [`The schema is too much for a table. ${reason}`] }
  }
}

function listed(warnings: ReadonlySet<string>): string[] {
  const all = [...warnings]
  return all.length <= warningsMax ? all : [...all.slice(0, warningsMax), `There are ${all.length - warningsMax} more.`]
}

function readSchema(schema: unknown, since: ReadonlyMap<string, number>, warnings: Set<string>): SchemaField {
  let steps = 0
  let fields = 0
  const step = () => {
    steps += 1
    if (steps > stepsMax)
      throw new TooMuch('It takes too many steps to read: its parts refer to one another too often.')
  }
  const document = schemaDocument(schema, step)
  const numberOf = numbering()
  /** Places around the one that is being read, by what they are made of. */
  const open = new Map<string, string>()

  function fieldOf(nodes: Nodes, name: string, place: Place, required: boolean): SchemaField {
    fields += 1
    if (fields > fieldsMax) throw new TooMuch(`It has more than ${fieldsMax} fields.`)
    const { words: _words, remarks, ...content } = contentOf(nodes, place)
    const { path, depth } = place
    return { path, name, depth, required, ...content, ...remarks, since: since.get(path) }
  }

  function contentOf(nodes: Nodes, place: Place): Content {
    step()
    if (place.level > levelsMax) throw new TooMuch(`It is more than ${levelsMax} levels deep.`)
    const found = alternativesOf(nodes, place)
    if (found === undefined) return nothingKnown(nodes)
    const alternatives = found.filter(({ type }) => type !== 'null')
    const nullable = alternatives.length < found.length
    warnOfRules(found, place)
    const shared = commonParts(alternatives.length > 0 ? alternatives : found)
    const remarks = remarksOf(shared)
    const values = valuesOf(alternatives)
    const structure = [...new Set(found.flatMap(({ parts }) => parts.filter(isStructural)).map(numberOf))]
    const key = structure.sort((a, b) => a - b).join()
    const refersTo = key === '' ? undefined : open.get(key)
    if (refersTo !== undefined) {
      const words = joined([plainWords(alternatives), ...(nullable ? [typeWords('null')] : [])])
      return { ...empty, words, types: typesInText(words), nullable, values, refersTo, remarks }
    }
    if (key !== '') open.set(key, place.path)
    const parts = partsOf(alternatives, place)
    if (key !== '') open.delete(key)
    const words = isAny(found)
      ? typeWords(anyValue)
      : joined([...parts.map((part) => part.words), ...(nullable ? [typeWords('null')] : [])])
    const inner = parts.flatMap((part) => part.inner ?? [])
    return {
      words,
      types: typesInText(words),
      nullable,
      constraints: [...new Set(parts.flatMap((part) => part.constraints))],
      values: values ?? parts.find((part) => part.values !== undefined)?.values,
      refersTo: parts.find((part) => part.refersTo !== undefined)?.refersTo,
      children: parts.flatMap((part) => part.children),
      variants: parts.flatMap((part) => part.variants),
      remarks: withInner(remarks, inner),
    }
  }

  /** Undefined where there are too many to take apart. */
  function alternativesOf(nodes: Nodes, { path }: Place): Alternative[] | undefined {
    try {
      return document.alternatives(nodes)
    } catch (error) {
      if (!(error instanceof TooComplex)) throw error
      warnings.add(`${path}: has too many variants, or refers to itself without end; what it is made of is not shown.`)
      return undefined
    }
  }

  function warnOfReferences(part: Keywords, path: string): void {
    for (const name of ['$ref', '$dynamicRef']) {
      const reference = part[name]
      if (typeof reference === 'string' && document.resolve(reference) === undefined)
        warnings.add(`${path}: refers to ${shown(reference)}, which is nowhere in the schema.`)
    }
  }

  function warnOfRules(alternatives: readonly Alternative[], { path }: Place): void {
    for (const part of new Set(alternatives.flatMap(({ parts }) => parts))) {
      warnOfReferences(part, path)
      for (const rule of rulesNotShown(part)) warnings.add(`${path}: the rule ${rule} is not shown in the table.`)
    }
  }

  /** What each type adds, in the order of types. */
  function partsOf(alternatives: readonly Alternative[], place: Place): Part[] {
    return jsonTypes.flatMap((type) => {
      const ofType = alternatives.filter((one) => one.type === type)
      const [only] = ofType
      if (only === undefined) return []
      if (ofType.length === 1) return [partOf(only, only.parts, place)]
      return variantsOf(ofType, place)
    })
  }

  function partOf(
    alternative: Alternative,
    parts: readonly Keywords[],
    place: Place,
    names?: ReadonlySet<string>,
  ): Part {
    const { type } = alternative
    const constraints = constraintsOf(type, parts)
    if (type === 'array') return arrayPart(parts, constraints, place)
    if (type === 'object') return objectPart(parts, constraints, place, names)
    return { ...empty, words: plainWords([alternative]), constraints }
  }

  function arrayPart(parts: readonly Keywords[], constraints: string[], place: Place): Part {
    const slots = Math.max(...parts.map((part) => listOf(part['prefixItems']).length))
    const rest = parts.flatMap((part) => itemAt(part, Number.POSITIVE_INFINITY))
    const isClosedTuple = parts.some((part) => part['items'] === false)
    if (slots === 0) {
      if (isClosedTuple) return { ...empty, words: typeWords('array'), constraints: [...constraints, 'no items'] }
      return collection('array', rest, constraints, { ...place, path: `${place.path}[]` })
    }
    const least = limitOf(parts, 'minItems', 'min')
    const children: SchemaField[] = []
    for (let index = 0; index < Math.min(slots, slotsMax); index += 1) {
      const nodes = parts.flatMap((part) => itemAt(part, index))
      children.push(fieldOf(nodes, `[${index}]`, inside(place, `[${index}]`), index < least))
    }
    if (slots > slotsMax) warnings.add(`${place.path}: only the first ${slotsMax} of ${slots} slots are shown.`)
    if (rest.length > 0 && !isClosedTuple) children.push(fieldOf(rest, '[]', inside(place, '[]'), false))
    return { ...empty, words: typeWords('array'), constraints, children }
  }

  /** Items of an array or members of a map, which have no row of their own: what they are stands in that of the whole. */
  function collection(kind: 'array' | 'map', nodes: Nodes, constraints: string[], place: Place): Part {
    if (nodes.length === 0) return { ...empty, words: typeWords(kind), constraints }
    const inner = contentOf(nodes, { ...place, level: place.level + 1 })
    const each = kind === 'array' ? 'each item' : 'each member'
    const ofInner = inner.constraints.map((text) => `${each}: ${text}`)
    const words = collectionWords(kind, inner.words)
    const { values, refersTo, children, variants } = inner
    const told = { words, values, refersTo, children, variants, inner: inner.remarks }
    return { ...told, constraints: [...constraints, ...ofInner] }
  }

  /** @param names the members that are wanted; all when undefined */
  function objectPart(
    parts: readonly Keywords[],
    constraints: string[],
    place: Place,
    names?: ReadonlySet<string>,
  ): Part {
    const named = namesOf(parts)
    const patterns = new Set(parts.flatMap((part) => Object.keys(objectOf(part['patternProperties']))))
    const others = parts.flatMap(otherMembers).filter((node) => Object.keys(node as object).length > 0)
    if (names === undefined && named.size === 0 && patterns.size === 0 && others.length > 0)
      return collection('map', others, constraints, { ...place, path: `${place.path}{}` })
    const children: SchemaField[] = []
    for (const name of names ?? named) {
      step()
      const nodes = parts.flatMap((part) => memberOf(part, name))
      // What must not come has no row.
      if (nodes.includes(false)) continue
      const required = parts.some((part) => listOf(part['required']).includes(name))
      children.push(fieldOf(nodes, name, inside(place, memberPath(name)), required))
    }
    for (const pattern of patterns) {
      const nodes = parts.flatMap((part) => ownMember(objectOf(part['patternProperties']), pattern))
      const name = `{${shown(pattern)}}`
      if (!nodes.includes(false)) children.push(fieldOf(nodes, name, inside(place, name), false))
    }
    if (others.length > 0) children.push(fieldOf(others, '{}', inside(place, '{}'), false))
    return { ...empty, words: typeWords('object'), constraints, children }
  }

  /** Several alternatives of one type: what all say is the field's, what they do not all say is each variant's. */
  function variantsOf(alternatives: readonly Alternative[], place: Place): Part[] {
    const [first] = alternatives
    const forms = formsOf(alternatives)
    if (first === undefined) return []
    if (!hasStructure(alternatives)) return scalarVariants(forms, place)
    if (first.type !== 'object')
      return [{ ...empty, words: typeWords(first.type), variants: wholeVariants(forms, place) }]
    const varying = namesOf(forms.forms.flatMap(({ own }) => own))
    const fixed = new Set([...namesOf(forms.common)].filter((name) => !varying.has(name)))
    const base = objectPart(forms.common, constraintsOf('object', forms.common), place, fixed)
    const variants = forms.forms.map((form, index) => {
      const names = new Set([...namesOf(form.alternative.parts)].filter((name) => varying.has(name)))
      // Names and patterns of the common part have their rows above.
      const { own, alternative } = form
      const part = objectPart(alternative.parts, constraintsOf('object', own), place, names)
      const commonRows = new Set(base.children.map(({ path }) => path))
      const children = part.children.filter(({ path }) => !commonRows.has(path))
      return variant(forms, index, { ...part, children }, place)
    })
    return [{ ...base, variants }]
  }

  /** Forms of a text or a number: told in one row where they look alike. */
  function scalarVariants(forms: Forms, place: Place): Part[] {
    const parts = forms.forms.map(({ alternative }) => {
      const part = partOf(alternative, alternative.parts, place)
      return { ...part, values: alternative.values === undefined ? undefined : valuesOf([alternative]) }
    })
    const distinct = new Map(parts.map((part) => [JSON.stringify([part.words, part.constraints, part.values]), part]))
    const plain = [...distinct.values()].filter((part) => part.constraints.length === 0)
    const words = joined(parts.map((part) => part.words))
    // A list of values beside any value of the type is a list that is open; `values` of the whole says so.
    if (plain.length === distinct.size) return [{ ...empty, words }]
    const kept = parts.map((part) => [...distinct.values()].includes(part))
    const variants = parts.flatMap((part, index) => (kept[index] ? [variant(forms, index, part, place)] : []))
    if (variants.length > 1) return [{ ...empty, words, variants }]
    return [...distinct.values()].map((part) => ({ ...part, values: undefined }))
  }

  /** Forms of an array, each as a whole. */
  function wholeVariants(forms: Forms, place: Place): SchemaVariant[] {
    return forms.forms.map(({ alternative }, index) =>
      variant(forms, index, partOf(alternative, alternative.parts, place), place),
    )
  }

  function variant({ forms, discriminator }: Forms, index: number, part: Part, { path }: Place): SchemaVariant {
    const { words, inner: _inner, ...content } = part
    const form = forms[index] as Form // the caller counts them
    const told = discriminator && { name: discriminator.name, value: discriminator.values[index] }
    const types = typesInText(words)
    return {
      ...content,
      path,
      types,
      nullable: false,
      label: labelOf(form, told, types),
      description: textIn(form.own, 'description'),
      discriminator: told && { path: `${path}${memberPath(told.name)}`, value: told.value },
    }
  }

  return fieldOf([schema], 'data', { path: 'data', depth: 0, level: 0 }, true)
}

const empty: Omit<Part, 'words'> = {
  constraints: [],
  values: undefined,
  refersTo: undefined,
  children: [],
  variants: [],
}

/** Where nothing could be taken apart: only what the nodes themselves say. */
function nothingKnown(nodes: Nodes): Content {
  const words = typeWords(anyValue)
  const remarks = remarksOf(nodes.filter(isObject))
  return { ...empty, words, types: anyValue, nullable: true, constraints: ['see the source of the schema'], remarks }
}

function inside({ path, depth, level }: Place, step: string): Place {
  return { path: `${path}${step}`, depth: depth + 1, level: level + 1 }
}

/** Members that have a name, in the order of the schema; those that are only required behind them. */
function namesOf(parts: readonly Keywords[]): Set<string> {
  const properties = parts.flatMap((part) => Object.keys(membersOf(part)))
  const required = parts.flatMap((part) => listOf(part['required'])).filter((name) => typeof name === 'string')
  return new Set([...properties, ...required])
}

/** Texts of items are those of the field when it has none itself; a mark of one of them is a mark of all. */
function withInner(remarks: Remarks, inner: readonly Remarks[]): Remarks {
  const text = (name: 'title' | 'description') => inner.find((one) => one[name] !== undefined)?.[name]
  const hasWords = remarks.title !== undefined || remarks.description !== undefined
  return {
    ...remarks,
    title: hasWords ? remarks.title : text('title'),
    description: hasWords ? remarks.description : text('description'),
    sensitivity: [...new Set([remarks, ...inner].flatMap(({ sensitivity }) => sensitivity))],
  }
}

function plainWords(alternatives: readonly Alternative[]): TypeWords {
  const word = ({ type, integer }: Alternative) => (integer ? 'integer' : type)
  return typeWords(...new Set(alternatives.map(word)))
}

/** Whether nothing is said of the type. */
function isAny(alternatives: readonly Alternative[]): boolean {
  const types = new Set(
    alternatives.filter(({ values, integer }) => values === undefined && !integer).map(({ type }) => type),
  )
  return types.size === jsonTypes.length
}

function hasStructure(alternatives: readonly Alternative[]): boolean {
  const isCollection = (type: JsonType) => type === 'object' || type === 'array'
  return alternatives.some(
    ({ type, parts }) =>
      isCollection(type) && parts.some((part) => isStructural(part) || part['required'] !== undefined),
  )
}

/** Rules that have no words here. */
function rulesNotShown(part: Keywords): string[] {
  const rules = ['not', 'if', 'contains', 'dependentSchemas', 'unevaluatedItems', 'contentSchema'].filter(
    (name) => part[name] !== undefined,
  )
  if (isObject(part['unevaluatedProperties'])) rules.push('unevaluatedProperties')
  return rules.map((rule) => `\`${rule}\``)
}
