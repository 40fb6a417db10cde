import { existsSync, readFileSync } from 'node:fs'
import { pid } from 'node:process'
import { afterAll, describe, expect, test } from 'vitest'
import type { EvaluationLimits, EvaluatorAnswer } from './evaluator/protocol.ts'
import { type Evaluator, startEvaluator } from './evaluator-process.ts'
import { createEvaluators, type Evaluators, EvaluatorsUnavailable } from './evaluators.ts'

const limits: EvaluationLimits = {
  // Far above what anything here needs; what never ends is given less.
  msMax: 20_000,
  memoryMibMax: 64,
  resultBytesMax: 256 * 1024,
  resultDepthMax: 63,
  expressionDepthMax: 256,
  textLengthMax: 1024 * 1024,
  arrayLengthMax: 100_000,
}
const hurried = { ...limits, msMax: 1_000 }
/** Without the courtesy that refuses texts which are too long, so that memory really runs out. */
const bare = { ...limits, textLengthMax: 2 ** 40, arrayLengthMax: 10_000_000 }
const input = JSON.stringify({ data: { total: 5 } })
/** Takes a good part of a second. */
const busy = '$count($filter([1..20000], function($n) { $n % 3 = 0 }))'
const hanging = '($again := function($n) { $again($n + 1) }; $again(0))'

/** Takes a built-in function out of its definition and gives it a function that fails in a promise. */
const breaking =
  '($clone := function($x) { $x }; $held := {"f": $sum}; $held ~> | f | {}, "_jsonata_function" |; $bare := $held.f.implementation; (function($each) { $bare({"forEach": $each}) + 6 })(function($n) { $error("broken") }))'

type Asked = { subscriptionId?: string; tenantId?: string; waitMsMax?: number; signal?: AbortSignal }

function ask(evaluators: Evaluators, transform: string, asked: Asked = {}): Promise<EvaluatorAnswer> {
  const { tenantId = 'acme', subscriptionId = 'sub', waitMsMax = 60_000, signal } = asked
  const request = { kind: 'apply' as const, transform, tenantId, input, nowMs: 0 }
  return evaluators.evaluate(request, { turn: { tenantId, subscriptionId }, waitMsMax, signal })
}

function codeOf(answer: EvaluatorAnswer): string {
  return 'fault' in answer ? answer.fault.code : `=${answer.data}`
}

/** Those whose processes can be counted and ended. */
function watched(options: Partial<Parameters<typeof createEvaluators>[0]> = {}) {
  const started: Evaluator[] = []
  const start = (given: EvaluationLimits) => {
    const evaluator = startEvaluator(given)
    started.push(evaluator)
    return evaluator
  }
  const evaluators = createEvaluators({ limits, processes: 2, start, ...options })
  return { evaluators, started, [Symbol.dispose]: () => evaluators.close() }
}

describe('a hostile transform costs its author a fault and everybody else nothing', () => {
  const evaluators = createEvaluators({ limits: hurried, processes: 1 })
  afterAll(() => evaluators.close())

  test.each([
    ['calls itself for ever', hanging, ['time']],
    [
      'calls itself for ever and has something left to do',
      '($f := function($x) { 1 + $f($x + 1) }; $f(0))',
      ['time', 'memory'],
    ],
    ['makes a range of ten million', '[1..10000000]', ['D2015']],
    ['multiplies ranges', '[1..100000].[1..1000]', ['memory', 'time']],
    ['collects long texts', '($s := $pad("", 1000000); [1..100000].$uppercase($s & $))', ['memory', 'time']],
    ['has a regular expression that backtracks', '$match($pad("", 50, "a") & "!", /^(a+)+$/)', ['time']],
    [
      'writes one thing in very many copies',
      '($x := $reduce([1..40], function($a, $b) { [[$a], [$a]] }); $string($x))',
      ['time', 'memory'],
    ],
    [
      'gives one thing in very many copies',
      '$reduce([1..40], function($a, $b) { {"a": $a, "b": $a} })',
      ['result_too_large'],
    ],
    ['gives a megabyte', '$pad("", 1000000)', ['result_too_large']],
    ['asks for a text of 400 million characters', '$pad("", 400000000)', ['text_too_long']],
    ['never gives anything', '{"then": /x/}', ['pending']],
    ['makes an expression out of data', '$eval("1")', ['not_available']],
  ])('it %s', async (_what, transform, codes) => {
    expect(codes).toContain(codeOf(await ask(evaluators, transform)))
    expect(codeOf(await ask(evaluators, 'data.total + 1', { tenantId: 'globex' }))).toBe('=6')
  })
})

describe('an allocation that aborts its process', () => {
  test.each([
    '$uppercase($reduce([1..28], function($a, $b) { $a & $a }, "x"))',
    '($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f("x", 28)))',
    '[1..10000000]',
  ])('%s ends in a fault of memory, and what waits is done by the next evaluator', async (transform) => {
    using watching = watched({ limits: bare, processes: 1 })
    const { evaluators } = watching
    const answers = await Promise.all([
      ask(evaluators, transform),
      ask(evaluators, 'data.total', { subscriptionId: 'other' }),
      ask(evaluators, 'data.total + 1', { tenantId: 'globex', subscriptionId: 'stranger' }),
    ])
    expect(answers.map(codeOf)).toEqual(['memory', '=5', '=6'])
    // The process was gone, and not only its thread.
    expect(watching.started).toHaveLength(2)
  })
})

test('a promise that an expression breaks and that nobody waits for breaks nothing else', async () => {
  using watching = watched({ processes: 1 })
  const { evaluators, started } = watching
  expect(codeOf(await ask(evaluators, breaking))).toBe('=6')
  for (let n = 0; n < 5; n += 1) expect(codeOf(await ask(evaluators, 'data.total'))).toBe('=5')
  expect(started).toHaveLength(1)
})

test('nothing is started before there is something to do, and no more than are allowed', async () => {
  using watching = watched()
  const { evaluators, started } = watching
  expect(started).toHaveLength(0)
  await ask(evaluators, 'data')
  expect(started).toHaveLength(1)
  await Promise.all(Array.from({ length: 20 }, (_, n) => ask(evaluators, `data.total + ${n}`)))
  expect(started).toHaveLength(2)
})

test('what has nothing to do for a while is ended, and started again when there is something', async () => {
  using watching = watched({ idleMs: 1 })
  const { evaluators, started } = watching
  await ask(evaluators, 'data')
  await started[0]?.ended
  expect(codeOf(await ask(evaluators, 'data.total'))).toBe('=5')
  expect(started).toHaveLength(2)
})

test('an evaluator that somebody kills is replaced, and what was in it is done again and not blamed', async () => {
  using watching = watched({ processes: 1 })
  const { evaluators, started } = watching
  await ask(evaluators, '1')
  const answers = Promise.all([ask(evaluators, busy), ask(evaluators, 'data.total', { subscriptionId: 'other' })])
  started[0]?.end()
  expect((await answers).map(codeOf)).toEqual(['=6666', '=5'])
  expect(started).toHaveLength(2)
})

test('what is killed again and again is given up as a fault of ours', async () => {
  const started: Evaluator[] = []
  const start = (given: EvaluationLimits) => {
    const evaluator = startEvaluator(given)
    started.push(evaluator)
    evaluator.end()
    return evaluator
  }
  using watching = watched({ start })
  await expect(ask(watching.evaluators, 'data')).rejects.toBeInstanceOf(EvaluatorsUnavailable)
  expect(started).toHaveLength(2)
})

test('what hangs holds one evaluator at the most, and others use the rest meanwhile', async () => {
  let underWay = 0
  let mostUnderWay = 0
  const start = (given: EvaluationLimits): Evaluator => {
    const evaluator = startEvaluator(given)
    return {
      ...evaluator,
      async evaluate(request) {
        if (request.transform !== hanging) return evaluator.evaluate(request)
        underWay += 1
        mostUnderWay = Math.max(mostUnderWay, underWay)
        return evaluator.evaluate(request).finally(() => (underWay -= 1))
      },
    }
  }
  using watching = watched({ limits: hurried, start })
  const { evaluators } = watching
  // They are slow once, and then known for it.
  await Promise.all([1, 2].map((n) => ask(evaluators, hanging, { subscriptionId: `hangs-${n}` })))
  expect(mostUnderWay).toBe(2)
  mostUnderWay = 0
  // Those that still hang at the end are given up with everything else.
  for (const n of [1, 2, 1, 2]) ask(evaluators, hanging, { subscriptionId: `hangs-${n}` }).catch(() => undefined)
  for (let n = 0; n < 5; n += 1) {
    expect(codeOf(await ask(evaluators, 'data.total', { tenantId: 'globex', subscriptionId: 'quick' }))).toBe('=5')
  }
  expect(mostUnderWay).toBe(1)
})

test('who has waited too long is told so, and who gives up is not waited for', async () => {
  using watching = watched({ limits: hurried, processes: 1 })
  const { evaluators } = watching
  const first = ask(evaluators, hanging)
  await expect(ask(evaluators, 'data', { waitMsMax: 1 })).rejects.toThrow('none was free for 1 ms')
  const giveUp = new AbortController()
  const waiting = ask(evaluators, 'data', { signal: giveUp.signal })
  const reason = new Error('the process must end')
  giveUp.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(ask(evaluators, 'data', { signal: giveUp.signal })).rejects.toBe(reason)
  expect(codeOf(await first)).toBe('time')
  expect(codeOf(await ask(evaluators, 'data.total'))).toBe('=5')
})

test('closing ends what is under way and what waits, and nothing is taken afterwards', async () => {
  using watching = watched({ processes: 1 })
  const { evaluators, started } = watching
  const outcomes = Promise.allSettled([ask(evaluators, hanging), ask(evaluators, 'data')])
  evaluators.close()
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'evaluators_unavailable' } })
  }
  await Promise.all(started.map((one) => one.ended))
  await expect(ask(evaluators, 'data')).rejects.toBeInstanceOf(EvaluatorsUnavailable)
})

test.runIf(existsSync('/proc/self/environ'))(
  'an evaluator has none of the settings of the process that started it',
  async () => {
    using watching = watched()
    await ask(watching.evaluators, 'data')
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    const ours = children.filter((child) =>
      readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('/evaluator/main.ts'),
    )
    expect(ours.length).toBeGreaterThan(0)
    for (const child of ours) {
      const names = readFileSync(`/proc/${child}/environ`, 'utf8')
        .split('\0')
        .filter(Boolean)
        .map((one) => one.split('=')[0])
      expect(new Set(names)).toEqual(new Set(['TZ', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE']))
    }
  },
)
