import { describe, expect, test } from 'vitest'
import { parseRetryAfterMs } from './retry-after.ts'

const nowMs = Date.parse('2026-03-01T12:00:00Z')
const hourMs = 3_600_000

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    ['0', 0],
    [' 5 ', 5_000],
    ['86400', 24 * hourMs],
    ['Sun, 01 Mar 2026 13:00:00 GMT', hourMs],
    ['Sunday, 01-Mar-26 13:00:00 GMT', hourMs],
    ['Sun Mar  1 13:00:00 2026', hourMs],
  ])('"%s" asks for a wait of %d ms', (value, ms) => {
    expect(parseRetryAfterMs(value, nowMs)).toBe(ms)
  })

  test.each(['86401', '99999999999', '9'.repeat(40), 'Tue, 03 Mar 2026 12:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT'])(
    '"%s" counts as one day',
    (value) => {
      expect(parseRetryAfterMs(value, nowMs)).toBe(24 * hourMs)
    },
  )

  test.each([
    null,
    '',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    'NaN',
    'Infinity',
    'soon',
    '5, 10',
    '2026-03-01T13:00:00Z',
    'Sun, 01 Mar 2026 13:00:00 PST',
    'Sun, 99 Foo 2026 13:00:00 GMT',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Sun, 01 Mar 2026 12:00:00 GMT',
  ])('%j asks for nothing', (value) => {
    expect(parseRetryAfterMs(value, nowMs)).toBeNull()
  })
})
