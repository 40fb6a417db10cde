import { test } from 'vitest'
import { shortForm } from './short-form.ts'
import { stoppedInOrder } from './stopped-in-order.ts'

test('SIGTERM under load ends a process in order, with a successor or started again: nothing is lost, and nothing is sent twice', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(stoppedInOrder, skip)
})
