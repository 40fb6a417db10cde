/** `pnpm screenshots`: takes the pictures of docs/screenshots anew. */
import { mkdir, writeFile } from 'node:fs/promises'
import { findChromium, openBrowser } from './chromium.ts'
import { openSampleSite } from './sample-site.ts'
import { takeScreenshots } from './screenshots.ts'
import { serveFiles } from './served-files.ts'

const folder = new URL('../../../../docs/screenshots/', import.meta.url)

const found = await findChromium({ uid: process.getuid?.() ?? -1, env: process.env })
if ('missing' in found) {
  process.stderr.write(`${found.missing}\n`)
  process.exitCode = 1
} else {
  await using site = openSampleSite()
  await using served = await serveFiles(site.files)
  const browser = await openBrowser(found)
  await mkdir(folder, { recursive: true })
  for (const [name, picture] of await takeScreenshots(browser, served.origin))
    await writeFile(new URL(`${name}.png`, folder), picture)
  await browser.close()
}
