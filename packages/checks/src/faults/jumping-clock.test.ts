import { test } from 'vitest'
import { jumpingClock } from './jumping-clock.ts'
import { shortForm } from './short-form.ts'

test('a process whose clock jumps by an hour sends nothing early or late, keeps order, and signs with its own time', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(jumpingClock, skip)
})
