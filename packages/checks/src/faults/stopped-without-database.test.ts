import { test } from 'vitest'
import { shortForm } from './short-form.ts'
import { stoppedWithoutDatabase } from './stopped-without-database.ts'

test('SIGTERM twice, or without a database, loses nothing and repeats only what could not be recorded before the drain was over', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(stoppedWithoutDatabase, skip)
})
