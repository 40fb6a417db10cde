/** What axe finds wrong with pages for people who do not see, hear or move as others do. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'

export type ContextOptions = NonNullable<Parameters<Browser['newContext']>[0]>

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A context whose requests to anywhere but the origin are noted, and go nowhere. */
export async function openQuietContext(
  browser: Browser,
  origin: string,
  options: ContextOptions = {},
): Promise<{ context: BrowserContext; outside: string[] }> {
  const context = await browser.newContext(options)
  const outside: string[] = []
  await context.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(origin)) return route.continue()
    outside.push(url)
    return route.abort()
  })
  return { context, outside }
}

export type Looked = {
  /** `path scheme rule places`. */
  faults: string[]
  checked: number
  /** Addresses that pages asked for elsewhere. */
  outside: string[]
}

/** Looks at each page in light and in dark, two at a time. */
export async function lookAtPages(browser: Browser, origin: string, paths: readonly string[]): Promise<Looked> {
  const left = [...paths]
  const looked: Looked = { faults: [], checked: 0, outside: [] }
  async function work(): Promise<void> {
    const { context, outside } = await openQuietContext(browser, origin, { reducedMotion: 'reduce' })
    const page = await context.newPage()
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      await page.goto(`${origin}/${path}`)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        for (const { id, places } of await axe(page)) looked.faults.push([path, colorScheme, id, ...places].join(' '))
      }
      looked.checked += 1
    }
    looked.outside.push(...outside)
    await context.close()
  }
  await Promise.all([work(), work()])
  return looked
}

async function axe(page: Page): Promise<{ id: string; places: string[] }[]> {
  // Evaluated by the browser's own tools, which the policy of the page does not bind.
  await page.evaluate(axeSource)
  return page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as {
      axe: {
        configure(options: unknown): void
        run(options: unknown): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }>
      }
    }
    // We tell places; the HTML of every element that is looked at would be a quarter of the time.
    loaded.configure({ noHtml: true })
    const { violations } = await loaded.run({ resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => ({ id, places: nodes.slice(0, 3).map(({ target }) => String(target)) }))
  })
}
