import { test } from 'vitest'
import { overdueAtStart } from './overdue-at-start.ts'
import { shortForm } from './short-form.ts'

test('very many overdue deliveries at the start are made due in portions, in bounded memory, and others do not wait behind them', {
  timeout: 180_000,
}, async ({ skip }) => {
  await shortForm(overdueAtStart, skip)
})
