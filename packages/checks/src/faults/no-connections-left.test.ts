import { test } from 'vitest'
import { noConnectionsLeft } from './no-connections-left.ts'
import { shortForm } from './short-form.ts'

test('when somebody else takes every connection Posthorn waits and goes on by itself', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(noConnectionsLeft, skip)
})
