/** The short form of a fault, inside of vitest: sizes for every run of the tests, on databases of the run's own server. */
import { createTestDatabase } from '@posthorn/engine/testing'
import { expect } from 'vitest'
import { type Fault, type FaultRow, failuresOf } from './fault.ts'

/** Brings a fault about. Fails when an event was lost, sent twice without need, or something else was not as it should be. */
export async function shortForm(fault: Fault, skip: (reason: string) => never): Promise<readonly FaultRow[]> {
  const { signal } = new AbortController()
  const rows = await fault.bringAbout({
    size: 'short',
    host: { uid: process.getuid?.() ?? -1, pid: process.pid, env: process.env },
    openDatabase: createTestDatabase,
    tell: () => undefined,
    stop: signal,
  })
  if ('skipped' in rows) return skip(rows.skipped)
  expect(rows.length).toBeGreaterThan(0)
  for (const row of rows) {
    expect({ fault: row.fault, failures: failuresOf(row) }).toEqual({ fault: row.fault, failures: [] })
    expect(row.published).toBeGreaterThan(0)
  }
  return rows
}
