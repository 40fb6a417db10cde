/**
 * The SDK in a page of a customer's portal: another origin than the API's, a portal session's token, a real browser with its
 * own rules about what a page may ask for and what it may read.
 */
import { readdir, readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, startServed } from '../sdk/serving.ts'
import { startChromium } from './chromium.ts'
import { type Served as ServedFiles, serveFiles } from './served-files.ts'

const sources = new URL('../../../sdk/src/', import.meta.url)

let served: Served
/** Two origins with the same page, of which the operator has named the first. */
let portal: ServedFiles
let stranger: ServedFiles
let browser: Browser | undefined
let missing = ''

beforeAll(async () => {
  const files = new Map([['index.html', page], ...(await modules())])
  portal = await serveFiles(files)
  stranger = await serveFiles(files)
  served = await startServed({ settings: { POSTHORN_CORS_ORIGINS: portal.origin } })
  await served.posthorn.tenants.put('acme', { name: 'Acme' })
  const started = await startChromium({ uid: process.getuid?.() ?? -1, env: process.env })
  if ('missing' in started) missing = started.missing
  else browser = started.browser
}, 600_000)

afterAll(async () => {
  await browser?.close()
  await portal?.[Symbol.asyncDispose]()
  await stranger?.[Symbol.asyncDispose]()
  await served?.[Symbol.asyncDispose]()
})

const page = async () => ({
  contentType: 'text/html; charset=utf-8',
  body: '<!doctype html><title>Portal</title><script type="module">import * as sdk from "/index.ts"; globalThis.sdk = sdk</script>',
})

/** Everything that the SDK imports, without its types: what a bundler makes of it, file by file. */
async function modules() {
  const files = (await readdir(sources, { recursive: true })).filter((file) => /^(generated\/)?[\w.-]+\.ts$/.test(file))
  return files
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => {
      const make = async () => ({
        contentType: 'text/javascript; charset=utf-8',
        body: stripTypeScriptTypes(await readFile(new URL(file, sources), 'utf8')),
      })
      return [file, make] as const
    })
}

/** A page with `posthorn`, made as its author would, and with the browser's own `fetch` where one is to be given. */
async function openPage(open: Browser, origin: string, apiKey: string): Promise<Page> {
  const opened = await open.newPage()
  await opened.goto(origin)
  await opened.waitForFunction('globalThis.sdk !== undefined')
  await opened.evaluate(
    (given) => {
      const scope = globalThis as unknown as { sdk: typeof import('@posthorn/sdk'); posthorn: unknown }
      scope.posthorn = scope.sdk.createPosthorn({ ...given, fetch: globalThis.fetch, retries: 0 })
    },
    { url: served.origin, apiKey },
  )
  return opened
}

type Scope = { posthorn: import('@posthorn/sdk').Posthorn }

test('a portal of another origin lists, makes, changes and follows with the SDK, and reads why it is refused', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const { posthorn, receiver } = served
  const { token } = await posthorn.portalSessions.create('acme', {
    capabilities: ['subscriptions:read', 'subscriptions:write', 'deliveries:read', 'events:read'],
  })
  const opened = await openPage(browser, portal.origin, token)

  const made = await opened.evaluate(async (url) => {
    const { posthorn } = globalThis as unknown as Scope
    const draft = { url, event_types: ['order.*'] }
    const { id } = await posthorn.subscriptions.create('acme', draft, { reason: 'Küche' })
    const { etag } = await posthorn.request('getSubscription', { path: { id } })
    const patched = await posthorn.subscriptions.patch(id, { description: 'ours' }, etag ? { ifMatch: etag } : {})
    const stale = await posthorn.subscriptions
      .patch(id, { description: 'theirs' }, etag ? { ifMatch: etag } : {})
      .catch((error) => ({ code: error.code, status: error.status, requestId: error.requestId }))
    const listed = await posthorn.subscriptions.list().all(10)
    return { id, etag, description: patched.description, stale, listed: listed.map((one) => one.id) }
  }, `${receiver.origin}/portal`)
  expect(made).toMatchObject({
    etag: expect.stringMatching(/^W?\/?"/),
    description: 'ours',
    stale: { code: 'precondition_failed', status: 412, requestId: expect.stringMatching(/./) },
    listed: [made.id],
  })

  const first = opened.evaluate(async () => {
    const { posthorn } = globalThis as unknown as Scope
    for await (const message of posthorn.deliveries.stream()) return message
    return undefined
  })
  let isTold = false
  const told = first.finally(() => {
    isTold = true
  })
  // The stream begins at some moment, and what was before it is not told.
  const deliveries: (string | undefined)[] = []
  while (!isTold) {
    const event = { tenant: 'acme', type: 'order.made', data: { total: 1 } }
    deliveries.push((await posthorn.events.publish(event)).deliveries[0]?.id)
    await Promise.race([told, served.until(() => receiver.requests.length === deliveries.length)])
  }
  expect(await first).toMatchObject({ event: 'attempt', data: { delivery_id: expect.toBeOneOf(deliveries) } })
  await opened.close()
})

test('a page of an origin that the operator has not named reads nothing', async (context) => {
  if (browser === undefined) return context.skip(missing)
  const opened = await openPage(browser, stranger.origin, served.adminKey)
  const said: string[] = []
  opened.on('console', (message) => said.push(message.text()))
  const refused = await opened.evaluate(() =>
    (globalThis as unknown as Scope).posthorn.tenants
      .list()
      .all(1)
      .catch((error) => error.code),
  )
  expect(refused).toBe('connection_failed')
  expect(said).toContainEqual(expect.stringMatching(/blocked by CORS policy/))
  await opened.close()
})
