/**
 * `pnpm test:faults [names] [--short]`: the long form of every fault, or of those named, each on a PostgreSQL of its own, and a table
 * of what came of them. The exit code is 0 only when nothing was lost, nothing sent twice without need and nothing else
 * was wrong.
 */
import { parseArgs } from 'node:util'
import { faults } from './all.ts'
import { type Fault, type FaultParts, type FaultRow, failuresOf } from './fault.ts'
import { startOwnPostgres } from './own-postgres.ts'
import { table } from './table.ts'

const host = { uid: process.getuid?.() ?? -1, pid: process.pid, env: process.env }
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)))

// Limits of time do not keep a process alive by themselves.
const alive = setInterval(() => undefined, 60_000)
await main(process.argv.slice(2).filter((argument) => argument !== '--'))
clearInterval(alive)

async function main(words: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { short: { type: 'boolean', default: false } },
  })
  const unknown = positionals.filter((word) => !faults.some(({ name }) => name === word))
  if (unknown.length > 0) {
    const known = faults.map(({ name }) => name).join(', ')
    process.stderr.write(`there is no fault ${unknown.join(', ')}. Known are ${known}\n`)
    process.exitCode = 2
    return
  }
  const chosen = faults.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const parts: FaultParts = {
    size: values.short ? 'short' : 'long',
    host,
    openDatabase: () => startOwnPostgres({ host }),
    tell: (line) => process.stderr.write(`  ${line}\n`),
    stop: stop.signal,
  }

  const rows: FaultRow[] = []
  const failures: string[] = []
  const skipped: string[] = []
  for (const fault of chosen) {
    if (stop.signal.aborted) break
    process.stderr.write(`${fault.name}\n`)
    const startedMs = performance.now()
    const outcome = await bringAbout(fault, parts)
    process.stderr.write(`  took ${((performance.now() - startedMs) / 1000).toFixed(0)} s\n`)
    if (outcome instanceof Error) failures.push(`${fault.name}: ${outcome.stack}`)
    else if ('skipped' in outcome) skipped.push(`${fault.name}: ${outcome.skipped}`)
    else rows.push(...outcome)
  }
  for (const row of rows) failures.push(...failuresOf(row).map((failure) => `${row.fault}: ${failure}`))
  if (stop.signal.aborted) failures.push('stopped by a signal')

  process.stdout.write(`${table(rows)}\n\n`)
  for (const line of skipped) process.stdout.write(`skipped  ${line}\n`)
  for (const line of failures) process.stdout.write(`failed   ${line}\n`)
  process.stdout.write(`${rows.length} rows, ${failures.length} failures, ${skipped.length} skipped\n`)
  process.exitCode = failures.length > 0 || rows.length + skipped.length === 0 ? 1 : 0
}

async function bringAbout(fault: Fault, parts: FaultParts): Promise<Awaited<ReturnType<Fault['bringAbout']>> | Error> {
  try {
    return await fault.bringAbout(parts)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
