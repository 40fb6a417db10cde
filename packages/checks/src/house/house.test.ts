/**
 * The rules that keep the house as docs/architecture.md describes it. Each is held against the whole checkout, and against
 * small houses that break it: a rule that cannot fail would be none.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { buildHouse, readHouse } from './house.ts'
import { type Rule, report } from './rule.ts'
import { nothingUnfinished, suppressionsWithReason } from './rules/comments.ts'
import { confinedPackages } from './rules/confined-packages.ts'
import { noBuckets, noRegistryHosts, tidyRoot } from './rules/files.ts'
import { glossary } from './rules/glossary.ts'
import { guardedCalls } from './rules/guarded-calls.ts'
import { noCycles } from './rules/import-cycles.ts'
import { exportsOnly, importDirections, relativeInside } from './rules/import-directions.ts'
import { dependenciesUsed, exportsDeclared, importsDeclared, oneVersion } from './rules/manifests.ts'
import { processAccess } from './rules/process-access.ts'
import { rawSql } from './rules/raw-sql.ts'
import { namedExports, noAny, noConsole } from './rules/source-words.ts'
import { uniqueTitles } from './rules/test-titles.ts'
import { noSleeps } from './rules/test-waits.ts'

const rules: readonly Rule[] = [
  importDirections,
  exportsOnly,
  relativeInside,
  noCycles,
  confinedPackages,
  guardedCalls,
  processAccess,
  rawSql,
  glossary,
  noBuckets,
  tidyRoot,
  exportsDeclared,
  importsDeclared,
  dependenciesUsed,
  oneVersion,
  noRegistryHosts,
  namedExports,
  noAny,
  noConsole,
  nothingUnfinished,
  suppressionsWithReason,
  uniqueTitles,
  noSleeps,
]

const house = readHouse(fileURLToPath(new URL('../../../..', import.meta.url)))

for (const rule of rules) {
  describe(rule.sentence, () => {
    test('in the whole house', () => {
      const findings = [...rule.find(house)]
      if (findings.length > 0) expect.fail(report(rule, findings))
    })

    test('and what breaks it is found', () => {
      expect(rule.examples.flatMap(({ finds }) => finds)).not.toEqual([])
      for (const { files, finds } of rule.examples) {
        const found = [...rule.find(buildHouse(new Map(Object.entries(files))))]
        expect(found.map(({ path, line }) => `${path}:${line}`).toSorted()).toEqual(finds.toSorted())
      }
    })
  })
}

test('the house that is checked is this one', () => {
  const checked = house.sources.map(({ path }) => path)
  expect(checked).toContain('packages/checks/src/house/house.test.ts')
  expect(house.packages.map(({ name }) => name)).toContain('@posthorn/engine')
  expect(checked.filter((path) => /node_modules|generated/.test(path))).toEqual([])
})
