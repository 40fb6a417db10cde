import { Problem } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { createFilterReader, givenFilter } from './filters.ts'
import { type Candidate, explainMatching, matching } from './matching.ts'

function candidate(id: string, filter: string | null, eventTypes = ['*']): Candidate {
  return { subscriptionId: id, eventTypes, filter }
}

test('a filter that comes again is not read again, until many others have come since', () => {
  const read = createFilterReader()
  const first = read('{"type":"a"}')
  expect(read('{"type":"a"}')).toBe(first)
  for (let n = 0; n < 999; n += 1) read(`{"data":${n}}`)
  expect(read('{"type":"a"}')).toBe(first)
  for (let n = 0; n < 1_000; n += 1) read(`{"data":${n}}`)
  expect(read('{"type":"a"}')).not.toBe(first)
})

test('a stored filter that the rules no longer allow filters nothing', () => {
  const read = createFilterReader()
  expect(read('{"data":{"$regex":"x"}}')).toBeUndefined()
  const all = [candidate('a', '{"data":{"$regex":"x"}}')]
  expect(matching(read, { type: 'a', keys: {}, data: '1' }, all, undefined)).toEqual(all)
})

test('the data is read once for all filters, and never when no candidate that is left has one', () => {
  const read = createFilterReader()
  const broken = { type: 'a', keys: {}, data: 'no JSON' }
  const others = [candidate('a', null), candidate('b', '{"data":1}', ['b']), candidate('c', '{"data":1}')]
  expect(matching(read, broken, others, ['a']).map((one) => one.subscriptionId)).toEqual(['a'])
  expect(() => matching(read, broken, others, undefined)).toThrow(SyntaxError)
})

test('who matches and who is explained as matching are the same', () => {
  const read = createFilterReader()
  const all = ['{"data.a":1}', '{"data.a":{"$ne":1}}', null, '{"keys.k":"v"}', '{"type":"b"}'].map((filter, index) =>
    candidate(String(index), filter, index === 2 ? ['b'] : ['*']),
  )
  for (const chosen of [undefined, ['0', '3']]) {
    for (const data of ['{"a":1}', '{}', '{"a":[2,1]}']) {
      const event = { type: 'a', keys: { k: 'v' }, data }
      const verdicts = explainMatching(read, event, all, chosen)
      const matched = all.filter((_, index) => verdicts[index]?.matched)
      expect(matching(read, event, all, chosen)).toEqual(matched)
    }
  }
})

test('a filter that cannot be used is refused with places in the request', () => {
  expect(() => givenFilter('{"total":1,"data.a":{}}', '/filter')).toThrow(Problem)
  try {
    givenFilter('{"total":1,"data.a":{}}', '/filter')
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_filter', status: 422 })
    expect(error).toHaveProperty('errors.0.pointer', '/filter/total')
    expect(error).toHaveProperty('errors.1.pointer', '/filter/data.a')
  }
})
