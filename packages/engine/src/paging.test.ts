import { Problem } from '@posthorn/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isTimeAndNameKey, isUuidKey, type Key, type PageRequest, planPage } from './paging.ts'

const anyKey = () => true

/** What a database would answer for a plan, over rows that are their own keys. */
function read(all: readonly string[], request: PageRequest) {
  const plan = planPage('numbers', request, anyKey)
  const sorted = [...all].sort()
  if (plan.order === 'desc') sorted.reverse()
  const beyond = plan.beyond?.[0]
  const rest = sorted.filter((row) => beyond === undefined || (plan.order === 'asc' ? row > beyond : row < beyond))
  return plan.page(rest.slice(0, plan.take), (row): Key => [row])
}

const rowsArbitrary = fc.uniqueArray(
  fc.nat(999).map((n) => String(n).padStart(3, '0')),
  { maxLength: 30 },
)

test('walking forward visits every row once, in order, and walking back visits the same pages', () => {
  fc.assert(
    fc.property(rowsArbitrary, fc.integer({ min: 1, max: 7 }), fc.constantFrom('asc', 'desc'), (all, limit, order) => {
      const pages = []
      let page = read(all, { limit, order })
      pages.push(page)
      while (page.nextCursor !== null) {
        page = read(all, { limit, order, cursor: page.nextCursor })
        pages.push(page)
      }
      const visited = pages.flatMap(({ rows }) => rows)
      expect(visited).toEqual(order === 'asc' ? [...all].sort() : [...all].sort().reverse())
      expect(pages[0]?.prevCursor).toBeNull()

      for (const expected of pages.slice(0, -1).reverse()) {
        expect(page.prevCursor).not.toBeNull()
        page = read(all, { limit, order, cursor: page.prevCursor ?? '' })
        expect(page.rows).toEqual(expected.rows)
      }
      expect(page.prevCursor).toBeNull()
    }),
  )
})

test('a page holds 50 rows unless told otherwise, and 250 at the most', () => {
  const all = Array.from({ length: 300 }, (_, index) => String(index).padStart(3, '0'))
  expect(read(all, {}).rows).toHaveLength(50)
  expect(read(all, { limit: 1000 }).rows).toHaveLength(250)
})

test('rows that come meanwhile do not shift the pages behind', () => {
  const before = ['010', '020', '030', '040']
  const first = read(before, { limit: 2 })
  expect(first.rows).toEqual(['040', '030'])
  const second = read([...before, '050', '060'], { limit: 2, cursor: first.nextCursor ?? '' })
  expect(second.rows).toEqual(['020', '010'])
})

const [id] = ['019ab0fa-5c3e-7b1d-9a44-0c6f2e8d5b17']
const given =
  planPage('events', { limit: 1 }, isUuidKey).page([{ id }, { id }], (row): Key => [row.id ?? '']).nextCursor ?? ''

test.each([
  ['', 'nothing'],
  ['%%%', 'not base64url'],
  ['AAAA', 'not JSON'],
  [Buffer.from('{}').toString('base64url'), 'no array'],
  [Buffer.from('["events","desc","next"]').toString('base64url'), 'no key'],
  [Buffer.from('["events","desc","next",7]').toString('base64url'), 'a number for a key'],
  [Buffer.from('["events","desc","sideways","x"]').toString('base64url'), 'an unknown direction'],
  [Buffer.from(`["events","desc","next","${id}' or 1=1"]`).toString('base64url'), 'a key that is no uuid'],
  [Buffer.from(`["events","desc","next","${id}","x"]`).toString('base64url'), 'one part too many'],
])('the cursor %j is refused: %s', (cursor) => {
  expect(() => planPage('events', { cursor }, isUuidKey)).toThrow(Problem)
})

test('a cursor is good for its own list and order only', () => {
  expect(planPage('events', { cursor: given }, isUuidKey).beyond).toEqual([id])
  expect(() => planPage('deliveries', { cursor: given }, isUuidKey)).toThrow(/not a cursor of this list/)
  expect(() => planPage('events', { cursor: given, order: 'asc' }, isUuidKey)).toThrow(/other order/)
})

test('the place in a list by time is a time and a name', () => {
  expect(isTimeAndNameKey(['2026-11-23T14:03:00.000Z', 'acme'])).toBe(true)
  expect(isTimeAndNameKey(['2026-13-23T14:03:00.000Z', 'acme'])).toBe(false)
  expect(isTimeAndNameKey(['now', 'acme'])).toBe(false)
  expect(isTimeAndNameKey(['2026-11-23T14:03:00.000Z'])).toBe(false)
})
