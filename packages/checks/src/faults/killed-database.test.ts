import { test } from 'vitest'
import { killedDatabase } from './killed-database.ts'
import { shortForm } from './short-form.ts'

test('when PostgreSQL is killed or stopped at once publishing answers 503, nothing acknowledged is lost or repeated, and 202 is answered again within 5 s', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(killedDatabase, skip)
})
