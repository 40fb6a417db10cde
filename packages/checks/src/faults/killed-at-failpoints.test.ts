import { expect, test } from 'vitest'
import { killedAtFailpoints } from './killed-at-failpoints.ts'
import { shortForm } from './short-form.ts'

test('a dispatcher that is killed at any place in the life of an attempt loses nothing, and repeats exactly the requests that were sent and not recorded', {
  timeout: 120_000,
}, async ({ skip }) => {
  const rows = await shortForm(killedAtFailpoints, skip)
  expect(rows.map(({ duplicated }) => duplicated)).toEqual([0, 0, 0, 8, 8, 7])
})
