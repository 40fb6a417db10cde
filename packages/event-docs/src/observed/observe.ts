/**
 * What was sent, beside what the schema declares: which members came that it does not know, which never came that it
 * names, which types and which values came that it does not have.
 *
 * Only counts leave here, and of values only those that the schema itself lists, or that look like one of a list
 * (`shown.ts`). It is bounded whatever the payloads hold: below a place that is not declared nothing is looked at, members
 * of a map are one place, and of everything that can be many only so many are told, with how many more there were.
 */
import {
  canonical,
  memberPath,
  type ObservationFinding,
  type ObservedType,
  observedTypes,
  TooComplex,
} from '@posthorn/contract'
import { type Declared, declaredBy, listedValues, observedTypeOf } from './declared.ts'
import { isShownName, isShownValue } from './shown.ts'

/** Places that are told of. */
export const observedFieldsMax = 500
/** Members of one object that the schema does not name, and are told of. */
export const undeclaredNamesMax = 50
/** Values of one place that are told of, and how many of them the schema may not list. */
export const observedValuesMax = 50
const outsideValuesMax = 20
/** Places that are kept, and values that are looked at, in all. */
const placesMax = 5_000
const valuesLookedAtMax = 500_000
const depthMax = 64
/** Names beyond those that are told of are told apart up to so many. */
const namesCountedMax = 10_000

export type ObservedValue = { value: unknown; declared: boolean; events: number }

/** One place in the data. All counts are of events. */
export type ObservedField = {
  /** `data.lines[].total`; `{}` is any member of a map, or any whose name is not told. */
  path: string
  declared: boolean
  required: boolean
  findings: ObservationFinding[]
  /** Events in which it is. */
  events: number
  /** Events in which that is of which it is a part. */
  parentEvents: number
  /** Events in which it is missing although it is required. */
  missingEvents: number
  types: { type: ObservedType; declared: boolean; events: number }[]
  /**
   * Where the schema lists values: those that came and are not in the list, as far as they may be told, then those of the
   * list by how often they came.
   */
  values: ObservedValue[] | null
  /** Values of the list beyond those told. */
  moreValues: number
  /** Events with a value that the list does not have, and those of them in which it is not told. */
  outsideEvents: number
  untoldEvents: number
}

export type Observed = {
  /** False where the schema cannot be taken apart within bounds: then it is read as one that names nothing. */
  compared: boolean
  /** Events that were looked at. */
  events: number
  fields: ObservedField[]
  /** Places and names beyond those told. */
  moreFields: number
  /** There was more in the payloads than is looked at. */
  truncated: boolean
}

export type Observer = {
  /** Looks at the data of one more event. Answers whether there is room for another. */
  add(data: unknown): boolean
  observed(): Observed
}

type Place = {
  path: string
  declared: Declared | undefined
  isRequired: boolean
  seen: Tally
  missing: Tally
  outside: Tally
  /** Values that came, and are neither in the list nor told. */
  untold: Tally
  types: Map<ObservedType, Tally>
  listed: ReadonlyMap<string, unknown> | undefined
  values: Map<string, { value: unknown; declared: boolean; tally: Tally }>
  parts: Map<string, Place>
  /** Members that the schema does not name, and are told of. */
  undeclaredNames: number
  /** Names of members that are not told of one by one. */
  unnamed: Set<string>
}

/** In how many events something was. */
type Tally = { events: number; last: number }

/** @param schema that of a version; undefined for none, where nothing is declared */
export function createObserver(schema: unknown): Observer {
  let { root, compared } = rootOf(schema)
  let events = 0
  let places = 1
  let lookedAt = 0
  let namesCounted = 0
  let isTruncated = false
  const isFull = () => lookedAt >= valuesLookedAtMax

  function add(data: unknown): boolean {
    if (isFull()) {
      isTruncated = true
      return false
    }
    events += 1
    try {
      look(root, data, 0)
    } catch (error) {
      if (!(error instanceof TooComplex))
        throw error
        // Nothing is told of what was counted by a schema that cannot be read to its end.
      ;({ root } = rootOf(undefined))
      compared = false
      places = 1
      events = 1
      look(root, data, 0)
    }
    return !isFull()
  }

  function look(place: Place, value: unknown, depth: number): void {
    lookedAt += 1
    count(place.seen, events)
    const type = observedTypeOf(value)
    const tally = place.types.get(type) ?? newTally()
    place.types.set(type, tally)
    count(tally, events)
    const { declared } = place
    // What is not declared, or free, is told of as a whole.
    if (declared === undefined || declared.isFree) return
    if (isFull() || depth >= depthMax) {
      isTruncated = true
      return
    }
    if (Array.isArray(value)) lookAtItems(place, declared, value, depth)
    else if (type === 'object') lookAtMembers(place, declared, value as Readonly<Record<string, unknown>>, depth)
    else if (place.listed !== undefined) lookAtValue(place, place.listed, value)
  }

  function lookAtItems(place: Place, declared: Declared, items: readonly unknown[], depth: number): void {
    for (const item of items) {
      if (isFull()) {
        isTruncated = true
        return
      }
      const found = partOf(place, '[]', `${place.path}[]`, declared.items, false)
      if (found !== undefined) look(found, item, depth + 1)
    }
  }

  function lookAtMembers(
    place: Place,
    declared: Declared,
    value: Readonly<Record<string, unknown>>,
    depth: number,
  ): void {
    const { members, required } = declared
    for (const name of required) {
      if (Object.hasOwn(value, name)) continue
      const member = members.get(name) ?? declared.member(name)
      const missing = partOf(place, `.${name}`, place.path + memberPath(name), member, true)
      if (missing !== undefined) count(missing.missing, events)
    }
    for (const name of Object.keys(value)) {
      if (isFull()) {
        isTruncated = true
        return
      }
      const member = memberOf(place, declared, name)
      if (member !== undefined) look(member, value[name], depth + 1)
      else lookedAt += 1
    }
  }

  /** The place of a member, or nothing when it is only counted. */
  function memberOf(place: Place, declared: Declared, name: string): Place | undefined {
    const path = place.path + memberPath(name)
    const isRequired = declared.required.has(name)
    const named = declared.members.get(name)
    const ofMap = named ?? declared.member(name)
    if (named !== undefined || isRequired) return partOf(place, `.${name}`, path, ofMap, isRequired)
    if (ofMap !== undefined) return partOf(place, '{}', `${place.path}{}`, ofMap, false)
    const known = place.parts.get(`?${name}`)
    if (known !== undefined) return known
    if (!isShownName(name)) return partOf(place, '?{}', `${place.path}{}`, undefined, false)
    if (place.undeclaredNames < undeclaredNamesMax) {
      place.undeclaredNames += 1
      return partOf(place, `?${name}`, path, undefined, false)
    }
    if (!place.unnamed.has(name) && namesCounted < namesCountedMax) {
      namesCounted += 1
      place.unnamed.add(name)
    }
    return undefined
  }

  function partOf(
    place: Place,
    key: string,
    path: string,
    declared: Declared | undefined,
    isRequired: boolean,
  ): Place | undefined {
    const known = place.parts.get(key)
    if (known !== undefined) return known
    if (places >= placesMax) {
      isTruncated = true
      return undefined
    }
    places += 1
    const made = newPlace(path, declared, isRequired)
    place.parts.set(key, made)
    return made
  }

  function lookAtValue(place: Place, listed: ReadonlyMap<string, unknown>, value: unknown): void {
    const text = canonical(value)
    const isListed = listed.has(text)
    // Null, where it may be, is no value of the list.
    if (!isListed && value === null && place.declared?.allowed.has('null')) return
    if (!isListed) count(place.outside, events)
    const known = place.values.get(text)
    if (known !== undefined) count(known.tally, events)
    else if (isListed || (isShownValue(value) && outsideOf(place) < outsideValuesMax)) {
      place.values.set(text, { value, declared: isListed, tally: { events: 1, last: events } })
    } else count(place.untold, events)
  }

  return {
    add,
    observed() {
      const fields: ObservedField[] = []
      let moreFields = 0
      const tell = (field: ObservedField) => {
        if (fields.length < observedFieldsMax) fields.push(field)
        else moreFields += 1
      }
      // Without an event nothing can be said of what came and what did not.
      const unnamed = events > 0 ? tellOf(root, undefined, tell) : 0
      return { compared, events, fields, moreFields: moreFields + unnamed, truncated: isTruncated }
    },
  }
}

/** Looks at the data of events, as many as there is room for. */
export function observe(schema: unknown, payloads: Iterable<unknown>): Observed {
  const observer = createObserver(schema)
  for (const data of payloads) if (!observer.add(data)) break
  return observer.observed()
}

function rootOf(schema: unknown): { root: Place; compared: boolean } {
  const naming = { type: observedTypes.filter((type) => type !== 'integer') }
  try {
    return { root: newPlace('data', declaredBy(schema ?? naming), true), compared: schema !== undefined }
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error
    return { root: newPlace('data', declaredBy(naming), true), compared: false }
  }
}

/** Tells of a place and all of its parts, in the order of the schema. Answers how many names are not told of. */
function tellOf(place: Place, parent: Place | undefined, tell: (field: ObservedField) => void): number {
  tell(fieldOf(place, parent))
  let more = place.unnamed.size
  const { declared, parts, path } = place
  const told = new Set<Place>()
  if (declared !== undefined && !declared.isFree && place.types.has('object')) {
    for (const [name, member] of declared.members) {
      const part = parts.get(`.${name}`)
      const of = part ?? newPlace(path + memberPath(name), member, declared.required.has(name))
      told.add(of)
      more += tellOf(of, place, tell)
    }
  }
  const others = [...parts.values()].filter((part) => !told.has(part))
  for (const part of others.toSorted((a, b) => b.seen.events - a.seen.events)) more += tellOf(part, place, tell)
  return more
}

function fieldOf(place: Place, parent: Place | undefined): ObservedField {
  const { declared, seen, missing, outside } = place
  const types = observedTypes.flatMap((type) => {
    const tally = place.types.get(type)
    if (tally === undefined) return []
    return [{ type, declared: declared?.allowed.has(type) ?? false, events: tally.events }]
  })
  const findings: ObservationFinding[] = []
  if (seen.events === 0) findings.push('never_seen')
  else if (declared === undefined) findings.push('undeclared')
  if (missing.events > 0) findings.push('required_missing')
  if (declared !== undefined && types.some((type) => !type.declared)) findings.push('undeclared_type')
  if (outside.events > 0) findings.push('outside_list')
  return {
    path: place.path,
    declared: declared !== undefined,
    required: place.isRequired,
    findings,
    events: seen.events,
    parentEvents: parent === undefined ? seen.events : (parent.types.get(wholeOf(place))?.events ?? 0),
    missingEvents: missing.events,
    types,
    ...valuesOf(place),
    outsideEvents: outside.events,
    untoldEvents: place.untold.events,
  }
}

function wholeOf({ path }: Place): ObservedType {
  return path.endsWith('[]') ? 'array' : 'object'
}

function valuesOf({ values, listed }: Place): Pick<ObservedField, 'values' | 'moreValues'> {
  if (listed === undefined) return { values: null, moreValues: 0 }
  const told = (of: Iterable<{ value: unknown; declared: boolean; tally: Tally }>) =>
    [...of]
      .map(({ value, declared, tally }) => ({ value, declared, events: tally.events }))
      .toSorted((a, b) => b.events - a.events)
  const outside = told(values.values().filter((one) => !one.declared))
  const ofList = told(
    listed.entries().map(([text, value]) => values.get(text) ?? { value, declared: true, tally: newTally() }),
  )
  const all = [...outside, ...ofList]
  return { values: all.slice(0, observedValuesMax), moreValues: Math.max(0, all.length - observedValuesMax) }
}

function outsideOf({ values }: Place): number {
  return values.values().reduce((sum, { declared }) => sum + (declared ? 0 : 1), 0)
}

function newPlace(path: string, declared: Declared | undefined, isRequired: boolean): Place {
  return {
    path,
    declared,
    isRequired,
    seen: newTally(),
    missing: newTally(),
    outside: newTally(),
    untold: newTally(),
    types: new Map(),
    listed: declared && listedValues(declared),
    values: new Map(),
    parts: new Map(),
    undeclaredNames: 0,
    unnamed: new Set(),
  }
}

function newTally(): Tally {
  return { events: 0, last: 0 }
}

/** Once an event, however often it is in it. */
function count(tally: Tally, event: number): void {
  if (tally.last === event) return
  tally.last = event
  tally.events += 1
}
