import { expect, test } from 'vitest'
import { closingLine, countCheck, countTests, skippedGroups, sum, table, toldBy } from './outcome.ts'

const passed = { status: 'passed' }
const failed = { status: 'failed' }

test('the closing line has one form, and names skipped tests only when there are some', () => {
  expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed')
  expect(closingLine({ passed: 12, failed: 3, skipped: 1 })).toBe('12 passed, 3 failed, 1 skipped')
})

test('checks and tests count together', () => {
  const tests = countTests({ testResults: [{ status: 'failed', assertionResults: [passed, passed, failed] }] }, 1)
  expect(sum([countCheck(0), countCheck(1), tests])).toEqual({ passed: 3, failed: 2, skipped: 0 })
})

test('tests that were skipped, postponed or never reached are skipped, not passed', () => {
  const assertionResults = [passed, { status: 'skipped' }, { status: 'todo' }, { status: 'pending' }]
  expect(countTests({ testResults: [{ status: 'passed', assertionResults }] }, 0)).toEqual({
    passed: 1,
    failed: 0,
    skipped: 3,
  })
})

test('skipped tests are told by group, whose title says why', () => {
  const inGroup = { status: 'skipped', ancestorTitles: ['guard', 'skipped, for there is no network'] }
  const assertionResults = [
    { ...inGroup, title: 'one' },
    { status: 'passed', ancestorTitles: ['guard'], title: 'two' },
    { ...inGroup, title: 'three' },
    { status: 'todo', title: 'four, skipped for want of time' },
  ]
  expect(skippedGroups({ testResults: [{ status: 'passed', assertionResults }] })).toEqual([
    '2 skipped: guard › skipped, for there is no network',
    '1 skipped: four, skipped for want of time',
  ])
  expect(skippedGroups(undefined)).toEqual([])
})

test('a file that could not be loaded is a failure although no test of it failed', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'failed', assertionResults: [passed, { status: 'skipped' }] },
    { status: 'failed', assertionResults: [failed] },
  ]
  expect(countTests({ testResults }, 1)).toEqual({ passed: 1, failed: 3, skipped: 1 })
})

test('a run that ends badly is a failure although every test passed', () => {
  const testResults = [{ status: 'passed', assertionResults: [passed] }]
  expect(countTests({ testResults }, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 })
})

test('a run without any test is a failure, whatever the exit code', () => {
  expect(countTests(undefined, 0).failed).toBe(1)
  expect(countTests({ testResults: [] }, 0).failed).toBe(1)
  expect(countTests({ testResults: [{ status: 'passed', assertionResults: [{ status: 'skipped' }] }] }, 0)).toEqual({
    passed: 0,
    failed: 1,
    skipped: 1,
  })
})

test('the table shows each outcome with its time, and the time of the whole', () => {
  const outcomes = [
    { name: 'types', seconds: 4.21, ...countCheck(0) },
    { name: 'format and lint', seconds: 0.5, ...countCheck(1) },
  ]
  expect(table(outcomes, 12).split('\n')).toEqual([
    '  ok      types               4.2 s',
    '  FAILED  format and lint     0.5 s',
    '          in all             12.0 s',
  ])
})

test('what a test has told stands under its title', () => {
  const assertionResults = [
    { status: 'passed', title: 'silent' },
    { status: 'passed', title: 'the size is told', meta: { told: '2 rows\n3 columns' } },
  ]
  expect(toldBy({ testResults: [{ status: 'passed', assertionResults }] })).toEqual([
    'the size is told\n  2 rows\n  3 columns',
  ])
})
