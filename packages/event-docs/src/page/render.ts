/** The blocks of a page as HTML. */
import type { Block, Blocks, CodeBlock, Row, Span, Spans, TableForm } from './blocks.ts'
import { codeParts } from './code-parts.ts'
import { type Html, html } from './html.ts'
import { relativeTo } from './paths.ts'

/** Places that every page has, whatever stands on it. */
const ownIds = ['content', 'pages', 'search', 'results', 'found']

/** Ids of a page are given out once each: two headings with the same words must not share one. */
export type PageIds = (wanted: string) => string

export function pageIds(): PageIds {
  const given = new Set<string>(ownIds)
  return (wanted) => {
    let id = wanted
    for (let times = 2; given.has(id); times += 1) id = `${wanted}-${times}`
    given.add(id)
    return id
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
      return codeFigure(block)
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

function codeFigure({ language, text, label }: CodeBlock): Html {
  const parts = codeParts(language, text).map((part) =>
    part.kind === 'plain' ? part.text : html`<span class="code-${part.kind}">${part.text}</span>`,
  )
  const attribute = language !== '' && html` class="language-${language}"`
  return html`<figure class="code"><figcaption>${label}</figcaption><pre tabindex="0"><code${attribute}>${parts}</code></pre></figure>\n`
}

function heading({ level, id, text }: Extract<Block, { kind: 'heading' }>, { ids, onHeading }: Place): Html {
  const own = ids(id)
  onHeading?.({ level, id: own, text })
  const inner = html`${text} <a class="anchor" href="#${own}" aria-label="Link to this section: ${text}">#</a>`
  if (level === 2) return html`<h2 id="${own}">${inner}</h2>\n`
  if (level === 3) return html`<h3 id="${own}">${inner}</h3>\n`
  return html`<h4 id="${own}">${inner}</h4>\n`
}

function table({ caption, columns, rows, form }: Extract<Block, { kind: 'table' }>, place: Place): Html {
  return html`<div class="table ${form}" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => tableRow(row, { columns, form }, place))}</tbody>
</table></div>\n`
}

function tableRow(
  { id, depth = 0, cells }: Row,
  { columns, form }: { columns: readonly string[]; form: TableForm },
  place: Place,
): Html {
  const own = id === undefined ? undefined : place.ids(id)
  // Deeper ones look the same: a table has only so much room.
  const indent = depth > 0 && html` class="depth-${Math.min(depth, 8)}"`
  // For a mouse; whoever uses a keyboard would have to walk through one of these in every row.
  const anchor =
    own !== undefined &&
    html` <a class="anchor" href="#${encodeURIComponent(own)}" tabindex="-1" aria-hidden="true">#</a>`
  return html`<tr${own !== undefined && html` id="${own}"`}${indent}>${cells.map((spans, index) => {
    if (index === 0) return html`<th scope="row">${renderSpans(spans, place)}${anchor}</th>`
    // On a phone a cell stands below the others, under the name of its column, unless the form of the table says it.
    const column = form === 'plain' && html` data-column="${columns[index]}"`
    return html`<td${column}>${renderSpans(spans, place)}</td>`
  })}</tr>\n`
}

export function renderSpans(spans: Spans, place: Place): Html {
  return html`${spans.map((span) => renderSpan(span, place))}`
}

function renderSpan(span: Span, place: Place): Html | string {
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
      return html`<a href="${relativeTo(place.here, span.to)}${fragment}">${span.text}</a>`
    }
    case 'external':
      return html`<a href="${span.href}" rel="noreferrer">${span.text}</a>`
    case 'authored':
      return html`<bdi>${renderSpans(span.spans, place)}</bdi>`
    case 'break':
      return html`<br>`
  }
}
