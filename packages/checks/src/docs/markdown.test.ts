import { expect, test } from 'vitest'
import { codeIn, parseMarkdown, sectionsBelow } from './markdown.ts'

const document = parseMarkdown(`# The title

See [another](b.md#c) and \`[no link](d.md)\`,
a word in \`code\` ([more](https://example.com)).

## Roles of an API key

| Role | May |
|---|---|
| \`admin\` | a \\| b |

### First part
text
### First part

\`\`\`sh
# no heading [no link](e.md)
npx pnpm@12 start
\`\`\`

## Last: \`code\`, & more
`)

test('headings have the anchors that a host of repositories gives them', () => {
  expect(document.sections.map(({ anchor, line }) => [anchor, line])).toEqual([
    ['the-title', 1],
    ['roles-of-an-api-key', 6],
    ['first-part', 12],
    ['first-part-1', 14],
    ['last-code--more', 21],
  ])
})

test('sections are found below their heading, up to the next of its level', () => {
  expect(sectionsBelow(document, 'Roles of an API key').map(({ text }) => text)).toEqual(['text\n', '\n\n'])
  expect(sectionsBelow(document, 'No such heading')).toEqual([])
})

test('a table belongs to its heading, and a bar may be written in a cell', () => {
  expect(document.tables).toEqual([
    { heading: 'Roles of an API key', header: ['Role', 'May'], rows: [{ line: 10, cells: ['`admin`', 'a | b'] }] },
  ])
})

test('links are found in prose and not in code', () => {
  expect(document.links).toEqual([
    { target: 'b.md#c', line: 3 },
    { target: 'https://example.com', line: 4 },
  ])
})

test('code is found in blocks and in lines', () => {
  expect(document.blocks).toEqual([
    {
      language: 'sh',
      lines: [
        { text: '# no heading [no link](e.md)', line: 17 },
        { text: 'npx pnpm@12 start', line: 18 },
      ],
    },
  ])
  expect(document.spans.map(({ text }) => text)).toEqual(['[no link](d.md)', 'code', 'admin', 'code'])
  expect(codeIn('`a`, b and `c`')).toEqual(['a', 'c'])
})
