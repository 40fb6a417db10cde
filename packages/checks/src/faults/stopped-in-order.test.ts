import { test } from 'vitest'
import { shortForm } from './short-form.ts'
import { stoppedInOrder } from './stopped-in-order.ts'

test('SIGTERM under load, twice, and without a database loses nothing and repeats nothing that could be recorded', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(stoppedInOrder, skip)
})
