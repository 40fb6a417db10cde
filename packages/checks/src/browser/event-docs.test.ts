import { readdir, readFile } from 'node:fs/promises'
import { tell } from '@posthorn/engine/testing'
import type { Site } from '@posthorn/event-docs'
import { manyEventTypes } from '@posthorn/event-docs/testing'
import { HtmlValidate } from 'html-validate'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findChromium, openBrowser } from './chromium.ts'
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
  const found = await findChromium({ uid: process.getuid?.() ?? -1, env: process.env })
  if ('missing' in found) missing = found.missing
  else browser = await openBrowser(found)
}, 600_000)

afterAll(async () => {
  await browser?.close()
  await served?.[Symbol.asyncDispose]()
  await site?.[Symbol.asyncDispose]()
})

const pages = () => [...site.files.keys()].filter((path) => path.endsWith('.html'))

function quietContext(open: Browser, options?: ContextOptions) {
  return openQuietContext(open, served.origin, options)
}

test('every page is valid HTML', async (context) => {
  const validator = new HtmlValidate({
    extends: ['html-validate:standard', 'html-validate:document'],
    rules: {
      // Ids of fields have the signs of paths; encoded in addresses, they are found.
      'valid-id': 'off',
      'long-title': 'off',
      'no-trailing-whitespace': 'off',
      // The `{` and `"` of code stand as they are.
      'no-raw-characters': ['error', { relaxed: true }],
      'no-inline-style': 'error',
      'require-sri': 'off',
    },
  })
  const faults: string[] = []
  for (const path of pages()) {
    const made = await site.files.get(path)?.()
    const report = await validator.validateString(String(made?.body), path)
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
