import { test } from 'vitest'
import { killedAtRandom } from './killed-at-random.ts'
import { shortForm } from './short-form.ts'

test('a dispatcher that is killed under load again and again loses nothing, repeats no more than what was in flight, and is succeeded within seconds', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(killedAtRandom, skip)
})
