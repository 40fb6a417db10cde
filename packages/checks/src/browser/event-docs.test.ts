import { readdir, readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { tell } from '@posthorn/engine/testing'
import type { Site } from '@posthorn/event-docs'
import { manyEventTypes } from '@posthorn/event-docs/testing'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChromium } from './chromium.ts'
import { createHtmlValidator } from './html-rules.ts'
import { type ContextOptions, lookAtPages, openQuietContext } from './looking-at-pages.ts'
import { openSampleSite } from './sample-site.ts'
import { screenshots, takeScreenshots } from './screenshots.ts'
import { type Served, serveFiles } from './served-files.ts'

const screenshotFolder = new URL('../../../../docs/screenshots/', import.meta.url)

let site: Site
let served: Served
let browser: Browser | undefined
let missing = ''

beforeAll(async () => {
  site = openSampleSite()
  served = await serveFiles(site.files)
  const started = await startChromium({ uid: process.getuid?.() ?? -1, env: process.env })
  if ('missing' in started) missing = started.missing
  else browser = started.browser
}, 600_000)

afterAll(async () => {
  await browser?.close()
  await served?.[Symbol.asyncDispose]()
  await site?.[Symbol.asyncDispose]()
})

const pages = () => [...site.files.keys()].filter((path) => path.endsWith('.html'))

async function textOf(path: string): Promise<string> {
  const made = await site.files.get(path)?.()
  return String(made?.body ?? expect.fail(`there is no ${path}`))
}

/** Where the addresses in a page of ours lead, as they stand there. */
function linksIn(html: string): string[] {
  return [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address = '']) => address.replaceAll('&amp;', '&'))
}

function idsIn(html: string): string[] {
  return [...html.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) =>
    id.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  )
}

function quietContext(open: Browser, options?: ContextOptions) {
  return openQuietContext(open, served.origin, options)
}

test('no link of 200 event types is broken: every file is there, and every place on it', {
  timeout: 120_000,
}, async () => {
  expect(pages().length).toBe(612)
  const ids = new Map<string, Set<string>>()
  const texts = new Map<string, string>()
  for (const path of pages()) {
    const html = await textOf(path)
    texts.set(path, html)
    const found = idsIn(html)
    expect([path, found.length]).toEqual([path, new Set(found).size])
    ids.set(path, new Set(found))
  }
  const broken: string[] = []
  let internal = 0
  for (const [path, html] of texts) {
    for (const address of linksIn(html)) {
      if (/^(https:|mailto:|data:)/.test(address)) continue
      const [to = '', fragment] = address.split('#', 2)
      const target = to === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(to))
      internal += 1
      if (!site.files.has(target)) broken.push(`${path}: ${address}`)
      else if (fragment !== undefined && !ids.get(target)?.has(decodeURIComponent(fragment)))
        broken.push(`${path}: ${address}`)
    }
  }
  expect(broken.slice(0, 20)).toEqual([])
  expect(internal).toBeGreaterThan(10_000)
})

test('every page is valid HTML', async (context) => {
  const validator = createHtmlValidator()
  const faults: string[] = []
  for (const path of pages()) {
    const report = await validator.validateString(await textOf(path), path)
    for (const { messages } of report.results)
      for (const { ruleId, message, line } of messages) faults.push(`${path}:${line} ${ruleId} ${message}`)
  }
  expect(faults.slice(0, 20)).toEqual([])
  tell(context, `${pages().length} pages are valid HTML`)
}, 300_000)

/**
 * Pages that look alike are made by the same lines: one of each shape of schema, and all that are there once. `pnpm
 * test:pages` looks at all of them.
 */
function oneOfEachKind(paths: readonly string[]): string[] {
  const shapes = manyEventTypes(6).event_types.map(({ event_type }) => `events/${event_type.name}.html`)
  return paths.filter(
    (path) => !path.startsWith('events/') || shapes.includes(path) || path.endsWith('created/v1.html'),
  )
}

test('axe finds no fault in any kind of page, in light and in dark', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const { faults, checked, outside } = await lookAtPages(browser, served.origin, oneOfEachKind(pages()))
  expect(faults.slice(0, 20)).toEqual([])
  expect(outside).toEqual([])
  tell(context, `axe found nothing on ${checked} pages, in light and in dark`)
}, 300_000)

test('without JavaScript every page shows all that it has to say', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const { context: own, outside } = await quietContext(browser, { javaScriptEnabled: false })
  const page = await own.newPage()
  await page.goto(`${served.origin}/quickstart.html`)
  const tabs = page.locator('.tab')
  expect(await tabs.count()).toBeGreaterThan(5)
  for (const tab of await tabs.all()) expect(await tab.isVisible()).toBe(true)
  expect(await page.locator('.search').isVisible()).toBe(false)
  await page.getByRole('link', { name: 'All event types' }).click()
  await page.getByRole('main').getByRole('link', { name: 'invoice.paid', exact: true }).click()
  expect(await page.title()).toBe('invoice.paid · Acme webhooks')
  expect(outside).toEqual([])
  await own.close()
})

test('a tab is chosen by mouse and by keyboard, and the choice holds on the next page', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const { context: own } = await quietContext(browser)
  const page = await own.newPage()
  await page.goto(`${served.origin}/quickstart.html`)
  const first = page.getByRole('tab').first()
  await page.getByRole('tab', { name: 'Python' }).click()
  const shown = page.locator('main > .tabs > .tab').filter({ visible: true })
  expect(await shown.count()).toBe(1)
  expect(await page.locator('.tab-name').filter({ visible: true }).count()).toBe(0)
  expect(await shown.locator('.tab').filter({ visible: true }).count()).toBe(1)
  expect(await shown.locator('code').filter({ hasText: 'import', visible: true }).count()).toBe(1)
  await page.goto(`${served.origin}/verify.html`)
  expect(await page.getByRole('tab', { name: 'Python' }).getAttribute('aria-selected')).toBe('true')
  await page.getByRole('tab', { name: 'Python' }).press('ArrowLeft')
  expect(await first.getAttribute('aria-selected')).toBe('true')
  await own.close()
})

test('search finds an event type by its name and by the name of a field', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const { context: own, outside } = await quietContext(browser)
  const page = await own.newPage()
  await page.goto(`${served.origin}/events/order.paid.html`)
  await page.keyboard.press('/')
  await page.keyboard.type('invoice paid')
  await page.getByRole('option').first().waitFor()
  expect(await page.getByRole('option').first().textContent()).toContain('invoice.paid')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/events/invoice.paid.html')
  await page.getByRole('combobox', { name: 'Search' }).fill('last4')
  await page.getByRole('option').first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.pathname.startsWith('/events/') && !url.pathname.endsWith('invoice.paid.html'))
  expect(await page.locator('tr:target').textContent()).toContain('last4')
  const search = page.getByRole('combobox', { name: 'Search' })
  await search.fill('retry-after')
  await page.getByRole('option', { name: 'What your response does' }).waitFor()
  await search.fill('zebra')
  expect(await page.locator('.found').textContent()).toContain('Nothing found for “zebra”')
  await page.getByRole('heading', { level: 1 }).click()
  expect(await page.locator('.found').isVisible()).toBe(false)
  expect(outside).toEqual([])
  await own.close()
})

test('on a phone nothing is wider than the screen', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const { context: own } = await quietContext(browser, { viewport: { width: 360, height: 740 } })
  const page = await own.newPage()
  for (const path of [
    'index.html',
    'events.html',
    'events/order.shipped.html',
    'quickstart.html',
    'requests.html',
    'verify.html',
    'delivery.html',
    'changelog.html',
    'errors.html',
  ]) {
    await page.goto(`${served.origin}/${path}`)
    const width = await page
      .locator('html')
      .evaluate((html) => (html as unknown as { scrollWidth: number }).scrollWidth)
    expect([path, width]).toEqual([path, 360])
  }
  await own.close()
})

test('printed, a page has its text and nothing that only leads elsewhere', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const { context: own } = await quietContext(browser)
  const page = await own.newPage()
  await page.goto(`${served.origin}/quickstart.html`)
  await page.emulateMedia({ media: 'print' })
  expect(await page.locator('nav.pages').isVisible()).toBe(false)
  expect(await page.locator('.top').isVisible()).toBe(false)
  for (const tab of await page.locator('.tab').all()) expect(await tab.isVisible()).toBe(true)
  await own.close()
})

test('the pictures in docs/screenshots are those that this makes', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const pictures = await takeScreenshots(browser, served.origin)
  for (const { name, width, height } of screenshots) {
    const made = pictures.get(name)
    const kept = await readFile(new URL(`${name}.png`, screenshotFolder))
    // Fonts differ from machine to machine, so the pixels may; the size of the picture does not (PNG, IHDR).
    for (const png of [made, kept]) expect([png?.readUInt32BE(16), png?.readUInt32BE(20)]).toEqual([width, height])
  }
  expect((await readdir(screenshotFolder)).sort()).toEqual(screenshots.map(({ name }) => `${name}.png`).sort())
})
