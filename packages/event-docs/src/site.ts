/**
 * The whole documentation as files, each made when it is asked for: a command writes all of them into a folder, and the
 * API answers with one at a time.
 */
import { readFileSync } from 'node:fs'
import { once } from '@posthorn/json-schema'
import type { Artifact, Artifacts, MakeArtifact } from './artifact.ts'
import { type CodeMaker, createCodeMaker } from './artifacts/code/code-maker.ts'
import { machineReadable } from './artifacts/machine-readable.ts'
import type { Documentation } from './documentation.ts'
import { latestVersion } from './documentation.ts'
import { catalogues, type GuidePath, guides } from './guides.ts'
import { lastOf } from './last-of.ts'
import { contrastMin, contrastOn, darkPages, lightened, lightPages } from './page/accent.ts'
import type { Page } from './page/blocks.ts'
import { type Entry, layoutOf, type Section } from './page/layout.ts'
import { markdownOf } from './page/markdown.ts'
import { sectionsOf } from './page/sections.ts'
import { changelogPage } from './pages/changelog.ts'
import { deliveryPage } from './pages/delivery.ts'
import { errorsPage } from './pages/errors.ts'
import { eventPage, eventPagePath } from './pages/event.ts'
import { eventsPage, firstLineOf, groupsOf } from './pages/events.ts'
import { overviewPage } from './pages/overview.ts'
import { productionPage } from './pages/production.ts'
import { quickstartPage } from './pages/quickstart.ts'
import { receiverCheckPage } from './pages/receiver-check.ts'
import { requestsPage } from './pages/requests.ts'
import { respondingPage } from './pages/responding.ts'
import { testingPage } from './pages/testing.ts'
import { verifyPage } from './pages/verify.ts'

/** A page is asked for as HTML and then as its twin; all pages of a large catalogue at once are gigabytes. */
const pagesKept = 8
/** With more event types than this, a page lists those of its own group alone. */
const listedEverywhereMax = 40

const assets = new URL('../assets/', import.meta.url)
const assetTypes = { 'style.css': 'text/css; charset=utf-8', 'enhance.js': 'text/javascript; charset=utf-8' }

const guideMakers: Readonly<Record<GuidePath, (documentation: Documentation) => Page>> = {
  index: overviewPage,
  quickstart: quickstartPage,
  requests: requestsPage,
  verify: verifyPage,
  responding: respondingPage,
  delivery: deliveryPage,
  testing: testingPage,
  'receiver-check': receiverCheckPage,
  production: productionPage,
  errors: errorsPage,
  events: eventsPage,
  changelog: changelogPage,
}

export type Site = AsyncDisposable & {
  /** All of them. Makes the examples, because files are called after them. */
  readonly files: Artifacts
  /** One of them, for which nothing is made but what is in it. */
  find(path: string): MakeArtifact | undefined
  /** What could not be shown or made as it should be, a line each. Makes what was not made yet. */
  warnings(): Promise<readonly string[]>
}

/** Opens the site. Its files can be made until it is disposed of, and the threads that make code with it. */
export function openSite(documentation: Documentation, maker: CodeMaker = createCodeMaker()): Site {
  const machine = machineReadable(documentation, maker)
  const own = new Map<string, MakeArtifact>()
  const groups = groupsOf(documentation.source)
  const all = documentation.source.event_types.length <= listedEverywhereMax

  function sectionsFor(eventType?: string): Section[] {
    const shown = groups.filter(
      ({ eventTypes }) => all || eventTypes.some(({ event_type }) => event_type.name === eventType),
    )
    return [
      { title: 'Guides', entries: guides },
      { title: 'Event types', entries: catalogues },
      ...shown.map((group) => ({ title: group.title, entries: group.eventTypes.map(entryOf) })),
    ]
  }

  /** @param page as it is made for its HTML, its twin and the search alike */
  function add(path: string, page: () => Page, eventType?: string): void {
    const at = guides.findIndex((guide) => guide.path === path)
    const turn = at < 0 ? {} : { before: guides[at - 1], after: guides[at + 1] }
    own.set(`${path}.html`, () => ({
      contentType: 'text/html; charset=utf-8',
      body: layoutOf(page(), { branding: documentation.branding, sections: sectionsFor(eventType), ...turn }),
    }))
    own.set(`${path}.md`, () => ({ contentType: 'text/markdown; charset=utf-8', body: markdownOf(page()) }))
  }

  const guidePages = [...guides, ...catalogues].map(({ path, title }) => ({
    path,
    title,
    page: once(() => guideMakers[path](documentation)),
  }))
  for (const { path, page } of guidePages) add(path, page)
  const kept = lastOf<Page>(pagesKept)
  for (const eventType of documentation.source.event_types) {
    const { name } = eventType.event_type
    const addPage = (version?: number) => {
      const path = eventPagePath(name, version)
      add(path, () => kept(path, () => eventPage(documentation, eventType, version)), name)
    }
    addPage()
    for (const { version } of eventType.versions.slice(0, -1)) addPage(version)
  }
  for (const [name, contentType] of Object.entries(assetTypes))
    own.set(`assets/${name}`, () => ({ contentType, body: readFileSync(new URL(name, assets), 'utf8') }))
  own.set('assets/brand.css', () => brandCss(documentation))
  own.set('search.js', () => searchIndex(documentation, guidePages))
  const files = once(() => new Map([...own, ...machine.artifacts]))
  return {
    get files() {
      return files()
    },
    find: (path) => own.get(path) ?? machine.find(path),
    async warnings() {
      const machines = await machine.warnings()
      return [
        ...brandingWarnings(documentation),
        ...pageWarnings(documentation),
        ...machines.map(({ eventType, artifact, detail }) => `${eventType}: ${artifact}: ${detail}`),
      ]
    },
    [Symbol.asyncDispose]: () => maker.end(),
  }
}

function pageWarnings(documentation: Documentation): string[] {
  return documentation.source.event_types.flatMap(({ event_type: { name }, versions }) =>
    versions.flatMap(({ version }) => {
      const { warnings } = documentation.examplesOf(name, version)
      return [...documentation.outlineOf(name, version).warnings, ...warnings].map(
        (warning) => `${name} version ${version}: ${warning}`,
      )
    }),
  )
}

function entryOf({ event_type: { name, status } }: Documentation['source']['event_types'][number]): Entry {
  return { path: eventPagePath(name), title: name, ...(status === 'archived' ? { mark: 'archived' } : {}) }
}

/** The accent of the operator in place of ours. The form of a color is checked where it comes in. */
function brandCss({ branding }: Documentation): Artifact {
  const light = branding.color === undefined ? '' : `:root {\n  --accent: ${branding.color};\n}\n`
  const dark = branding.color_dark ?? (branding.color === undefined ? undefined : lightened(branding.color))
  const inTheDark =
    dark === undefined
      ? ''
      : `@media screen and (prefers-color-scheme: dark) {\n  :root {\n    --accent: ${dark};\n  }\n}\n`
  return {
    contentType: 'text/css; charset=utf-8',
    body: `/* The colors of ${JSON.stringify(branding.name).replaceAll('*/', '')}. */\n${light}${inTheDark}`,
  }
}

/** What was chosen is kept; whoever chose it should know. */
function brandingWarnings({ branding }: Documentation): string[] {
  const judged = [
    ['color', branding.color, contrastOn.bind(undefined, lightPages), 'a light page'],
    ['color_dark', branding.color_dark, contrastOn.bind(undefined, darkPages), 'a dark page'],
  ] as const
  return judged.flatMap(([name, color, on, page]) => {
    if (color === undefined || on(color) >= contrastMin) return []
    return [
      `branding: ${name} ${color} is hard to read on ${page}: its contrast is ${on(color).toFixed(1)}, and links need ${contrastMin}`,
    ]
  })
}

/** What enhance.js searches in. */
type SearchEntry = {
  /** Below the root, with a place where it is one. */
  readonly path: string
  readonly title: string
  /** What stands below the title. */
  readonly below: string
  /** Words that lead here and are not shown. */
  readonly text?: string
  /** Paths of fields, which are places on the page. */
  readonly fields?: readonly string[]
}

/** Pages, their sections and event types. As a script, because a page that was opened from a folder can load no JSON. */
function searchIndex(
  documentation: Documentation,
  guidePages: readonly { path: string; title: string; page(): Page }[],
): Artifact {
  const entries: SearchEntry[] = [
    ...guidePages.flatMap(({ path, title, page }) => [
      { path: `${path}.html`, title, below: page().summary },
      // The lists of event types are found by what they list.
      ...(catalogues.some((one) => one.path === path) ? [] : sectionEntries(page(), title)),
    ]),
    ...documentation.source.event_types.map((eventType) => ({
      path: `${eventPagePath(eventType.event_type.name)}.html`,
      title: eventType.event_type.name,
      below: firstLineOf(eventType.event_type.description),
      text: eventType.event_type.group ?? '',
      fields: documentation.outlineOf(eventType.event_type.name, latestVersion(eventType)?.version ?? 0).paths,
    })),
  ]
  return {
    contentType: 'text/javascript; charset=utf-8',
    body: `globalThis.searchEntries = ${JSON.stringify(entries)}\n`,
  }
}

/** One for each heading that can be linked to. */
function sectionEntries(page: Page, title: string): SearchEntry[] {
  return sectionsOf(page.blocks).map(({ id, heading, words }) => ({
    path: `${page.path}.html#${id}`,
    title: heading,
    below: title,
    text: words,
  }))
}
