/** Looks for texts that must not be anywhere: in the log, and in the database with all its history. */
import { createLogger, logTo } from '@posthorn/engine'
import { withClient } from '@posthorn/engine/testing'
import { expect } from 'vitest'
import type { TestPosthorn } from './posthorn.ts'

/** What a dispatcher would have logged, at the level that logs most. */
export function logOf(posthorn: TestPosthorn): string {
  const lines: string[] = []
  const telemetry = logTo(createLogger('trace', { write: (line) => lines.push(line) }))
  for (const occurrence of posthorn.told) telemetry(occurrence)
  expect(lines.length).toBeGreaterThan(0)
  return lines.join('')
}

/** Every row of every table of ours and of the queue. */
export async function everythingIn(posthorn: TestPosthorn): Promise<string> {
  return withClient(posthorn.url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'pgboss')`,
    )
    const rows: string[] = []
    for (const { name } of tables) {
      const found = await client.query<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`)
      rows.push(...found.rows.map(({ row }) => row))
    }
    expect(rows.join('')).toContain('auth_sealed')
    return rows.join('\n')
  })
}

/** In the clear, or as the database prints bytes. */
export function expectNowhere(texts: readonly string[], ...places: readonly string[]): void {
  const forms = texts.flatMap((text) => [text, Buffer.from(text).toString('hex'), Buffer.from(text).toString('base64')])
  for (const place of places) for (const form of forms) expect(place).not.toContain(form)
}
