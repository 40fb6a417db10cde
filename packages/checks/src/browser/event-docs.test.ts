import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tell } from '@posthorn/engine/testing'
import type { Site } from '@posthorn/event-docs'
import { manyEventTypes } from '@posthorn/event-docs/testing'
import { HtmlValidate } from 'html-validate'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findChromium, openBrowser } from './chromium.ts'
import { openSampleSite } from './sample-site.ts'
import { screenshots, takeScreenshots } from './screenshots.ts'
import { type Served, serveFiles } from './served-files.ts'

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
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

/** A context whose requests to anywhere else are counted and end. */
async function quietContext(
  open: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ context: BrowserContext; outside: string[] }> {
  const context = await open.newContext(options)
  const outside: string[] = []
  await context.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(served.origin)) return route.continue()
    outside.push(url)
    return route.abort()
  })
  return { context, outside }
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

/** Pages that look alike share their colors: one of each shape of schema, and all that are there once. */
function oneOfEachKind(paths: readonly string[]): string[] {
  const shapes = new Set(manyEventTypes(6).event_types.map(({ event_type }) => event_type.name))
  return paths.filter(
    (path) => !path.startsWith('events/') || [...shapes].some((name) => path.startsWith(`events/${name}`)),
  )
}

test('no page has a fault that axe finds', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const open = browser
  const left = pages()
  const faults: string[] = []
  let checked = 0
  async function work(): Promise<void> {
    const { context: own, outside } = await quietContext(open, { javaScriptEnabled: true })
    const page = await own.newPage()
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      await page.goto(`${served.origin}/${path}`)
      // The colors are the next test: they take most of the time, and are the same on all pages of a kind.
      for (const { id, nodes } of await axe(page, { 'color-contrast': { enabled: false } }))
        faults.push(`${path} ${id} ${nodes.join(' ')}`)
      checked += 1
    }
    expect(outside).toEqual([])
    await own.close()
  }
  await Promise.all([work(), work()])
  expect(faults.slice(0, 20)).toEqual([])
  expect(checked).toBe(pages().length)
  tell(context, `axe found nothing on ${checked} pages`)
}, 900_000)

test('the colors of every kind of page have contrast enough, in light and in dark', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const faults: string[] = []
  const paths = oneOfEachKind(pages())
  for (const colorScheme of ['light', 'dark'] as const) {
    const { context: own } = await quietContext(browser, { colorScheme, reducedMotion: 'reduce' })
    const page = await own.newPage()
    for (const path of paths) {
      await page.goto(`${served.origin}/${path}`)
      for (const { id, nodes } of await axe(page, {})) faults.push(`${path} ${colorScheme} ${id} ${nodes.join(' ')}`)
    }
    await own.close()
  }
  expect(faults.slice(0, 20)).toEqual([])
  tell(context, `the colors of ${paths.length} pages have contrast enough, in light and in dark`)
}, 300_000)

async function axe(
  page: Page,
  rules: Record<string, { enabled: boolean }>,
): Promise<{ id: string; nodes: string[] }[]> {
  // Evaluated by the browser's own tools, which the policy of the page does not bind.
  await page.evaluate(axeSource)
  return page.evaluate(async (given) => {
    const { axe: loaded } = globalThis as unknown as {
      axe: { run(options: unknown): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> }
    }
    const { violations } = await loaded.run({ resultTypes: ['violations'], rules: given })
    return violations.map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3).map(({ target }) => String(target)) }))
  }, rules)
}

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
  expect(await page.locator('.tab').filter({ visible: true }).count()).toBe(1)
  expect(await page.locator('.tab-name').filter({ visible: true }).count()).toBe(0)
  expect(await page.locator('.tab').filter({ visible: true }).locator('code').first().textContent()).toContain('import')
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
  expect(await page.getByRole('main').textContent()).toContain('last4')
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
