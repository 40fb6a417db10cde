/** Pictures of the sample site for docs/screenshots, light and dark, on a desk and on a phone. */
import type { Browser } from 'playwright-core'

export const screenshots = [
  { name: 'overview-light', path: 'index.html', scheme: 'light', width: 1280, height: 800 },
  { name: 'overview-dark', path: 'index.html', scheme: 'dark', width: 1280, height: 800 },
  { name: 'event-light', path: 'events/order.shipped.html', scheme: 'light', width: 1280, height: 1000 },
  { name: 'event-dark', path: 'events/order.shipped.html', scheme: 'dark', width: 1280, height: 1000 },
  { name: 'verify-light', path: 'verify.html', scheme: 'light', width: 1280, height: 1000 },
  { name: 'verify-dark', path: 'verify.html', scheme: 'dark', width: 1280, height: 1000 },
  { name: 'event-phone', path: 'events/order.shipped.html', scheme: 'light', width: 390, height: 844 },
] as const

/** PNGs by their names. */
export async function takeScreenshots(browser: Browser, origin: string): Promise<Map<string, Buffer>> {
  const pictures = new Map<string, Buffer>()
  for (const { name, path, scheme, width, height } of screenshots) {
    const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height }, reducedMotion: 'reduce' })
    await page.goto(`${origin}/${path}`)
    pictures.set(name, await page.screenshot({ type: 'png' }))
    await page.close()
  }
  return pictures
}
