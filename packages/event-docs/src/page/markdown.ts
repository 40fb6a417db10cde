/** The Markdown twin of a page (CommonMark with the tables of GitHub), for people who read text and for programs. */
import { type Block, type Blocks, code, type Page, type Row, type Span, type Spans } from './blocks.ts'
import { relativeTo } from './paths.ts'

export function markdownOf(page: Page): string {
  const here = `${page.path}.md`
  const marks = page.marks.length === 0 ? '' : ` (${page.marks.map(({ text }) => text).join(', ')})`
  return `# ${escaped(`${page.title}${marks}`)}\n\n${blocksOf(page.blocks, here)}\n`
}

function blocksOf(blocks: Blocks, here: string): string {
  return blocks.map((block) => blockOf(block, here)).join('\n\n')
}

function blockOf(block: Block, here: string): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${escaped(block.text)}`
    case 'paragraph':
      return atLineStart(inline(block.spans, here))
    case 'list':
      return block.items
        .map(
          (item, index) =>
            `${block.ordered ? `${index + 1}.` : '-'} ${atLineStart(inline(item, here)).replaceAll('\n', '\n  ')}`,
        )
        .join('\n')
    case 'table':
      return tableOf(block, here)
    case 'code':
      return `_${escaped(block.label)}:_\n\n${fenced(block.language, block.text)}`
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
  // A cell is one line, so that a break is none of Markdown's own.
  const cell = (spans: Spans) => oneLine(inline(spans, here).replaceAll('|', '\\|').replaceAll('\\\n', '<br>')).trim()
  // Nothing is indented here, so that what lies deeper has its whole path.
  const first = ({ id, depth = 0, cells: [name = []] }: Row) => (depth > 0 && id !== undefined ? [code(id)] : name)
  return [
    line(table.columns.map((column) => escaped(column).replaceAll('|', '\\|'))),
    line(table.columns.map(() => '---')),
    ...table.rows.map((row) => line([first(row), ...row.cells.slice(1)].map(cell))),
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
    case 'authored':
      return inline(span.spans, here)
    case 'break':
      return '\\\n'
  }
}

function codeSpan(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const ticks = '`'.repeat(longest + 1)
  const room = text.startsWith('`') || text.endsWith('`') || text.trim() === '' ? ' ' : ''
  return `${ticks}${room}${oneLine(text)}${room}${ticks}`
}

/**
 * Text in which nothing begins markup or HTML within a line. What can do that in one place only is left alone elsewhere,
 * so that names such as `order_id` stay readable and can be searched for in the source.
 */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\`*[\]<>~]/g, '\\$&')
    .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replaceAll(/&(?=#?\w+;)/g, '\\&')
    .replaceAll(/(\s)(#+\s*)$/gm, '$1\\$2')
    .replaceAll(/\n{2,}/g, '\n')
}

/** By no regular expression: one that looks for spaces around a break takes the square of the time that many spaces take. */
function oneLine(text: string): string {
  const [first = '', ...others] = text.split('\n')
  if (others.length === 0) return text
  return [first.trimEnd(), ...others.map((line) => line.trim())].filter((line) => line !== '').join(' ')
}

/** Lines that begin neither a heading nor a list nor a rule. */
function atLineStart(text: string): string {
  return text.replaceAll(/^([^\S\n]*)([-+=#])/gm, '$1\\$2').replaceAll(/^([^\S\n]*\d+)([.)])/gm, '$1\\$2')
}

/** Text of a stranger in one line of Markdown, also in a list or a table. */
export function markdownLine(text: string): string {
  return atLineStart(escaped(text.replaceAll(/\s+/g, ' ').trim())).replaceAll('|', '\\|')
}
