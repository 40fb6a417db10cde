/** The Markdown twin of a page (CommonMark with the tables of GitHub), for people who read text and for programs. */
import type { Block, Blocks, Page, Span, Spans } from './blocks.ts'
import { relativeTo } from './paths.ts'

export function markdownOf(page: Page): string {
  const here = `${page.path}.md`
  const marks = page.marks.map(({ text }) => ` (${text})`).join('')
  return `# ${escaped(page.title)}${escaped(marks)}\n\n${blocksOf(page.blocks, here)}\n`
}

function blocksOf(blocks: Blocks, here: string): string {
  return blocks.map((block) => blockOf(block, here)).join('\n\n')
}

function blockOf(block: Block, here: string): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${escaped(block.text)}`
    case 'paragraph':
      return inline(block.spans, here)
    case 'list':
      return block.items
        .map((item, index) => `${block.ordered ? `${index + 1}.` : '-'} ${inline(item, here).replaceAll('\n', '\n  ')}`)
        .join('\n')
    case 'table':
      return tableOf(block, here)
    case 'code':
      return fenced(block.language, block.text)
    case 'tabs':
      return block.tabs.map((tab) => `**${escaped(tab.name)}**\n\n${blocksOf(tab.blocks, here)}`).join('\n\n')
    case 'note':
      return blocksOf(block.blocks, here).replaceAll(/^/gm, '> ')
    case 'details':
      return `**${escaped(block.summary)}**\n\n${blocksOf(block.blocks, here)}`
  }
}

function tableOf(table: Extract<Block, { kind: 'table' }>, here: string): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const cell = (spans: Spans) =>
    inline(spans, here)
      .replaceAll('|', '\\|')
      .replaceAll(/\s*\n\s*/g, ' ')
  return [
    line(table.columns.map((column) => escaped(column).replaceAll('|', '\\|'))),
    line(table.columns.map(() => '---')),
    ...table.rows.map(({ cells }) => line(cells.map(cell))),
  ].join('\n')
}

/** A block of code that its content cannot end: a fence is longer than the longest run of the same sign inside. */
export function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`
}

function inline(spans: Spans, here: string): string {
  return spans.map((span) => spanOf(span, here)).join('')
}

function spanOf(span: Span, here: string): string {
  if (typeof span === 'string') return escaped(span)
  switch (span.kind) {
    case 'code':
      return codeSpan(span.text)
    case 'strong':
      return `**${escaped(span.text)}**`
    case 'mark':
      return `_${escaped(span.text)}_`
    case 'link': {
      const fragment = span.fragment === undefined ? '' : `#${span.fragment}`
      // Twins lead to twins; other files have none.
      const to = span.to.endsWith('.html') ? span.to.replace(/\.html$/, '.md') : span.to
      return `[${escaped(span.text)}](${relativeTo(here, to)}${fragment})`
    }
    case 'external':
      return `[${escaped(span.text)}](<${span.href.replaceAll(/[<>\s]/g, encodeURIComponent)}>)`
    case 'break':
      return '\\\n'
  }
}

function codeSpan(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const ticks = '`'.repeat(longest + 1)
  const room = text.startsWith('`') || text.endsWith('`') || text.trim() === '' ? ' ' : ''
  return `${ticks}${room}${text.replaceAll(/\s*\n\s*/g, ' ')}${room}${ticks}`
}

/** Everything that could begin markup or HTML is text. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]<>#&~]/g, '\\$&')
    .replaceAll(/^(\s*)([-+=])/gm, '$1\\$2')
    .replaceAll(/^(\s*\d+)([.)])/gm, '$1\\$2')
    .replaceAll(/\n{2,}/g, '\n')
}
