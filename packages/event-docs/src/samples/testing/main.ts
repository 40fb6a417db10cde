/**
 * Runs every sample that can be run here and writes down the results: `node …/samples/testing/main.ts [id …]`. What
 * cannot be run keeps the result it has, as long as that is of the same bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sampleEntries } from '../manifest.ts'
import { type KeptResult, type KeptResults, readSample } from '../samples.ts'
import { runSample } from './running.ts'
import { samplesFolder } from './toolchains.ts'

const ids = process.argv.slice(2)
const resultsFile = join(samplesFolder, 'results.json')
// Written by this command, and checked by a test.
const before = JSON.parse(readFileSync(resultsFile, 'utf8')) as KeptResults
const after: Record<string, KeptResult> = {}

for (const entry of sampleEntries) {
  const kept = readSample(entry, before).run.ran ? before[entry.id] : undefined
  if (kept !== undefined) after[entry.id] = kept
  if (ids.length > 0 && !ids.includes(entry.id)) continue
  const start = performance.now()
  const outcome = await runSample(entry, process.env)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  if (outcome.came === 'skipped') say(`${entry.id}: not run, ${outcome.why}`)
  else if (outcome.came === 'wrong') {
    say(`${entry.id}: WRONG\n  ${outcome.faults.join('\n  ')}`)
    delete after[entry.id]
    process.exitCode = 1
  } else {
    const { result } = outcome
    say(
      `${entry.id}: right with ${result.with}, ${seconds} s, ${result.differs.length} of ${result.requests} otherwise`,
    )
    after[entry.id] = result
  }
}
writeFileSync(resultsFile, `${JSON.stringify(after, undefined, 2)}\n`)

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
