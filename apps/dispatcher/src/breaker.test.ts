import type { AttemptTrigger, FailureCode } from '@posthorn/contract'
import type { HealthChange } from '@posthorn/engine'
import { expect, test } from 'vitest'
import { createHealthWatch } from './breaker.ts'

const minuteMs = 60_000

/** A watch with a clock that is set by hand. */
function watchOf() {
  const watch = createHealthWatch()
  const clock = { nowMs: 1_000_000 }
  type About = {
    id?: string
    trigger?: AttemptTrigger
    ailing?: 'failing' | 'recovering' | null
    failedProbes?: number | null
  }
  function end(failureCode: FailureCode | null, about: About = {}): HealthChange | null {
    const { id = 'a', trigger = 'automatic', ailing = null, failedProbes = null } = about
    return watch.judge({ subscriptionId: id, trigger, ailing, failedProbes }, failureCode, clock.nowMs)
  }
  /** What became of the breaker in so many attempts that ended alike. */
  function many(count: number, failureCode: FailureCode | null, about: About = {}): (string | undefined)[] {
    return Array.from({ length: count }, () => end(failureCode, { ailing: 'failing', ...about })?.breaker?.becomes)
  }
  return { clock, end, many }
}

const untouched = (count: number) => Array.from({ length: count }, () => undefined)

test('a breaker opens at seven failures in ten of twenty attempts, and not at one failure less', () => {
  const { many } = watchOf()
  many(6, null)
  expect(many(13, 'http_5xx')).toEqual(untouched(13))
  expect(many(1, 'http_5xx')).toEqual(['open'])

  many(7, null, { id: 'b' })
  expect(many(16, 'http_5xx', { id: 'b' })).toEqual(untouched(16))
})

test('nineteen failures open no breaker, however bad the rate', () => {
  const { many } = watchOf()
  expect(many(19, 'http_5xx')).toEqual(untouched(19))
  expect(many(1, 'http_4xx')).toEqual(['open'])
})

test('only the attempts of the last five minutes count for the rate', () => {
  const { clock, many } = watchOf()
  many(19, 'http_5xx')
  clock.nowMs += 6 * minuteMs
  expect(many(19, 'http_5xx')).toEqual(untouched(19))
  clock.nowMs += 4 * minuteMs
  expect(many(1, 'http_5xx')).toEqual(['open'])
})

test('what was accepted half an hour ago does not speak for a receiver that fails now', () => {
  const { clock, many } = watchOf()
  many(10_000, null)
  clock.nowMs += 30 * minuteMs
  expect(many(20, 'http_5xx').at(-1)).toBe('open')
})

test('twenty attempts in a row that got no answer open a breaker, whatever was accepted before and however long they took', () => {
  const { clock, many } = watchOf()
  many(1_000, null)
  const codes: FailureCode[] = [
    'connect_refused',
    'connect_timeout',
    'dns_not_found',
    'tls_expired',
    'response_timeout',
  ]
  for (let turn = 0; turn < 19; turn += 1) {
    expect(many(1, codes[turn % codes.length] ?? 'connection_reset')).toEqual([undefined])
    clock.nowMs += 2 * minuteMs
  }
  expect(many(1, 'connection_reset')).toEqual(['open'])
})

test('one answer, whatever it says, ends the row of attempts without one', () => {
  const { clock, many } = watchOf()
  many(1_000, null)
  many(19, 'connect_refused')
  clock.nowMs += minuteMs
  many(1, 'http_5xx')
  expect(many(19, 'connect_refused')).toEqual(untouched(19))
  many(1, null)
  expect(many(19, 'connect_refused')).toEqual(untouched(19))
})

test('what a person asked for counts neither as failure nor as success', () => {
  const { end, many } = watchOf()
  for (const trigger of ['resend', 'replay', 'test'] as const) {
    expect(many(100, 'connect_refused', { trigger })).toEqual(untouched(100))
    expect(end('http_5xx', { trigger })).toBeNull()
    expect(end(null, { trigger, ailing: 'failing' })).toBeNull()
  }
  many(19, 'connect_refused')
  many(100, null, { trigger: 'resend' })
  expect(many(1, 'connect_refused')).toEqual(['open'])
})

test('our own faults count neither way, and a receiver that asks for patience opens no breaker', () => {
  const { end, many } = watchOf()
  for (const code of ['internal_error', 'aborted', 'egress_proxy_failed'] as const) {
    expect(many(100, code)).toEqual(untouched(100))
    expect(end(code)).toBeNull()
  }
  expect(many(100, 'http_429')).toEqual(untouched(100))
})

test('a transform that fails opens no breaker, and neither it nor a blocked address is an answer of the receiver', () => {
  const { many } = watchOf()
  expect(many(100, 'transform_failed')).toEqual(untouched(100))
  many(1_000, null)
  many(10, 'connect_refused')
  many(5, 'transform_failed')
  many(5, 'blocked_address')
  many(9, 'connect_refused')
  expect(many(1, 'connect_refused')).toEqual(['open'])
})

test('a probe that fails doubles the pause before the next one, up to five minutes; one that is accepted closes the breaker', () => {
  const { end } = watchOf()
  const pauses = [0, 1, 2, 3, 4, 50].map(
    (failedProbes) => end('http_5xx', { ailing: 'failing', failedProbes })?.breaker,
  )
  expect(pauses).toEqual([
    { becomes: 'still_open', probeInMs: 60_000, failedProbes: 1 },
    { becomes: 'still_open', probeInMs: 120_000, failedProbes: 2 },
    { becomes: 'still_open', probeInMs: 240_000, failedProbes: 3 },
    { becomes: 'still_open', probeInMs: 300_000, failedProbes: 4 },
    { becomes: 'still_open', probeInMs: 300_000, failedProbes: 5 },
    { becomes: 'still_open', probeInMs: 300_000, failedProbes: 51 },
  ])
  expect(end(null, { ailing: 'failing', failedProbes: 6 })).toEqual({
    failing: 'ends',
    breaker: { becomes: 'closed' },
  })
})

test('the first probe comes after half a minute, and attempts that were in flight when the breaker opened change nothing more', () => {
  const { end, many } = watchOf()
  many(19, 'http_5xx')
  expect(end('http_5xx', { ailing: 'failing' })).toEqual({ breaker: { becomes: 'open', probeInMs: 30_000 } })
  expect(many(500, 'connect_refused')).toEqual(untouched(500))
})

test('one that was in flight when the breaker opened and is accepted closes it', () => {
  const { many } = watchOf()
  expect(many(20, 'http_5xx').at(-1)).toBe('open')
  expect(many(1, null)).toEqual(['closed'])
  expect(many(1, null)).toEqual([undefined])
})

test('a breaker that closed opens only by what happens afterwards', () => {
  const { many } = watchOf()
  many(20, 'http_5xx')
  many(1, null, { failedProbes: 0 })
  expect(many(18, 'http_5xx')).toEqual(untouched(18))
  expect(many(1, 'http_5xx')).toEqual(['open'])
})

test('failing begins with the first failure and ends with the first success, and in between nothing is said', () => {
  const { end } = watchOf()
  expect(end(null)).toBeNull()
  expect(end('http_5xx')).toEqual({ failing: 'begins' })
  expect(end('http_5xx', { ailing: 'failing' })).toBeNull()
  expect(end(null, { ailing: 'failing' })).toEqual({ failing: 'ends' })
  expect(end(null)).toBeNull()
})

test('a success that was claimed before the first failure was recorded ends the failing all the same', () => {
  const { end } = watchOf()
  end('http_5xx')
  expect(end(null)).toEqual({ failing: 'ends' })
})

test('a subscription that was resumed says so with its first success, and begins to fail anew with its first failure', () => {
  const { end } = watchOf()
  expect(end('http_5xx', { ailing: 'recovering' })).toEqual({ failing: 'begins' })
  expect(end(null, { ailing: 'recovering' })).toEqual({ failing: 'ends' })
})

test('subscriptions are judged by their own attempts', () => {
  const { many } = watchOf()
  for (let turn = 0; turn < 19; turn += 1) {
    many(1, 'connect_refused', { id: 'a' })
    many(1, null, { id: 'b' })
  }
  expect([many(1, 'connect_refused', { id: 'a' }), many(1, 'connect_refused', { id: 'b' })]).toEqual([
    ['open'],
    [undefined],
  ])
})
