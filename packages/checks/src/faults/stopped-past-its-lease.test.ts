import { test } from 'vitest'
import { shortForm } from './short-form.ts'
import { stoppedPastItsLease } from './stopped-past-its-lease.ts'

test('a dispatcher that is stopped past its leases and wakes up overwrites nothing, and both attempts stay in the history', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(stoppedPastItsLease, skip)
})
