/**
 * `pnpm screenshots` takes the pictures of docs/screenshots anew. `pnpm test:pages` has axe look at every page of the
 * sample site, in light and in dark; the exit code is 0 only when it finds nothing and nothing was asked for elsewhere.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import type { Browser } from 'playwright-core'
import { startChromium } from './chromium.ts'
import { lookAtPages } from './looking-at-pages.ts'
import { openSampleSite } from './sample-site.ts'
import { takeScreenshots } from './screenshots.ts'
import { serveFiles } from './served-files.ts'

const folder = new URL('../../../../docs/screenshots/', import.meta.url)

const started = await startChromium({ uid: process.getuid?.() ?? -1, env: process.env })
if ('missing' in started) {
  process.stderr.write(`${started.missing}\n`)
  process.exitCode = 1
} else {
  await using site = openSampleSite()
  await using served = await serveFiles(site.files)
  const { browser } = started
  const pages = [...site.files.keys()].filter((path) => path.endsWith('.html'))
  if (process.argv[2] === 'pages') await look(browser, served.origin, pages)
  else await take(browser, served.origin)
  await browser.close()
}

async function take(browser: Browser, origin: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, picture] of await takeScreenshots(browser, origin))
    await writeFile(new URL(`${name}.png`, folder), picture)
}

async function look(browser: Browser, origin: string, pages: readonly string[]): Promise<void> {
  const { faults, checked, outside } = await lookAtPages(browser, origin, pages)
  for (const fault of [...faults, ...outside]) process.stdout.write(`${fault}\n`)
  process.stdout.write(
    `${checked} pages in light and in dark, ${faults.length} faults, ${outside.length} requests elsewhere\n`,
  )
  process.exitCode = faults.length + outside.length > 0 ? 1 : 0
}
