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
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

export type Layout = {
  readonly branding: Branding
  /** For this page: what stands in its list of pages. */
  readonly sections: readonly Section[]
}

export function layoutOf(page: Page, { branding, sections }: Layout): string {
  const here = `${page.path}.html`
  const ids = pageIds()
  // The places of the page itself come first.
  for (const own of ['content', 'pages', 'search', 'results']) ids(own)
  const to = (path: string) => relativeTo(here, path)
  const contents: { id: string; text: string }[] = []
  const onHeading = ({ level, id, text }: { level: number; id: string; text: string }) => {
    if (level === 2) contents.push({ id, text })
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
<title>${page.title} · ${branding.name} webhooks</title>
<link rel="stylesheet" href="${to('assets/style.css')}">
<link rel="stylesheet" href="${to('assets/brand.css')}">
<link rel="alternate" type="text/markdown" href="${to(`${page.path}.md`)}">
<link rel="alternate" type="application/atom+xml" title="Changes of event types" href="${to('changelog.atom')}">
<script src="${to('assets/enhance.js')}" defer></script>
</head>
<body data-root="${to('.')}">
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<a class="brand" href="${to('index.html')}">${logoOf(branding)}<span>${branding.name} <span class="faint">webhooks</span></span></a>
<div class="search" hidden>
<label for="search">Search</label>
<input id="search" type="search" placeholder="Search" autocomplete="off" role="combobox" aria-expanded="false" aria-controls="results">
<ul id="results" role="listbox" aria-label="Found" hidden></ul>
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
<main id="content" tabindex="-1">
<h1>${page.title}${page.marks.map(({ text, tone }) => html` <span class="mark ${tone}">${text}</span>`)}</h1>
${body}</main>
${contents.length > 1 && contentsOf(contents)}
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

function logoOf({ logo }: Branding): Html | false {
  return logo !== undefined && html`<img src="${logo}" alt="" height="28">`
}

function entryOf(entry: Entry, page: Page, to: (path: string) => string): Html {
  const current = entry.path === page.path && html` aria-current="page"`
  const mark = entry.mark !== undefined && html` <span class="mark plain">${entry.mark}</span>`
  return html`<li><a href="${to(`${entry.path}.html`)}"${current}>${entry.title}</a>${mark}</li>\n`
}

function contentsOf(contents: readonly { id: string; text: string }[]): Html {
  return html`<nav class="contents" aria-label="On this page">
<p class="section">On this page</p>
<ul>
${contents.map(({ id, text }) => html`<li><a href="#${encodeURIComponent(id)}">${text}</a></li>\n`)}</ul>
</nav>`
}
