/** `pnpm bench [names] [--json FILE] [--runs N] [--wait SECONDS] [--profile FOLDER]`: see docs/benchmarks.md. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benchmarks, fullSizes } from './benchmarks/all.ts'
import { table } from './report/table.ts'
import { runBenchmarks } from './run.ts'
import { openStage } from './stage/stage.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)))

try {
  await main(process.argv.slice(2).filter((argument) => argument !== '--'))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
  process.exitCode = 1
}

async function main(words: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      runs: { type: 'string', default: '1' },
      wait: { type: 'string', default: '20' },
      profile: { type: 'string' },
    },
  })
  const known = Object.keys(benchmarks)
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`there is no benchmark ${unknown.join(', ')}. Known are ${known.join(', ')}`)
  const world = { now: () => Date.now(), randomBytes: (count: number) => randomBytes(count) }
  const host = { uid: process.getuid?.() ?? -1, pid: process.pid, env: process.env }
  const rows = await runBenchmarks({
    names: positionals.length === 0 ? known : positionals,
    runs: wholeNumber('runs', values.runs),
    sizes: fullSizes,
    world,
    stop: stop.signal,
    openStage: () => openStage(host, world.now),
    quietMs: wholeNumber('wait', values.wait) * 1_000,
    profileFolder: values.profile && resolve(values.profile),
    tell: (line) => process.stderr.write(`${line}\n`),
  })
  process.stdout.write(`${table(rows)}\n`)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new Error(`--${name} ${text} is not a whole number`)
}
