import { failureCodes, problems } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { readDocument } from './documents.ts'
import { sectionsBelow } from './markdown.ts'

const document = readDocument('docs/errors.md')
const problemSections = sectionsBelow(document, 'Problem codes')
const failureSections = sectionsBelow(document, 'Failure codes')

test('docs/errors.md explains every problem code, and no others', () => {
  expect(titles(problemSections)).toEqual(Object.keys(problems).toSorted())
})

test('docs/errors.md says the status of every problem code', () => {
  const wrong = problemSections.filter(({ title, text }) => {
    const status = Object.entries(problems).find(([code]) => code === title)?.[1].status
    return !text.trimStart().startsWith(`**${status}`)
  })
  expect(wrong.map(({ title, text }) => `${title}: ${text.trimStart().slice(0, 40)}`)).toEqual([])
})

test('docs/errors.md explains every failure code, and no others', () => {
  expect(titles(failureSections)).toEqual(failureCodes.toSorted())
})

test('the anchor of every code is the code itself, so that a link can be made from it', () => {
  const sections = [...problemSections, ...failureSections].filter(({ anchor, title }) => anchor !== title)
  // Said of an answer and of an attempt, this one has two sections; the link from a problem leads to the first.
  expect(sections.map(({ anchor }) => anchor)).toEqual(['internal_error-1'])
})

function titles(sections: readonly { title: string }[]): string[] {
  return sections.map(({ title }) => title).toSorted()
}
