/** The whole HTML page around its blocks: what leads to the others, and what a browser has to know. */
import type { Branding } from '../branding.ts'
import type { Page } from './blocks.ts'
import { type Html, html } from './html.ts'
import { relativeTo } from './paths.ts'
import { pageIds, renderBlocks } from './render.ts'

/** One entry of the list of pages. */
export type Entry = { readonly path: string; readonly title: string; readonly mark?: string }
export type Section = { readonly title: string; readonly entries: readonly Entry[] }

/** Nothing is loaded but what stands beside the page, and nothing is sent anywhere. */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

export type Layout = {
  readonly branding: Branding
  /** For this page: what stands in its list of pages. */
  readonly sections: readonly Section[]
  /** What is read before and after this page. */
  readonly before?: Entry | undefined
  readonly after?: Entry | undefined
}

/** With more places than this, only the larger ones are listed beside the page. */
const contentsMax = 30
/** A logo whose data URL is longer is none for the tab of a browser. */
const iconLengthMax = 8 * 1024

export function layoutOf(page: Page, { branding, sections, before, after }: Layout): string {
  const here = `${page.path}.html`
  const home = `${branding.name} webhooks`
  const ids = pageIds()
  const to = (path: string) => relativeTo(here, path)
  const contents: Heading[] = []
  const onHeading = (heading: Heading) => {
    if (heading.level < 4) contents.push(heading)
  }
  const body = renderBlocks(page.blocks, { here, ids, onHeading })
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${page.summary}">
<title>${page.title === home ? home : `${page.title} · ${home}`}</title>
<link rel="stylesheet" href="${to('assets/style.css')}">
<link rel="stylesheet" href="${to('assets/brand.css')}">
${iconOf(branding)}<link rel="alternate" type="text/markdown" title="This page as Markdown" href="${to(`${page.path}.md`)}">
<link rel="alternate" type="application/atom+xml" title="Changes of event types" href="${to('changelog.atom')}">
<script src="${to('assets/enhance.js')}" defer></script>
</head>
<body data-root="${to('.')}">
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<a class="brand" href="${to('index.html')}">${logoOf(branding)}<span>${branding.name} <span class="faint">webhooks</span></span></a>
<div class="search" hidden>
<label for="search">Search</label>
<input id="search" type="search" placeholder="Search" autocomplete="off" role="combobox" aria-autocomplete="list" aria-expanded="false" aria-controls="results">
<div class="found" hidden>
<ul id="results" role="listbox" aria-label="Search results" hidden></ul>
<p id="found" role="status"></p>
</div>
</div>
</header>
<div class="columns">
<nav class="pages" id="pages" aria-label="Pages">
<details open><summary>Pages</summary>
${sections.map(
  (section) => html`<p class="section">${section.title}</p>
<ul>
${section.entries.map((entry) => entryOf(entry, page, to))}</ul>
`,
)}</details>
</nav>
${contentsOf(contents)}<main id="content" tabindex="-1">
<h1>${page.title}${page.marks.map(({ text, tone }) => html` <span class="mark ${tone}">${text}</span>`)}</h1>
${body}${turnOf(before, after, to)}</main>
</div>
<footer>
<p><a href="${to(`${page.path}.md`)}">This page as Markdown</a> · <a href="${to('openapi.json')}">OpenAPI</a> · <a href="${to('asyncapi.yaml')}">AsyncAPI</a> · <a href="${to('llms.txt')}">llms.txt</a>${
    branding.support !== undefined && html` · <a href="${branding.support}" rel="noreferrer">Help</a>`
  }</p>
</footer>
</body>
</html>
`.text
}

/** The logo stands in every page, so that only a small one stands there twice. */
function iconOf({ logo }: Branding): Html | false {
  return logo !== undefined && logo.length <= iconLengthMax && html`<link rel="icon" href="${logo}">\n`
}

function logoOf({ logo, logo_dark }: Branding): Html | false {
  if (logo === undefined) return false
  const image = html`<img src="${logo}" alt="" height="28">`
  if (logo_dark === undefined) return image
  return html`<picture><source srcset="${logo_dark}" media="screen and (prefers-color-scheme: dark)">${image}</picture>`
}

function entryOf(entry: Entry, page: Page, to: (path: string) => string): Html {
  const current = entry.path === page.path && html` aria-current="page"`
  const mark = entry.mark !== undefined && html` <span class="mark plain">${entry.mark}</span>`
  return html`<li><a href="${to(`${entry.path}.html`)}"${current}>${entry.title}</a>${mark}</li>\n`
}

type Heading = { readonly level: number; readonly id: string; readonly text: string }

function contentsOf(headings: readonly Heading[]): Html | false {
  const shown = headings.length > contentsMax ? headings.filter(({ level }) => level === 2) : headings
  if (shown.length < 2) return false
  const entries = shown.map(
    ({ level, id, text }) =>
      html`<li${level > 2 && html` class="deeper"`}><a href="#${encodeURIComponent(id)}">${text}</a></li>\n`,
  )
  return html`<nav class="contents" aria-label="On this page">
<details open><summary>On this page</summary>
<ul>
${entries}</ul>
</details>
</nav>
`
}

function turnOf(before: Entry | undefined, after: Entry | undefined, to: (path: string) => string): Html | false {
  if (before === undefined && after === undefined) return false
  const link = (entry: Entry | undefined, relation: 'prev' | 'next', word: string) =>
    entry !== undefined &&
    html`<a class="${relation}" href="${to(`${entry.path}.html`)}" rel="${relation}"><span>${word}</span> ${entry.title}</a>`
  return html`<nav class="turn" aria-label="Other guides">
${link(before, 'prev', 'Previous')}${link(after, 'next', 'Next')}</nav>
`
}
