import { signatureCauses } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { readDocument } from './documents.ts'
import { sectionsBelow } from './markdown.ts'

const sections = sectionsBelow(readDocument('docs/signature-checks.md'), 'Causes')

test('docs/signature-checks.md explains every cause, and no others, each under its own anchor', () => {
  expect(sections.map(({ title }) => title).toSorted()).toEqual(signatureCauses.toSorted())
  expect(sections.filter(({ title, anchor }) => title !== anchor)).toEqual([])
})

test('docs/signature-checks.md says how to mend every cause', () => {
  expect(sections.filter(({ text }) => !/\bFix: \S/.test(text)).map(({ title }) => title)).toEqual([])
})
