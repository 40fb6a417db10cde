import { tell } from '@posthorn/engine/testing'
import { expect, test } from 'vitest'
import { killedInAReplay } from './killed-in-a-replay.ts'
import { shortForm } from './short-form.ts'
import { table } from './table.ts'

test('a replay that is killed twice ends with each item sent as its preview promised', {
  timeout: 180_000,
}, async (context) => {
  const rows = await shortForm(killedInAReplay, context.skip)
  tell(context, table(rows))
  expect(rows[0]?.notes.join('; ')).toContain('preview 5000 and 500 left out')
})
