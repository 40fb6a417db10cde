import { expect, test } from 'vitest'
import { parseMoment, parseTime } from './moment.ts'

test.each([
  ['2026-11-23T14:03:00Z', '2026-11-23T14:03:00.000Z'],
  ['2026-11-23t14:03:00.1239z', '2026-11-23T14:03:00.123Z'],
  ['2026-11-23T00:30:00+02:00', '2026-11-22T22:30:00.000Z'],
  ['2024-02-29T12:00:00-05:30', '2024-02-29T17:30:00.000Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('%s is %s', (text, expected) => {
  expect(new Date(parseTime(text) ?? Number.NaN).toISOString()).toBe(expected)
})

test.each([
  '',
  'now',
  '2026-11-23',
  '2026-11-23T14:03:00',
  '2026-11-23 14:03:00Z',
  '2026-02-29T00:00:00Z',
  '2026-02-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-12-31T23:59:60Z',
  '1969-12-31T23:59:59Z',
  '1970-01-01T00:00:00+01:00',
  '0000-01-01T00:00:00Z',
  '2026-11-23T14:03:00+24:00',
  '24h',
])('%j is no time', (text) => {
  // biome-ignore format: one list
  expect(parseTime(text)).toBeUndefined()
})

const now = Date.parse('2026-11-23T12:00:00Z')

test.each([
  ['45s', '2026-11-23T11:59:15.000Z'],
  ['30m', '2026-11-23T11:30:00.000Z'],
  ['24h', '2026-11-22T12:00:00.000Z'],
  ['7d', '2026-11-16T12:00:00.000Z'],
  ['999999d', '1970-01-01T00:00:00.000Z'],
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
])('the bound %s is %s', (text, expected) => {
  expect(new Date(parseMoment(text, now) ?? Number.NaN).toISOString()).toBe(expected)
})

test.each(['', 'h', '1w', '-1h', '1.5h', '1234567h', '1 h'])('%j is no bound', (text) => {
  expect(parseMoment(text, now)).toBeUndefined()
})
