/**
 * The browser of the tests: Debian's package `chromium`, driven by playwright-core, which brings none and downloads none.
 * Where it is missing it is installed, if that can be done; else the tests are skipped and say why.
 */
import { access, constants } from 'node:fs/promises'
import { type Host, installDebianPackages } from '@posthorn/event-docs/testing'
import { type Browser, chromium } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/opt/google/chrome/chrome']

type Found = { path: string } | { missing: string }

/** Finds the browser or installs it, and starts it. */
export async function startChromium(host: Host): Promise<{ browser: Browser } | { missing: string }> {
  const found = await findChromium(host)
  return 'missing' in found ? found : { browser: await openBrowser(found) }
}

async function findChromium(host: Host): Promise<Found> {
  const own = host.env['CHROMIUM_PATH']
  const known = await firstOf(own === undefined ? places : [own])
  if (known !== undefined) return { path: known }
  if (own !== undefined) return { missing: `CHROMIUM_PATH is ${own}, and nothing can be run there` }
  const fault = await installDebianPackages(['chromium'], host)
  const path = await firstOf(places)
  if (path !== undefined) return { path }
  return {
    missing: `there is no chromium (${fault ?? 'the package was installed without one'}); install it, or set CHROMIUM_PATH`,
  }
}

async function firstOf(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) return path
  }
  return undefined
}

/** Starts it. A container has no user namespaces for its sandbox; it opens our own pages on loopback only. */
function openBrowser({ path }: { path: string }): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--hide-scrollbars',
      '--force-color-profile=srgb',
    ],
  })
}
