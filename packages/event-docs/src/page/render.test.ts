import { expect, test } from 'vitest'
import {
  code,
  codeBlock,
  external,
  heading,
  link,
  list,
  mark,
  type Page,
  paragraph,
  paragraphsOf,
  prose,
  table,
} from './blocks.ts'
import { codeParts } from './code-parts.ts'
import { layoutOf } from './layout.ts'
import { markdownOf } from './markdown.ts'
import { relativeTo } from './paths.ts'
import { sectionsOf } from './sections.ts'

const hostile = '<script>alert(1)</script> "quoted" \'&amp; `ticks` [a](javascript:alert(1)) **b** \u0000 | end'

function pageOf(...blocks: Page['blocks']): Page {
  return { path: 'events/a', title: hostile, summary: hostile, marks: [{ text: hostile, tone: 'plain' }], blocks }
}

function htmlOf(page: Page): string {
  return layoutOf(page, {
    branding: { name: hostile },
    sections: [{ title: hostile, entries: [{ path: 'events/a', title: hostile }] }],
  })
}

test('whatever an author writes stays text, in every place that a text can have', () => {
  const html = htmlOf(
    pageOf(
      heading(2, hostile),
      paragraph(hostile, code(hostile), mark(hostile), link('events/b.html', hostile)),
      list([hostile]),
      table(hostile, [hostile, hostile], [{ id: hostile, cells: [[hostile], [hostile]] }]),
      codeBlock(hostile, hostile, hostile),
      { kind: 'tabs', label: hostile, tabs: [{ name: hostile, blocks: [paragraph(hostile)] }] },
      { kind: 'details', summary: hostile, blocks: [paragraph(hostile)] },
    ),
  )
  expect(html).not.toContain('<script>')
  expect(html.match(/<script /g)).toHaveLength(1)
  expect(html).not.toContain('\u0000')
  expect(html).not.toContain('"quoted"')
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
})

test('a link leads only where it is safe to follow', () => {
  const html = htmlOf(
    pageOf(
      paragraph(
        external('javascript:alert(1)', 'one'),
        external('data:text/html,x', 'two'),
        external('https://a.example/?"<', 'three'),
      ),
    ),
  )
  expect(html.match(/<a [^>]*>(one|two|three)/g)).toEqual([
    '<a href="https://a.example/?&quot;&lt;" rel="noreferrer">three',
  ])
})

test('two headings with the same words have places of their own, and both are in the list of contents', () => {
  const html = htmlOf({ ...pageOf(heading(2, 'Limits'), heading(3, 'Limits'), heading(2, 'Limits')), title: 'a' })
  expect(html.match(/<h[23] id="[^"]*"/g)).toEqual(['<h2 id="limits"', '<h3 id="limits-2"', '<h2 id="limits-3"'])
  expect(html.match(/<li><a href="#[^"]*">Limits/g)).toEqual([
    '<li><a href="#limits">Limits',
    '<li><a href="#limits-3">Limits',
  ])
})

test('a heading whose own words look like a number given out keeps a place of its own', () => {
  const page = { ...pageOf(heading(2, 'Step 2'), heading(2, 'Step'), heading(2, 'Step')), title: 'a' }
  expect(htmlOf(page).match(/<h2 id="[^"]*"/g)).toEqual(['<h2 id="step-2"', '<h2 id="step"', '<h2 id="step-3"'])
})

test('a text of an author in another direction turns nothing around that stands beside it', () => {
  const [paragraphs] = paragraphsOf('שם: `name`. \u202eexe.txt')
  const html = htmlOf({ ...pageOf(paragraphs ?? expect.fail('it is empty')), title: 'a' })
  expect(html).toContain('<p><bdi>שם: <code>name</code>. \ufffdexe.txt</bdi></p>')
})

test('JSON has its names, texts and values marked, other code its comments, and copying gives the same text', () => {
  const json = '{\n  "a\\"b": "c: // d",\n  "n": [-1.5e3, true, null]\n}'
  expect(codeParts('json', json).filter(({ kind }) => kind !== 'plain')).toEqual([
    { kind: 'name', text: '"a\\"b"' },
    { kind: 'text', text: '"c: // d"' },
    { kind: 'name', text: '"n"' },
    { kind: 'value', text: '-1.5e3' },
    { kind: 'value', text: 'true' },
    { kind: 'value', text: 'null' },
  ])
  const js = "// one\nfetch('https://a.example') // two"
  expect(codeParts('js', js).filter(({ kind }) => kind === 'comment')).toEqual([
    { kind: 'comment', text: '// one' },
    { kind: 'comment', text: '// two' },
  ])
  for (const [language, text] of [
    ['json', json],
    ['js', js],
    ['sh', 'echo "$' + '{A#b}" # c'],
    ['', 'plain'],
  ] as const)
    expect(
      codeParts(language, text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text)
})

test('the sections of a page are found by their words, each at the place that it has on the page', () => {
  const blocks = [heading(2, 'Limits'), paragraph('Keep it small.'), heading(3, 'Limits'), list(['Retry-After, 410'])]
  expect(sectionsOf(blocks)).toEqual([
    { id: 'limits', heading: 'Limits', words: 'keep it small' },
    { id: 'limits-2', heading: 'Limits', words: 'retry-after 410' },
  ])
})

test('the Markdown twin says the same, and what looks like markup in a text is none', () => {
  const markdown = markdownOf({
    ...pageOf(
      paragraph('1. not a list\n# not a heading <b>', code('a`b'), ' ', link('events/b.html', 'b', 'fields')),
      paragraph('order_id of AT&T is #1; _not_ this &amp; that, nor ~this~'),
      codeBlock('json', '```\n', 'A fence'),
      heading(2, '1. #1 is first #'),
      table(
        'Fields',
        ['Field', 'What'],
        [
          { id: 'data', cells: [[code('data')], ['x | y\nz', { kind: 'break' }, '1. w ']] },
          { id: 'data.a|b', depth: 1, cells: [[code('a|b')], [mark('optional')]] },
        ],
      ),
    ),
    title: 'a*b',
    marks: [],
  })
  expect(markdown).toBe(
    [
      '# a\\*b',
      '',
      '1\\. not a list\n\\# not a heading \\<b\\>``a`b`` [b](b.md#fields)',
      '',
      'order_id of AT&T is #1; \\_not\\_ this \\&amp; that, nor \\~this\\~',
      '',
      '_A fence:_\n\n````json\n```\n````',
      '',
      '## 1. #1 is first \\#',
      '',
      '| Field | What |\n| --- | --- |\n| `data` | x \\| y z<br>1. w |\n| `data.a\\|b` | _optional_ |',
      '',
    ].join('\n'),
  )
})

test('prose knows code, strong words and links, and takes what is put in as it is', () => {
  expect(prose`Answer \`204\`, **fast**: [how](responding.html#fast), ${'`x` [y](z)'} ${42}`).toEqual([
    'Answer ',
    { kind: 'code', text: '204' },
    ', ',
    { kind: 'strong', text: 'fast' },
    ': ',
    { kind: 'link', to: 'responding.html', text: 'how', fragment: 'fast' },
    ', ',
    '`x` [y](z)',
    ' ',
    '42',
  ])
})

test.each([
  ['index.html', 'events.html', 'events.html'],
  ['events/a.html', 'index.html', '../index.html'],
  ['events/a.html', 'events/a/v1.html', 'a/v1.html'],
  ['events/a/v1.html', 'events/a.html', '../a.html'],
  ['events/a/v1.html', 'assets/style.css', '../../assets/style.css'],
  ['events/a.html', '.', '../.'],
])('from %s to %s the way is %s', (from, to, way) => {
  expect(relativeTo(from, to)).toBe(way)
})
