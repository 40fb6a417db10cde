import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EvaluationLimits, EvaluatorAnswer, EvaluatorReply } from './protocol.ts'
import { createRealms } from './realm.ts'

const limits: EvaluationLimits = {
  // Far above what anything here needs; what never ends is given less.
  msMax: 20_000,
  memoryMibMax: 96,
  resultBytesMax: 10_000,
  resultDepthMax: 8,
  expressionDepthMax: 64,
  textLengthMax: 100_000,
  arrayLengthMax: 10_000,
}
/** As if nobody else used the processor. */
const alone = () => performance.now()
const realms = createRealms(limits, alone)
const hurried = createRealms({ ...limits, msMax: 500 }, alone)
const nowMs = Date.parse('2026-11-23T10:00:00.123Z')
const secret = 'CANARY'
const event = {
  id: 'evt_1',
  type: 'invoice.paid',
  keys: { region: 'eu' },
  data: { total: 5, name: secret, lines: [{ n: 1 }, { n: 2 }] },
}

function apply(transform: string, input: unknown = event, tenantId = 'acme', within = realms): EvaluatorAnswer {
  return answered(within.evaluate({ kind: 'apply', transform, tenantId, input: JSON.stringify(input), nowMs }))
}

function check(transform: string): EvaluatorAnswer {
  return answered(realms.evaluate({ kind: 'check', transform }))
}

function answered(reply: EvaluatorReply): EvaluatorAnswer {
  if ('starved' in reply) throw new Error('it was starved')
  return reply
}

function faultOf(answer: EvaluatorAnswer) {
  if ('fault' in answer) return answer.fault
  throw new Error(`it gave ${answer.data}`)
}

describe('what a transform makes', () => {
  test.each([
    ['data', '{"total":5,"name":"CANARY","lines":[{"n":1},{"n":2}]}'],
    [
      '{"t": data.total, "k": keys.region, "id": id, "type": type}',
      '{"t":5,"k":"eu","id":"evt_1","type":"invoice.paid"}',
    ],
    ['$sum(data.lines.n)', '3'],
    ['data.lines.n', '[1,2]'],
    ['data.lines[n = 3].n ? 1 : null', 'null'],
    ['[]', '[]'],
    ['{}', '{}'],
    ['{"there": 1, "not": data.nothing}', '{"there":1}'],
    ['"é\\u0000"', '"é\\u0000"'],
    ['-0', '0'],
    ['$now()', '"2026-11-23T10:00:00.123Z"'],
    ['$now("[Y]-[M01]")', '"2026-11"'],
    ['$millis()', String(nowMs)],
    ['$base64encode("hé\u00ff")', `"${Buffer.from('hé\u00ff', 'latin1').toString('base64')}"`],
    ['$base64decode("aGk_-w==")', JSON.stringify(Buffer.from('aGk_-w==', 'base64').toString('latin1'))],
    ['($less := $replace(?, "a", "b"); $less("banana"))', '"bbnbnb"'],
    ['$replace("abc", /(b)/, "[$1]")', '"a[b]c"'],
    ['($x := [1..3]; {"a": $x, "b": $x})', '{"a":[1,2,3],"b":[1,2,3]}'],
    ['$string({"a": [1, "b"]})', '"{\\"a\\":[1,\\"b\\"]}"'],
    ['data ~> | lines | {"m": n * 2}, "n" |', '{"total":5,"name":"CANARY","lines":[{"m":2},{"m":4}]}'],
  ])('%s', (transform, expected) => {
    expect(apply(transform)).toEqual({ data: expected })
    expect(check(transform)).toEqual({ data: 'null' })
  })

  test('the data as it is, when that is asked for, for all data that a double holds', () => {
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', maxDepth: 5 },
        fc.constantFrom(null, true, false, 0, -1.5, 1e21, 5e-324, '', 'a'),
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
      ),
    })).value
    fc.assert(
      fc.property(json, (data) => {
        const answer = apply('data', { data })
        expect('data' in answer && JSON.parse(answer.data)).toEqual(JSON.parse(JSON.stringify(data)))
        expect(apply('data', { data })).toEqual(answer)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a result that is none is a fault', () => {
  test.each([
    ['nothing', 'data.nothing', 'result_unusable', 'The result is nothing'],
    ['nothing inside an array', '[$sum, 1]', 'result_unusable', 'A value in the result, 1 deep, is a function'],
    ['a built-in function', '$sum', 'result_unusable', 'The result is a function'],
    [
      'a function of its own',
      '{"a": {"f": function($x) { $x }}}',
      'result_unusable',
      'A value in the result, 2 deep, is a function',
    ],
    ['a regular expression', '/a/', 'result_unusable', 'The result is a function'],
    [
      'a number without end',
      '{"a": 1/0}',
      'result_unusable',
      'A value in the result, 1 deep, is a number that JSON does not have',
    ],
    [
      'no number',
      '{"a": 0/0}',
      'result_unusable',
      'A value in the result, 1 deep, is a number that JSON does not have',
    ],
    ['something that waits', '{"then": /x/}', 'pending', 'The transform waits for something that never comes'],
    [
      'something too deep',
      '$reduce([1..10], function($a, $b) { {"a": $a} })',
      'result_too_deep',
      'The result is nested deeper than 8 levels',
    ],
    ['something too long', '$pad("", 10000)', 'result_too_large', 'The result is longer than 10000 bytes of JSON'],
    [
      'something too long in bytes only',
      '$pad("", 5000, "é")',
      'result_too_large',
      'The result is longer than 10000 bytes of JSON',
    ],
    [
      'a tree with many leaves and few nodes',
      '$reduce([1..7], function($a, $b) { [[$a], [$a], [$a], [$a]] })',
      'result_too_large',
      'The result is longer than 10000 bytes of JSON',
    ],
  ])('%s', (_what, transform, code, detail) => {
    expect(faultOf(apply(transform))).toMatchObject({ code, detail })
  })
})

describe('a transform that cannot be used is refused before it is kept', () => {
  test.each([
    ['data.total &', 'S0207', 12, 'Unexpected end of expression'],
    ['{"a": }', 'S0211', 7, 'The symbol "}" cannot be used as a unary operator'],
    ['"a', 'S0101', 2, 'String literal must be terminated by a matching quote'],
    ['/(/', 'S0302', 3, 'No terminating / in regular expression'],
    ['/a{2,1}/', 'regex', null, 'Invalid regular expression: /a{2,1}/g: numbers out of order in {} quantifier'],
    [
      '$eval(data.name)',
      'not_available',
      6,
      '$eval is not available: an expression that is made of data cannot be checked',
    ],
    ['data.lines.$random()', 'not_available', 19, '$random is not available: every attempt must send the same body'],
    ['$shuffle([1, 2])', 'not_available', 9, '$shuffle is not available: every attempt must send the same body'],
    ['$summ(data.lines.n)', 'unknown_function', 6, 'There is no function $summ'],
    ['$constructor("a")', 'unknown_function', 13, 'There is no function $constructor'],
  ])('%s', (transform, code, position, detail) => {
    expect(faultOf(check(transform))).toEqual({ code, position, detail, said: null })
  })

  test('functions that it makes itself are its own, whatever their names', () => {
    for (const transform of [
      '($random := function() { 4 }; $random())',
      '(function($eval) { $eval(1) })(function($x) { $x })',
      'data.lines@$shuffle.($shuffle.n)',
    ]) {
      expect(check(transform)).toEqual({ data: 'null' })
    }
  })

  test('one that is nested too deeply is refused, in whatever way it is', () => {
    const depth = limits.expressionDepthMax + 1
    for (const [opening, closing] of [
      ['(', ')'],
      ['[', ']'],
      ['{"a":', '}'],
      ['-', ''],
      ['$not(', ')'],
    ] as const) {
      const nested = (levels: number) => `${opening.repeat(levels)}data.total${closing.repeat(levels)}`
      expect(faultOf(check(nested(depth))).code).toMatch(/^(expression_too_deep|range)$/)
      expect(check(nested(10))).toEqual({ data: 'null' })
    }
    expect(
      faultOf(
        check(
          Array(depth + 1)
            .fill('1')
            .join('+'),
        ),
      ).code,
    ).toBe('expression_too_deep')
  })

  test('one that would overflow the stack of the parser is refused', () => {
    for (const hostile of [
      '('.repeat(16_000),
      '['.repeat(16_000),
      '-'.repeat(16_000),
      'a.'.repeat(8_000),
      '/*'.repeat(8_000),
    ]) {
      expect(faultOf(check(hostile))).toMatchObject({ detail: expect.stringMatching(/./) })
    }
  })
})

describe('a fault', () => {
  test.each([
    [
      '$number(data.name)',
      'D3030',
      'Unable to cast value to a number: "a text"',
      `Unable to cast value to a number: "${secret}"`,
    ],
    ['$error("no " & data.name)', 'D3137', 'The expression called $error', `no ${secret}`],
    ['$assert(false, data.name)', 'D3141', 'An $assert of the expression failed', secret],
    [
      'data.name + 1',
      'T2001',
      'The left side of the "+" operator must evaluate to a number',
      'The left side of the "+" operator must evaluate to a number',
    ],
    [
      '$toMillis(data.name)',
      'D3110',
      'The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given "a text"',
      `The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given "${secret}"`,
    ],
    [
      '{data.lines.n: 1}',
      'T1003',
      'Key in object structure must evaluate to a string; got: "an array"',
      'Key in object structure must evaluate to a string; got: [1,2]',
    ],
  ])('of %s is told without anything of the event, and beside it with', (transform, code, detail, said) => {
    expect(faultOf(apply(transform))).toMatchObject({ code, detail, said })
    expect(detail).not.toContain(secret)
  })

  test('of the language itself is told without its words, which may quote a text', () => {
    // The function that copies is taken out of its definition and given a text that is no JSON.
    const hostile =
      '($copy := $clone; $clone := function($x) { $x }; $held := {"f": $copy}; $held ~> | f | {}, "_jsonata_function" |; $bare := $held.f.implementation; $bare(data.name))'
    const detail = 'JSONata could not evaluate the expression'
    expect(faultOf(apply(hostile))).toEqual({ code: 'unknown', position: null, detail, said: null })
  })

  test('is told with the place', () => {
    expect(faultOf(apply('{"a": data.name + 1}'))).toMatchObject({ position: 17 })
  })
})

describe('an expression cannot reach beyond its realm', () => {
  test.each([
    'data.constructor',
    'data.__proto__',
    'data.hasOwnProperty',
    '"text".constructor',
    '$lookup(data, "constructor")',
    '$lookup(data, "__proto__")',
    '$sum.constructor',
    'function($x){$x}.constructor',
    '$spread($sum).implementation.constructor',
    '`constructor`',
    '$process',
    '$global',
    '$require',
  ])('%s is nothing', (transform) => {
    expect(faultOf(apply(transform))).toMatchObject({ code: 'result_unusable', detail: 'The result is nothing' })
  })

  test.each([
    ['{"__proto__": {"polluted": 1}}', '{"__proto__":{"polluted":1}}'],
    ['$merge([{"__proto__": {"polluted": 1}}])', '{"__proto__":{"polluted":1}}'],
    ['{"a": 1} ~> |$|{"__proto__": {"polluted": 1}}|', '{"a":1,"__proto__":{"polluted":1}}'],
    [
      '{"a": 1} ~> |$|{"constructor": {"prototype": {"polluted": 1}}}|',
      '{"a":1,"constructor":{"prototype":{"polluted":1}}}',
    ],
  ])('%s makes members like any other, and pollutes nothing', (transform, expected) => {
    expect(apply(transform)).toEqual({ data: expected })
    expect(apply(`(${transform}; $exists(data.polluted) or $exists($lookup({}, "polluted")))`)).toEqual({
      data: 'false',
    })
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('what one does to the built-in functions, no other one meets, of its own tenant or of another', () => {
    const hostile = '($clone := function($x) { $x }; {"f": $sum} ~> | f | {"implementation": /x/} |; $sum([1, 2]))'
    expect(apply('$sum([1, 2])')).toEqual({ data: '3' })
    // JSONata lets it: its own sum is gone.
    expect(faultOf(apply(hostile))).toMatchObject({ detail: 'The result is nothing' })
    for (const tenantId of ['acme', 'globex']) {
      expect(apply('$sum([1, 2])', event, tenantId)).toEqual({ data: '3' })
      expect(apply('1 + $sum([1, 2])', event, tenantId)).toEqual({ data: '4' })
    }
  })

  test('two tenants with the same transform share nothing', () => {
    const hostile =
      '($clone := function($x) { $x }; {"f": $count} ~> | f | {"implementation": /x/} |; $count(data.lines))'
    expect(faultOf(apply(hostile, event, 'acme'))).toMatchObject({ detail: 'The result is nothing' })
    const first =
      '($clone := function($x) { $x }; data.evil ? {"f": $count} ~> | f | {"implementation": /x/} |; $count([1]))'
    expect(faultOf(apply(first, { data: { evil: true } }, 'acme'))).toMatchObject({ detail: 'The result is nothing' })
    expect(apply(first, { data: { evil: false } }, 'globex')).toEqual({ data: '1' })
  })

  test('data that looks like a function of JSONata is none that can be called', () => {
    const data = {
      f: { _jsonata_function: true, implementation: { apply: 1 } },
      l: { _jsonata_lambda: true, body: {}, arguments: [] },
    }
    for (const transform of ['data.f(1)', 'data.l(1)', '$map([1], data.f)', '$map([1], data.l)', 'data.f']) {
      expect(apply(transform, { data })).toHaveProperty('fault')
    }
    expect(apply('1', { data })).toEqual({ data: '1' })
  })
})

describe('whatever an expression does, it ends in time', () => {
  test.each([
    ['a call of itself in the last place', '($f := function($x) { $f($x + 1) }; $f(0))'],
    ['a regular expression that backtracks', '$match($pad("", 40, "a") & "!", /^(a+)+$/)'],
    ['a regular expression given to split', '$split($pad("", 40, "a") & "!", /^(a|a)+$/)'],
    ['a loop over a loop', '[1..10000].([1..10000].(1))[0]'],
    ['a text of very many copies', '($x := $reduce([1..40], function($a, $b) { [[$a], [$a]] }); $string($x))'],
    [
      'a comparison of two of them',
      '($f := function() { $reduce([1..40], function($a, $b) { [[$a], [$a]] }) }; $f() = $f())',
    ],
  ])('%s', (_what, transform) => {
    const fault = faultOf(apply(transform, event, 'acme', hurried))
    expect(fault).toMatchObject({ code: 'time', detail: 'The transform took longer than 500 ms' })
    expect(apply('1 + 1', event, 'acme', hurried)).toEqual({ data: '2' })
  })

  test.each([
    ['$pad("", 400000000)', 'text_too_long'],
    ['($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f("x", 28)))', 'text_too_long'],
    ['$join([1..10000].$pad("", 1000))', 'text_too_long'],
    ['$length($replace($pad("", 10000, "a"), "a", $pad("", 10000, "b")))', 'text_too_long'],
    ['[1..10000000]', 'D2015'],
    ['$append([1..10000], [1..10])', 'D2015'],
  ])('%s is refused before it takes memory', (transform, code) => {
    expect(faultOf(apply(transform))).toMatchObject({
      code,
      detail: expect.stringMatching(/^(A text is longer|An array has more)/),
    })
  })
})

describe('a transform that did not get the processor', () => {
  const request = (transform: string) => ({ kind: 'apply' as const, transform, tenantId: 'acme', input: '{}', nowMs })
  const hanging = '($f := function($x) { $f($x) }; $f(0))'

  test('is begun a second time, with more patience, and blamed only for what it used', () => {
    // The clock of the processor stands still the first time, and goes on the second.
    const readings = [0, 1, 1, 1_000]
    const busy = createRealms({ ...limits, msMax: 100 }, () => readings.shift() ?? 0)
    const begun = performance.now()
    expect(busy.evaluate(request(hanging))).toMatchObject({ fault: { code: 'time' } })
    expect(performance.now() - begun).toBeGreaterThanOrEqual(500)
  })

  test('is not blamed when it did not get it then either', () => {
    const busy = createRealms({ ...limits, msMax: 100 }, () => 0)
    expect(busy.evaluate(request(hanging))).toEqual({ starved: true })
    expect(busy.evaluate(request('1'))).toEqual({ data: '1' })
  })
})
