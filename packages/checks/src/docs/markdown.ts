/** Markdown as our documents use it: headings, tables, links, fenced code and code in a line. No nesting, no HTML. */

export type Table = { readonly heading: string; readonly header: readonly string[]; readonly rows: readonly Row[] }
export type Row = { readonly line: number; readonly cells: readonly string[] }
export type Heading = { readonly level: number; readonly title: string; readonly anchor: string; readonly line: number }
/** What stands below a heading, up to the next of any level. */
export type Section = Heading & { readonly text: string }
export type Link = { readonly target: string; readonly line: number }
export type CodeBlock = { readonly language: string; readonly lines: readonly { text: string; line: number }[] }

export type Document = {
  readonly sections: readonly Section[]
  readonly tables: readonly Table[]
  readonly links: readonly Link[]
  readonly blocks: readonly CodeBlock[]
  /** What stands between backticks in a line. */
  readonly spans: readonly { text: string; line: number }[]
}

/** Reads a document. */
export function parseMarkdown(markdown: string): Document {
  const { prose, blocks } = withoutBlocks(markdown)
  const sections = sectionsOf(prose)
  const spans: { text: string; line: number }[] = []
  const links: Link[] = []
  for (const { text, line } of prose) {
    for (const [, span = ''] of text.matchAll(/`([^`]+)`/g)) spans.push({ text: span, line })
    for (const [, target = ''] of text.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g))
      links.push({ target, line })
  }
  return { sections, tables: tablesOf(prose), links, blocks, spans }
}

/** The words in backticks of a text: of a cell, or of a section. */
export function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** The sections one level below the heading of this title. */
export function sectionsBelow({ sections }: Document, title: string): Section[] {
  const start = sections.findIndex((section) => section.title === title)
  const level = sections[start]?.level
  if (level === undefined) return []
  const after = sections.slice(start + 1)
  const end = after.findIndex((section) => section.level <= level)
  return after.slice(0, end === -1 ? undefined : end).filter((section) => section.level === level + 1)
}

type Line = { readonly text: string; readonly line: number }

function withoutBlocks(markdown: string): { prose: Line[]; blocks: CodeBlock[] } {
  const prose: Line[] = []
  const blocks: CodeBlock[] = []
  let block: { language: string; lines: Line[] } | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    const fence = /^\s*```(\w*)/.exec(text)
    if (fence !== null && block === undefined) {
      block = { language: fence[1] ?? '', lines: [] }
      blocks.push(block)
    } else if (fence !== null) block = undefined
    else (block?.lines ?? prose).push({ text, line: index + 1 })
  }
  return { prose, blocks }
}

function sectionsOf(prose: readonly Line[]): Section[] {
  const sections: (Heading & { text: string })[] = []
  const taken = new Map<string, number>()
  for (const { text, line } of prose) {
    const [, marks, title] = /^(#{1,6})\s+(.*?)\s*$/.exec(text) ?? []
    if (marks === undefined || title === undefined) {
      const section = sections.at(-1)
      if (section !== undefined) section.text += `${text}\n`
      continue
    }
    const slug = slugOf(title)
    const times = taken.get(slug) ?? 0
    taken.set(slug, times + 1)
    sections.push({ level: marks.length, title, anchor: times === 0 ? slug : `${slug}-${times}`, line, text: '' })
  }
  return sections
}

/** The anchor that hosts of repositories give a heading. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

function tablesOf(prose: readonly Line[]): Table[] {
  const tables: { heading: string; header: string[]; rows: Row[] }[] = []
  let heading = ''
  let isInside = false
  for (const { text, line } of prose) {
    heading = /^#{1,6}\s+(.*?)\s*$/.exec(text)?.[1] ?? heading
    if (!text.startsWith('|')) {
      isInside = false
      continue
    }
    const cells = cellsOf(text)
    if (!isInside) tables.push({ heading, header: cells, rows: [] })
    else if (!cells.every((cell) => /^:?-+:?$/.test(cell))) tables.at(-1)?.rows.push({ line, cells })
    isInside = true
  }
  return tables
}

function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '')
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))
}
