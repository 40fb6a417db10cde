import { test } from 'vitest'
import { shortForm } from './short-form.ts'
import { transactionHeldOpen } from './transaction-held-open.ts'

test('a transaction that is held open does not stop claims', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(transactionHeldOpen, skip)
})
