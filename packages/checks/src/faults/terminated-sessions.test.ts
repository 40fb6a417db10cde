import { test } from 'vitest'
import { shortForm } from './short-form.ts'
import { terminatedSessions } from './terminated-sessions.ts'

test('database sessions that are ended five times a second cost no event and no second request, and afterwards as much is delivered as before', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(terminatedSessions, skip)
})
