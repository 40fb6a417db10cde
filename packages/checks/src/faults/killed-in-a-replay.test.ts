import { expect, test } from 'vitest'
import { killedInAReplay } from './killed-in-a-replay.ts'
import { shortForm } from './short-form.ts'
import { table } from './table.ts'

test('a replay that is killed twice ends with each item sent as its preview promised', {
  timeout: 180_000,
}, async ({ skip }) => {
  const rows = await shortForm(killedInAReplay, skip)
  process.stdout.write(`${table(rows)}\n`)
  expect(rows[0]?.notes.join('; ')).toContain('preview 5000 and 500 left out')
})
