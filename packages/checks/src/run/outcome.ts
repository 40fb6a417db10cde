/**
 * What a run of all checks came to: counting and wording, nothing else.
 *
 * A check (formatting, types …) counts as one, passed or failed; the tests count one by one. The closing line is read by
 * machines and has one form.
 */

export type Counts = { passed: number; failed: number; skipped: number }

export type Outcome = Counts & {
  /** What ran, as a reader knows it. */
  readonly name: string
  readonly seconds: number
}

/** The part of the report of vitest's JSON reporter that is counted. */
export type TestReport = {
  readonly testResults: readonly {
    /** `failed` also when the file could not be loaded or a hook threw. */
    readonly status: string
    readonly assertionResults: readonly {
      readonly status: string
      /** The groups that the test is in, outermost first, and its own title. */
      readonly ancestorTitles?: readonly string[]
      readonly title?: string
      /** What the test has told beside that it passed. */
      readonly meta?: { readonly told?: string }
    }[]
  }[]
}

/** A check that ended by itself. */
export function countCheck(exitCode: number): Counts {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

/**
 * Counts tests. A file that failed without a failed test (it did not load, or a hook threw) counts as one failure, and so
 * does a run that ended badly for a reason no test shows, or in which no test ran.
 *
 * @param report absent when vitest ended before it wrote one
 */
export function countTests(report: TestReport | undefined, exitCode: number): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of report?.testResults ?? []) {
    const failedBefore = counts.failed
    for (const { status } of file.assertionResults) counts[countedAs(status)] += 1
    if (file.status === 'failed' && counts.failed === failedBefore) counts.failed += 1
  }
  const ranNone = counts.passed + counts.failed === 0
  if (ranNone || (exitCode !== 0 && counts.failed === 0)) counts.failed += 1
  return counts
}

/**
 * One line for each group of tests that were skipped, with their number. Whoever skips says why in the title of the
 * group, or of the test if it is in none.
 */
export function skippedGroups(report: TestReport | undefined): string[] {
  const tests = report?.testResults.flatMap((file) => file.assertionResults) ?? []
  const skipped = tests.filter(({ status }) => countedAs(status) === 'skipped')
  const groups = Map.groupBy(skipped, ({ ancestorTitles = [], title = '' }) => ancestorTitles.join(' › ') || title)
  return [...groups].map(([title, members]) => `${members.length} skipped: ${title}`)
}

/** What tests have told (sizes, tables), each with the title of its test. */
export function toldBy(report: TestReport | undefined): string[] {
  const tests = report?.testResults.flatMap((file) => file.assertionResults) ?? []
  return tests.flatMap(({ meta, title = '' }) => (meta?.told === undefined ? [] : `${title}\n${indented(meta.told)}`))
}

/** All outcomes together. */
export function sum(outcomes: readonly Counts[]): Counts {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const { passed, failed, skipped } of outcomes) {
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
  }
  return total
}

/** One line for each outcome, aligned, and the time of the whole. */
export function table(outcomes: readonly Outcome[], seconds: number): string {
  const width = Math.max(...outcomes.map(({ name }) => name.length))
  const rows = outcomes.map((outcome) => {
    const verdict = outcome.failed === 0 ? 'ok    ' : 'FAILED'
    return `  ${verdict}  ${outcome.name.padEnd(width)}  ${duration(outcome.seconds)}`
  })
  return [...rows, `          ${'in all'.padEnd(width)}  ${duration(seconds)}`].join('\n')
}

/** The last line of a run: `N passed, N failed`, with `, N skipped` when some were. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function indented(lines: string): string {
  return lines.replaceAll(/^/gm, '  ')
}

function countedAs(status: string): keyof Counts {
  if (status === 'passed') return 'passed'
  return status === 'failed' ? 'failed' : 'skipped'
}

function duration(seconds: number): string {
  return `${seconds.toFixed(1).padStart(6)} s`
}
