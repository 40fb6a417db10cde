import { receiverChecks } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { readDocument } from './documents.ts'
import { sectionsBelow } from './markdown.ts'

const sections = sectionsBelow(readDocument('docs/receiver-check.md'), 'Checks')

test('docs/receiver-check.md explains every check in its order, and no others, each under its own anchor', () => {
  expect(sections.map(({ title }) => title)).toEqual(receiverChecks)
  expect(sections.filter(({ title, anchor }) => title !== anchor)).toEqual([])
})

test('docs/receiver-check.md says how to mend every check', () => {
  expect(
    sections.filter(({ text }) => !/\bFix: \S/.test(text.replaceAll('\n', ' '))).map(({ title }) => title),
  ).toEqual([])
})
