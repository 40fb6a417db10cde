import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesEventType } from './event-type-pattern.ts'

test.each([
  ['invoice.paid', 'invoice.paid', true],
  ['invoice.paid', 'invoice.voided', false],
  ['*', 'invoice.paid', true],
  ['*', 'ping', true],
  ['invoice.*', 'invoice.paid', true],
  ['invoice.*', 'invoice.line.added', true],
  ['invoice.*', 'invoice', false],
  ['invoice.*', 'invoices.paid', false],
  ['*.paid', 'invoice.paid', true],
  ['*.paid', 'paid', false],
  ['*.line.*', 'invoice.line.added', true],
  ['*.line.*', 'invoice.line.line.added', true],
  ['*.line.*', 'invoice.line', false],
  ['a.*.b.*.c', 'a.x.b.b.y.c', true],
  ['a.*.b.*.c', 'a.b.c', false],
])('the pattern %s and the event type %s: %s', (pattern, name, expected) => {
  expect(matchesEventType(pattern, name)).toBe(expected)
})

const segment = fc.constantFrom('a', 'b', 'c')
const segments = fc.array(segment, { minLength: 1, maxLength: 8 })
const patternSegments = fc.array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 6 })

test('a pattern means what a regular expression over whole segments would mean', () => {
  fc.assert(
    fc.property(patternSegments, segments, (pattern, name) => {
      const source = pattern.map((part) => (part === '*' ? '[^.]+(?:\\.[^.]+)*' : part)).join('\\.')
      const expected = new RegExp(`^${source}$`).test(name.join('.'))
      expect(matchesEventType(pattern.join('.'), name.join('.'))).toBe(expected)
    }),
    { numRuns: 2000 },
  )
})

test('a hostile pattern of stars costs no more than its length times the name', () => {
  const pattern = Array.from({ length: 32 }, () => '*').join('.a.')
  const name = `${'a.'.repeat(60)}b`
  expect(matchesEventType(`${pattern}.c`, name)).toBe(false)
})
