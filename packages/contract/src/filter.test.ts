import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readExactJson } from './exact-number.ts'
import { type Filter, parseFilter } from './filter.ts'
import { explainFilter, filterSubject, matchesFilter } from './filter-judgement.ts'
import { limits } from './limits.ts'
import { filterOperators } from './states.ts'

const event = {
  type: 'invoice.paid',
  keys: { order: 'ord_42', 'cart.id': 'c1' },
  data: `{
    "total": 1200, "exact": 12345678901234567890, "rate": 1.0, "name": "Zoë", "none": null, "paid": true,
    "a.b": {"c/d": 1, "": 2}, "empty": [], "0": "zero", "__proto__": {"x": 1},
    "lines": [{"sku": "A", "qty": 1}, {"sku": "B", "qty": 5, "tags": ["new", ["deep"]]}],
    "matrix": [[1, 2], [3]], "by_year": {"2024": 7}
  }`,
}

function read(text: string): Filter {
  const filter = parseFilter(readExactJson(text))
  if ('problems' in filter) throw new Error(JSON.stringify(filter.problems))
  return filter
}

function matches(text: string, subject = event): boolean {
  return matchesFilter(read(text), filterSubject(subject))
}

describe('an event is wanted, or not, by the filter', () => {
  test.each<[string, boolean]>([
    ['{}', true],
    ['{"type": "invoice.paid"}', true],
    ['{"type": {"$startsWith": "invoice."}}', true],
    ['{"type": {"$in": ["invoice.voided", "invoice.lost"]}}', false],
    ['{"keys.order": "ord_42"}', true],
    ['{"keys.cart.id": "c1"}', true],
    ['{"/keys/cart.id": "c1"}', true],
    ['{"keys.customer": {"$exists": false}}', true],
    ['{"keys.constructor": {"$exists": true}}', false],
    ['{"data.total": 1200}', true],
    ['{"data.total": 1200.00}', true],
    ['{"data.total": "1200"}', false],
    ['{"data.total": {"$gt": 1000, "$lt": 1200}}', false],
    ['{"data.total": {"$gte": 1200, "$lte": 1.2e3}}', true],
    ['{"data.total": {"$gt": "1"}}', false],
    ['{"data.exact": 12345678901234567890}', true],
    ['{"data.exact": 12345678901234567891}', false],
    ['{"data.exact": {"$gt": 12345678901234567889}}', true],
    ['{"data.exact": {"$in": [1, 12345678901234567890.0]}}', true],
    ['{"data.rate": 1}', true],
    ['{"data.name": {"$contains": "oë"}}', true],
    ['{"data.name": {"$endsWith": "Zoë"}}', true],
    ['{"data.name": {"$gte": "Zoé", "$lt": "Zoz"}}', false],
    ['{"data.name": {"$gt": "Zo"}}', true],
    ['{"data.none": null}', true],
    ['{"data.missing": null}', false],
    ['{"data.none": {"$exists": true}}', true],
    ['{"data.missing": {"$exists": false}}', true],
    ['{"data.missing": {"$ne": 1}}', true],
    ['{"data.missing": {"$nin": [1]}}', true],
    ['{"data.missing": {"$not": {"$gt": 1}}}', true],
    ['{"data.missing": {"$lt": 1}}', false],
    ['{"data.paid": true}', true],
    ['{"data.paid": {"$ne": true}}', false],
    ['{"/data/a.b/c~1d": 1}', true],
    ['{"/data/a.b/": 2}', true],
    ['{"data.a.b": {"$exists": true}}', false],
    ['{"data.0": "zero"}', true],
    ['{"data.by_year.2024": 7}', true],
    ['{"data.lines.sku": "B"}', true],
    ['{"data.lines.sku": "C"}', false],
    ['{"data.lines.sku": {"$ne": "B"}}', false],
    ['{"data.lines.1.sku": "B"}', true],
    ['{"data.lines.0.sku": "B"}', false],
    ['{"data.lines.9": {"$exists": true}}', false],
    ['{"data.lines.01.sku": {"$exists": true}}', false],
    ['{"data.lines.tags": "new"}', true],
    ['{"data.lines.tags": "deep"}', true],
    ['{"data.lines.tags.0": "deep"}', false],
    ['{"data.matrix": 3}', true],
    ['{"data.matrix.0.1": 2}', true],
    ['{"data.empty": {"$exists": true}}', true],
    ['{"data.empty.x": {"$exists": true}}', false],
    ['{"data.empty": {"$eq": null}}', false],
    ['{"data.lines.length": {"$exists": true}}', false],
    ['{"data.name.length": {"$exists": true}}', false],
    ['{"data.constructor": {"$exists": true}}', false],
    ['{"/data/__proto__/x": 1}', true],
    ['{"data": {"$exists": true}}', true],
    ['{"data": 1}', false],
    ['{"$or": [{"data.total": 1}, {"data.paid": true}]}', true],
    ['{"$and": [{"data.total": 1200}, {"data.paid": false}]}', false],
    ['{"$not": {"data.total": 1200, "data.paid": false}}', true],
    ['{"data.total": 1200, "data.paid": true, "$or": [{}]}', true],
    // Each test of a field looks for an element of its own.
    ['{"data.lines.sku": "A", "data.lines.qty": 5}', true],
  ])('%s: %s', (text, expected) => {
    expect(matches(text)).toBe(expected)
  })
})

describe('a filter that cannot be used is refused with the place', () => {
  test.each<[string, string]>([
    ['[]', ''],
    ['1', ''],
    ['12345678901234567890', ''],
    ['null', ''],
    ['{"total": 5}', '/total'],
    ['{"data.": 5}', '/data.'],
    ['{"data..a": 5}', '/data..a'],
    ['{"/data/a~b": 5}', '/~1data~1a~0b'],
    ['{"/keys/a/b": "x"}', '/~1keys~1a~1b'],
    ['{"keys.": "x"}', '/keys.'],
    ['{"keys.order": 42}', '/keys.order'],
    ['{"type": {"$in": ["a", 1]}}', '/type/$in/1'],
    ['{"data.a": {"$regex": ".*"}}', '/data.a/$regex'],
    ['{"$where": "1"}', '/$where'],
    ['{"$eq": 1}', '/$eq'],
    ['{"data.a": {"b": 1}}', '/data.a/b'],
    ['{"data.a": {}}', '/data.a'],
    ['{"data.a": [1]}', '/data.a'],
    ['{"data.a": {"$eq": {"b": 1}}}', '/data.a/$eq'],
    ['{"data.a": {"$gt": true}}', '/data.a/$gt'],
    ['{"data.a": {"$gt": null}}', '/data.a/$gt'],
    ['{"data.a": {"$in": []}}', '/data.a/$in'],
    ['{"data.a": {"$in": 1}}', '/data.a/$in'],
    ['{"data.a": {"$exists": 1}}', '/data.a/$exists'],
    ['{"data.a": {"$contains": ""}}', '/data.a/$contains'],
    ['{"data.a": {"$startsWith": 1}}', '/data.a/$startsWith'],
    ['{"data.a": {"$not": 1}}', '/data.a/$not'],
    ['{"data.a": {"$and": [{}]}}', '/data.a/$and'],
    ['{"data.a": 1e99999}', '/data.a'],
    ['{"data.a": "\\u0000"}', '/data.a'],
    ['{"data.a": "\\ud800"}', '/data.a'],
    ['{"data.\\u0000": 1}', '/data.\0'],
    ['{"$or": []}', '/$or'],
    ['{"$and": {}}', '/$and'],
    ['{"$or": [{"data.a": 1}, 2]}', '/$or/1'],
    ['{"$not": {"x": 1}}', '/$not/x'],
    [`{"data.a": "${'x'.repeat(limits.filterValueLengthMax + 1)}"}`, '/data.a'],
    [`{"data.a": 0.${'1'.repeat(limits.filterValueLengthMax)}}`, '/data.a'],
    [`{"data.${'a.'.repeat(limits.filterPathPartsMax)}a": 1}`, `/data.${'a.'.repeat(limits.filterPathPartsMax)}a`],
    [`{"data.${'a'.repeat(limits.filterPathLengthMax)}": 1}`, `/data.${'a'.repeat(limits.filterPathLengthMax)}`],
    [`{"data.a": {"$in": [${Array.from({ length: limits.filterValuesMax + 1 }, (_, n) => n)}]}}`, '/data.a/$in'],
    [`{"$and": [${Array.from({ length: limits.filterClausesMax + 1 }, () => '{"data.a":1}')}]}`, ''],
    [`{"data.a": {"$in": [${Array.from({ length: 99 }, () => `"${'x'.repeat(90)}"`)}]}}`, ''],
    [`${'{"$not":'.repeat(limits.filterDepthMax + 1)}{}${'}'.repeat(limits.filterDepthMax + 1)}`, '/$not'.repeat(9)],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, ''],
  ])('case %#', (text, pointer) => {
    expect(parseFilter(readExactJson(text))).toEqual({ problems: [{ pointer, detail: expect.any(String) }] })
  })

  test('every problem is told at once, and no more than twenty', () => {
    const two = parseFilter({ a: 1, 'data.b': { $gt: true }, 'data.c': 1 })
    expect(two).toMatchObject({ problems: [{ pointer: '/a' }, { pointer: '/data.b/$gt' }] })
    const many = parseFilter(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`x${n}`, 1])))
    expect('problems' in many && many.problems.length).toBe(20)
  })

  test('a number that cannot be told from infinity is refused, also when it was read by JSON.parse', () => {
    expect(parseFilter(JSON.parse('{"data.a": 1e999}'))).toMatchObject({ problems: [{ pointer: '/data.a' }] })
  })
})

test('a filter is printed as it was read, with every number exactly', () => {
  const text = '{"data.a":{"$in":[12345678901234567890,0.1000000000000000055511151231257827]},"$or":[{"type":"a"}]}'
  expect(read(text).text).toBe(text)
})

describe('the clause that failed is named', () => {
  test.each<[string, string, string, string | null]>([
    ['{"data.total": 5}', '/data.total', 'data.total is not 5', '1200'],
    ['{"data.total": {"$gt": 1, "$lt": 1200}}', '/data.total/$lt', 'data.total is not less than 1200', '1200'],
    ['{"type": "a", "data.total": 5}', '/type', 'type is not "a"', '"invoice.paid"'],
    ['{"data.nope": 5}', '/data.nope', 'there is no data.nope, so it is not 5', null],
    ['{"data.nope": {"$exists": true}}', '/data.nope/$exists', 'data.nope does not exist', null],
    ['{"data.none": {"$exists": false}}', '/data.none/$exists', 'data.none exists', 'null'],
    ['{"data.lines.sku": "C"}', '/data.lines.sku', 'data.lines.sku is not "C"', '"A", "B"'],
    ['{"data.empty": "C"}', '/data.empty', 'data.empty is not "C"', '[]'],
    ['{"data.lines": 1}', '/data.lines', 'data.lines is not 1', '{…}, {…}'],
    ['{"data.exact": {"$lt": 1}}', '/data.exact/$lt', 'data.exact is not less than 1', '12345678901234567890'],
    ['{"/data/a.b/": 3}', '/~1data~1a.b~1', '/data/a.b/ is not 3', '2'],
    ['{"$or": [{"type": "a"}, {"type": "b"}]}', '/$or', 'none of its 2 alternatives is fulfilled', null],
    ['{"$and": [{"type": "invoice.paid"}, {"type": "b"}]}', '/$and/1/type', 'type is not "b"', '"invoice.paid"'],
    ['{"$not": {"data.paid": true}}', '/$not', 'what it excludes is the case', null],
    ['{"data.paid": {"$not": {"$eq": true}}}', '/data.paid/$not', 'what it excludes is the case', null],
    ['{"keys.order": {"$nin": ["ord_42"]}}', '/keys.order/$nin', 'keys.order is one of the 1 values', '"ord_42"'],
  ])('%s fails at %s', (text, pointer, detail, found) => {
    expect(explainFilter(read(text), filterSubject(event))).toEqual({
      matches: false,
      unfinished: false,
      failed: { pointer, detail, found },
    })
  })

  test('what was found is shortened, and never cut within a character', () => {
    const data = JSON.stringify({ a: [`${'x'.repeat(77)}😀${'x'.repeat(90)}`, 2, 3, 4] })
    const { failed } = explainFilter(read('{"data.a": 1}'), filterSubject({ ...event, data }))
    expect(failed?.found?.length).toBeLessThanOrEqual(80)
    expect(failed?.found?.isWellFormed()).toBe(true)
  })
})

describe('against a naive reading of the rules', () => {
  const names = ['a', 'b', '0', '1', '']
  const numbers = [
    '0',
    '-0',
    '1',
    '1.0',
    '2',
    '9007199254740993',
    '9007199254740992',
    '12345678901234567890',
    '0.5',
    '1e400',
  ]
  const texts = ['', 'a', 'ab', 'b', '1']
  const scalar = fc.constantFrom('null', 'true', 'false', ...numbers, ...texts.map((text) => JSON.stringify(text)))
  const data = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      scalar,
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items}]`),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 3, selector: ([name]) => name })
        .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`)}}`),
    ),
  })).value
  const path = fc.array(fc.constantFrom(...names), { maxLength: 3 })
  const field = path.map((parts) =>
    parts.includes('') || parts.length === 2 ? ['/data', ...parts].join('/') : ['data', ...parts].join('.'),
  )
  const word = fc.constantFrom(...texts.slice(1)).map((text) => JSON.stringify(text))
  const ordered = fc.constantFrom(...numbers, ...texts.map((text) => JSON.stringify(text)))
  const operators = fc.letrec<{ one: string; all: string }>((tie) => ({
    one: fc.oneof(
      { maxDepth: 2 },
      fc.tuple(fc.constantFrom('$eq', '$ne'), scalar).map(([operator, value]) => `"${operator}":${value}`),
      fc
        .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), ordered)
        .map(([operator, value]) => `"${operator}":${value}`),
      fc
        .tuple(fc.constantFrom('$in', '$nin'), fc.array(scalar, { minLength: 1, maxLength: 3 }))
        .map(([operator, values]) => `"${operator}":[${values}]`),
      fc.boolean().map((value) => `"$exists":${value}`),
      fc
        .tuple(fc.constantFrom('$startsWith', '$endsWith', '$contains'), word)
        .map(([operator, value]) => `"${operator}":${value}`),
      tie('all').map((all) => `"$not":${all}`),
    ),
    all: fc
      .uniqueArray(tie('one'), { minLength: 1, maxLength: 2, selector: (one) => one.split('"')[1] })
      .map((all) => `{${all}}`),
  })).all
  const filter = fc.letrec<{ filter: string; member: string }>((tie) => ({
    member: fc.oneof(
      { maxDepth: 2 },
      fc.tuple(field, fc.oneof(operators, scalar)).map(([name, asked]) => `"${name}":${asked}`),
      tie('filter').map((inner) => `"$not":${inner}`),
      fc
        .tuple(fc.constantFrom('$and', '$or'), fc.array(tie('filter'), { minLength: 1, maxLength: 2 }))
        .map(([operator, inner]) => `"${operator}":[${inner}]`),
    ),
    filter: fc
      .uniqueArray(tie('member'), { maxLength: 2, selector: (member) => member.split('"')[1] })
      .map((members) => `{${members}}`),
  })).filter

  test('every filter says what the rules say, and names a clause that is not fulfilled', () => {
    const seen = { true: 0, false: 0 }
    fc.assert(
      fc.property(filter, data, (text, dataText) => {
        const subject = filterSubject({ type: 'a', keys: {}, data: dataText })
        const judgement = explainFilter(read(text), subject)
        const expected = holds(tagged(text), tagged(dataText))
        seen[`${expected}`] += 1
        expect([judgement.matches, judgement.unfinished]).toEqual([expected, false])
        expect(matchesFilter(read(text), subject)).toBe(expected)
        if (judgement.failed !== undefined) expect(at(JSON.parse(text), judgement.failed.pointer)).not.toBeUndefined()
      }),
      { numRuns: 10_000 },
    )
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(1_000)
  })

  test('whatever JSON is given as a filter is read or refused, and what is read can be judged', () => {
    const anything = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc
        .dictionary(
          fc.oneof(fc.constantFrom(...filterOperators, 'data.a', 'type', 'keys.a', 'data'), fc.string()),
          fc.jsonValue({ maxDepth: 3 }),
        )
        .map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(anything, data, (text, dataText) => {
        const read = parseFilter(readExactJson(text))
        if ('problems' in read) expect(read.problems.length).toBeGreaterThan(0)
        else expect(typeof matchesFilter(read, filterSubject({ type: 'a', keys: {}, data: dataText }))).toBe('boolean')
      }),
      { numRuns: 2_000 },
    )
  })

  /** JSON in which a number is the object `{n: its text}`, and an object an array of its members. */
  type Tagged = { n: bigint } | { o: [string, Tagged][] } | Tagged[] | string | boolean | null

  function tagged(text: string): Tagged {
    const value: unknown = JSON.parse(text, (_name, each: unknown, context?: { source?: string }) => {
      if (typeof each === 'number') return { n: scaled(context?.source ?? '') }
      return isRecord(each) && !('n' in each) ? { o: Object.entries(each) } : each
    })
    return value as Tagged
  }

  function isRecord(value: unknown): value is object {
    return value !== null && typeof value === 'object' && !Array.isArray(value)
  }

  function scaled(text: string): bigint {
    const [mantissa = '', exponent = '0'] = text.split('e')
    const [whole = '', fraction = ''] = mantissa.split('.')
    return BigInt(whole + fraction) * 10n ** BigInt(10 + Number(exponent) - fraction.length)
  }

  function members(value: Tagged): [string, Tagged][] {
    return value !== null && typeof value === 'object' && 'o' in value ? value.o : []
  }

  function holds(wanted: Tagged, subject: Tagged): boolean {
    return members(wanted).every(([name, asked]) => {
      const inner = Array.isArray(asked) ? asked : []
      if (name === '$and') return inner.every((each) => holds(each, subject))
      if (name === '$or') return inner.some((each) => holds(each, subject))
      if (name === '$not') return !holds(asked, subject)
      const parts = name.startsWith('/') ? name.split('/').slice(2) : name.split('.').slice(1)
      const values = reached(subject, parts)
      const isOperators = asked !== null && typeof asked === 'object' && 'o' in asked
      return isOperators ? satisfies(values, asked) : values.some((value) => same(value, asked))
    })
  }

  function reached(value: Tagged, parts: readonly string[]): Tagged[] {
    const [first, ...rest] = parts
    if (Array.isArray(value)) {
      if (first !== undefined && /^\d+$/.test(first)) {
        const element = value[Number(first)]
        return element === undefined ? [] : reached(element, rest)
      }
      const inside = value.flatMap((element) => reached(element, parts))
      return first === undefined ? [value, ...inside] : inside
    }
    if (first === undefined) return [value]
    return members(value).flatMap(([name, member]) => (name === first ? reached(member, rest) : []))
  }

  function satisfies(values: readonly Tagged[], operatorsAsked: Tagged): boolean {
    return members(operatorsAsked).every(([operator, asked]) => {
      const list = Array.isArray(asked) ? asked : []
      const some = (accept: (value: Tagged) => boolean) => values.some(accept)
      const ofText = (accept: (value: string, text: string) => boolean) =>
        some((value) => typeof value === 'string' && typeof asked === 'string' && accept(value, asked))
      switch (operator) {
        case '$eq':
          return some((value) => same(value, asked))
        case '$ne':
          return !some((value) => same(value, asked))
        case '$in':
          return some((value) => list.some((each) => same(value, each)))
        case '$nin':
          return !some((value) => list.some((each) => same(value, each)))
        case '$exists':
          return values.length > 0 === asked
        case '$startsWith':
          return ofText((value, text) => value.slice(0, text.length) === text)
        case '$endsWith':
          return ofText(
            (value, text) => value.slice(value.length - text.length) === text && value.length >= text.length,
          )
        case '$contains':
          return ofText((value, text) => value.split(text).length > 1)
        case '$not':
          return !satisfies(values, asked)
        case '$gt':
          return some((value) => order(value, asked, (a, b) => a > b))
        case '$gte':
          return some((value) => order(value, asked, (a, b) => a >= b))
        case '$lt':
          return some((value) => order(value, asked, (a, b) => a < b))
        default:
          return some((value) => order(value, asked, (a, b) => a <= b))
      }
    })
  }

  function same(a: Tagged, b: Tagged): boolean {
    if (isRecord(a) && 'n' in a) return isRecord(b) && 'n' in b && a.n === b.n
    return a === b && (a === null || typeof a !== 'object')
  }

  function order(a: Tagged, b: Tagged, accept: (a: string | bigint, b: string | bigint) => boolean): boolean {
    if (typeof a === 'string' && typeof b === 'string') return accept(a, b)
    return isRecord(a) && 'n' in a && isRecord(b) && 'n' in b && accept(a.n, b.n)
  }

  function at(value: unknown, pointer: string): unknown {
    const parts = pointer.split('/').slice(1)
    return parts.reduce(
      (inside, part) => Reflect.get(Object(inside), part.replaceAll('~1', '/').replaceAll('~0', '~')),
      value,
    )
  }
})

describe('what is hostile costs little, and is delivered when it cannot be judged', () => {
  const wide = JSON.stringify({ a: Array.from({ length: 90_000 }, () => 0) })
  const manyClauses = JSON.stringify({
    $or: Array.from({ length: limits.filterClausesMax - 1 }, (_, n) => ({ 'data.a': n + 1 })),
  })

  test('an event of the largest size and a filter of the largest size end within their steps', {
    timeout: 5_000,
  }, () => {
    const subject = filterSubject({ ...event, data: wide })
    expect(explainFilter(read('{"data.a": 1}'), subject)).toMatchObject({ matches: false, unfinished: false })
    expect(explainFilter(read(manyClauses), subject)).toEqual({ matches: true, unfinished: true })
  })

  test('a long text is searched in time that its length tells', { timeout: 5_000 }, () => {
    const data = JSON.stringify('a'.repeat(limits.eventDataBytesMax - 2))
    const search = { data: { $contains: `b${'a'.repeat(100)}` } }
    const filter = read(JSON.stringify({ $or: Array.from({ length: 50 }, () => search) }))
    const subject = filterSubject({ ...event, data })
    for (let n = 0; n < 20; n += 1) expect(explainFilter(filter, subject).unfinished).toBe(true)
  })

  test('data as deep as it likes overflows nothing', () => {
    const depth = 100_000
    const data = `${'['.repeat(depth)}1${']'.repeat(depth)}`
    expect(matches('{"data": 1}', { ...event, data })).toBe(true)
    expect(matches('{"data.a.b": 1}', { ...event, data })).toBe(false)
  })

  test('the data is not even read by a filter that does not look at it', () => {
    expect(matches('{"type": "invoice.paid"}', { ...event, data: 'no JSON' })).toBe(true)
  })
})
