/** The sections of a page as a search needs them: where each begins, and which words stand in it. */
import { type Block, type Blocks, wordsOf } from './blocks.ts'
import { pageIds } from './render.ts'

export type PageSection = { readonly id: string; readonly heading: string; readonly words: string }

/** Those below a heading of the second or third level. Code is left out: it would be found by every word. */
export function sectionsOf(blocks: Blocks): PageSection[] {
  const ids = pageIds()
  const sections: { id: string; heading: string; words: Set<string> }[] = []
  for (const block of blocks) {
    if (block.kind === 'heading' && block.level < 4)
      sections.push({ id: ids(block.id), heading: block.text, words: new Set() })
    else {
      const last = sections.at(-1)
      for (const word of textOf(block)
        .toLowerCase()
        .match(/[\p{L}\p{N}][\p{L}\p{N}._-]+/gu) ?? [])
        last?.words.add(word.replace(/[.]+$/, ''))
    }
  }
  return sections.map(({ words, ...section }) => ({ ...section, words: [...words].join(' ') }))
}

function textOf(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return block.text
    case 'paragraph':
      return wordsOf(block.spans)
    case 'list':
      return block.items.map(wordsOf).join(' ')
    case 'table':
      return block.rows.flatMap(({ cells }) => cells.map(wordsOf)).join(' ')
    case 'code':
      return ''
    case 'tabs':
      return block.tabs.map(({ name, blocks }) => `${name} ${blocks.map(textOf).join(' ')}`).join(' ')
    case 'note':
      return block.blocks.map(textOf).join(' ')
    case 'details':
      return `${block.summary} ${block.blocks.map(textOf).join(' ')}`
  }
}
