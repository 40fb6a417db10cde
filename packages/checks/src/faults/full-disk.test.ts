import { test } from 'vitest'
import { fullDisk } from './full-disk.ts'
import { shortForm } from './short-form.ts'

test('when the disk of the write-ahead log is full publishing answers 503, and with room again everything acknowledged is delivered', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(fullDisk, skip)
})
