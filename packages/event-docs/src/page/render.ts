/** The blocks of a page as HTML. */
import type { Block, Blocks, Row, Span, Spans } from './blocks.ts'
import { type Html, html } from './html.ts'
import { relativeTo } from './paths.ts'

/** Ids of a page are given out once each: two headings with the same words must not share one. */
export type PageIds = (wanted: string) => string

export function pageIds(): PageIds {
  const given = new Map<string, number>()
  return (wanted) => {
    const times = (given.get(wanted) ?? 0) + 1
    given.set(wanted, times)
    return times === 1 ? wanted : `${wanted}-${times}`
  }
}

export type Place = {
  /** The path of the page's file. */
  readonly here: string
  readonly ids: PageIds
  /** What is told of each heading, with the id that it got. */
  onHeading?(heading: { level: number; id: string; text: string }): void
}

export function renderBlocks(blocks: Blocks, place: Place): Html {
  return html`${blocks.map((block) => renderBlock(block, place))}`
}

function renderBlock(block: Block, place: Place): Html {
  switch (block.kind) {
    case 'heading':
      return heading(block, place)
    case 'paragraph':
      return html`<p>${renderSpans(block.spans, place)}</p>\n`
    case 'list': {
      const items = block.items.map((item) => html`<li>${renderSpans(item, place)}</li>\n`)
      return block.ordered ? html`<ol>\n${items}</ol>\n` : html`<ul>\n${items}</ul>\n`
    }
    case 'table':
      return table(block, place)
    case 'code':
      return html`<figure class="code"><figcaption>${block.label}</figcaption><pre tabindex="0"><code${
        block.language !== '' && html` class="language-${block.language}"`
      }>${block.text}</code></pre></figure>\n`
    case 'tabs':
      return html`<div class="tabs" data-label="${block.label}">\n${block.tabs.map(
        (tab) =>
          html`<section class="tab" aria-label="${block.label}: ${tab.name}"><p class="tab-name">${
            tab.name
          }</p>\n${renderBlocks(tab.blocks, place)}</section>\n`,
      )}</div>\n`
    case 'note':
      return html`<div class="note ${block.tone}" role="note">\n${renderBlocks(block.blocks, place)}</div>\n`
    case 'details':
      return html`<details><summary>${block.summary}</summary>\n${renderBlocks(block.blocks, place)}</details>\n`
  }
}

function heading({ level, id, text }: Extract<Block, { kind: 'heading' }>, { ids, onHeading }: Place): Html {
  const own = ids(id)
  onHeading?.({ level, id: own, text })
  const inner = html`${text} <a class="anchor" href="#${own}" aria-label="Link to this section: ${text}">#</a>`
  if (level === 2) return html`<h2 id="${own}">${inner}</h2>\n`
  if (level === 3) return html`<h3 id="${own}">${inner}</h3>\n`
  return html`<h4 id="${own}">${inner}</h4>\n`
}

function table({ caption, columns, rows }: Extract<Block, { kind: 'table' }>, place: Place): Html {
  return html`<div class="table" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => tableRow(row, columns, place))}</tbody>
</table></div>\n`
}

function tableRow({ id, depth = 0, cells }: Row, columns: readonly string[], place: Place): Html {
  const attribute = id === undefined ? '' : html` id="${place.ids(id)}"`
  // Deeper ones look the same: a table has only so much room.
  const indent = depth > 0 && html` class="depth-${Math.min(depth, 8)}"`
  return html`<tr${attribute}>${cells.map((spans, index) =>
    index === 0
      ? html`<th scope="row"${indent}>${renderSpans(spans, place)}</th>`
      : html`<td data-column="${columns[index]}">${renderSpans(spans, place)}</td>`,
  )}</tr>\n`
}

export function renderSpans(spans: Spans, place: Place): Html {
  return html`${spans.map((span) => renderSpan(span, place))}`
}

function renderSpan(span: Span, { here }: Place): Html | string {
  if (typeof span === 'string') return span
  switch (span.kind) {
    case 'code':
      return html`<code>${span.text}</code>`
    case 'strong':
      return html`<strong>${span.text}</strong>`
    case 'mark':
      return html`<span class="mark ${span.tone}">${span.text}</span>`
    case 'link': {
      const fragment = span.fragment === undefined ? '' : `#${encodeURIComponent(span.fragment)}`
      return html`<a href="${relativeTo(here, span.to)}${fragment}">${span.text}</a>`
    }
    case 'external':
      return html`<a href="${span.href}" rel="noreferrer">${span.text}</a>`
    case 'break':
      return html`<br>`
  }
}
