import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, startTestApi, type TestApi, world } from './testing/api.ts'

const schema = {
  type: 'object',
  required: ['invoice_id'],
  properties: { invoice_id: { type: 'string', description: '<img src=x onerror=alert(1)> identifies it' } },
}

function page(api: TestApi, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return api.ask('GET', `/event-docs/${path}`, undefined, { as: null, headers })
}

async function describeInvoices(api: TestApi): Promise<void> {
  await api.ask('PUT', '/v1/event-types/invoice.paid', {
    description: 'Sent when an invoice is paid.',
    group: 'Invoices',
  })
  await api.ask('POST', '/v1/event-types/invoice.paid/versions', { schema, examples: [{ invoice_id: 'inv_42' }] })
}

let api: TestApi
let now = Date.now()
beforeAll(async () => {
  api = await startTestApi({ world: { ...world, now: () => now } })
})
afterAll(() => api[Symbol.asyncDispose]())

test('the event types are documented for everybody, from what is in the database now', async () => {
  const before = await page(api, 'events.html')
  expect([before.status, before.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  expect(before.text).not.toContain('Sent when an invoice is paid.')
  await describeInvoices(api)
  now += 2_000
  expect((await page(api, 'events.html')).text).toContain('Sent when an invoice is paid.')
  const { text } = await page(api, 'events/invoice.paid.html')
  expect(text).toContain('inv_42')
  expect(text).toContain('&lt;img src=x onerror=alert(1)&gt; identifies it')
  expect(text).not.toContain('<img src=x')
  expect(JSON.parse((await page(api, 'schemas/invoice.paid/1.json')).text)).toMatchObject({ required: ['invoice_id'] })
})

test('a browser and a cache are told what they may do with a page, and an unchanged one is not sent again', async () => {
  const { headers } = await page(api, 'events/invoice.paid.html')
  expect(headers).toMatchObject({
    'cache-control': 'public, max-age=60',
    'content-security-policy': "frame-ancestors 'self'",
    'x-content-type-options': 'nosniff',
    etag: expect.stringMatching(/^"[\w-]{27}"$/),
  })
  const again = await page(api, 'events/invoice.paid.html', { 'if-none-match': String(headers['etag']) })
  expect([again.status, again.text]).toEqual([304, ''])
  const version = await page(api, 'schemas/invoice.paid/1.json')
  expect(version.headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'access-control-allow-origin': '*',
    'content-type': expect.stringContaining('application/schema+json'),
  })
})

test("Posthorn's own event types are not for customers and not documented", async () => {
  expect((await api.ask('GET', '/v1/event-types')).text).toContain('invoice.paid')
  expect((await page(api, 'events.html')).text).not.toContain('posthorn.subscription')
})

test.each([
  '',
  'nothing.html',
  '../../etc/passwd',
  '%2e%2e/%2e%2e/package.json',
  'events/__proto__.html',
  'constructor',
])('there is no page at /event-docs/%s but the way to the first one', async (path) => {
  const { status, headers, body } = await page(api, path)
  if (path === '') expect([status, headers['location']]).toEqual([302, '/event-docs/index.html'])
  else expect([status, body.code]).toEqual([404, 'route_not_found'])
})

test('an operator who does not want it turns it off, and nothing leads there', async () => {
  await using api = await startTestApi({ settings: { POSTHORN_EVENT_DOCS: false } })
  expect((await page(api, 'index.html')).status).toBe(404)
  expect((await api.ask('GET', '/v1/meta', undefined, { as: null })).body.event_docs_url).toBeNull()
})

test('it has the name and the colors of the operator, and its whole address where that is known', async () => {
  const settings = {
    POSTHORN_PUBLIC_URL: 'https://hooks.acme.example',
    POSTHORN_EVENT_DOCS_BRANDING: { name: 'Acme <&>', color: '#0f766e' },
  }
  await using api = await startTestApi({ settings })
  await describeInvoices(api)
  expect((await page(api, 'index.html')).text).toContain('<title>Acme &lt;&amp;&gt; webhooks')
  expect((await page(api, 'assets/brand.css')).text).toContain('--accent: #0f766e')
  expect(JSON.parse((await page(api, 'schemas/invoice.paid/1.json')).text).$id).toBe(
    'https://hooks.acme.example/event-docs/schemas/invoice.paid/1.json',
  )
  const { body } = await api.ask('GET', '/v1/meta', undefined, { as: null })
  expect(body.event_docs_url).toBe('https://hooks.acme.example/event-docs')
})

test('a cache may ask with HEAD, and whether what it has is still the same', async () => {
  const whole = await page(api, 'events.html')
  const etag = String(whole.headers['etag'])
  const head = await api.ask('HEAD', '/event-docs/events.html', undefined, { as: null })
  expect([head.status, head.text, head.headers['etag'], head.headers['content-length']]).toEqual([
    200,
    '',
    etag,
    `${Buffer.byteLength(whole.text)}`,
  ])
  const same = await page(api, 'events.html', { 'if-none-match': `"another", W/${etag}` })
  expect([same.status, same.text, same.headers['etag'], same.headers['cache-control']]).toEqual([
    304,
    '',
    etag,
    'public, max-age=60',
  ])
})

test.each([
  ['with a NUL', 'events%00.html'],
  ['with an empty folder', '/events.html'],
  ['with a slash at the end', 'events.html/'],
  ['in other letters', 'EVENTS.html'],
  ['with slashes that are escaped', 'events%2F..%2Findex.html'],
  ['that is no UTF-8', 'events/%c3%28.html'],
  ['of examples of what every object has', 'examples/__proto__/a.json'],
  ['that is longer than any', `events/${'a'.repeat(4_000)}.html`],
])('there is no page at an address %s', async (_what, path) => {
  const { status, body } = await page(api, path)
  expect([404, 400]).toContain(status)
  expect(['route_not_found', 'malformed_request', 'invalid_request']).toContain(body.code)
})

test('the longest name that an event type may have has a page', async () => {
  const name = 'a'.repeat(128)
  await api.ask('PUT', `/v1/event-types/${name}`, {})
  now += 2_000
  expect((await page(api, `events/${name}.html`)).status).toBe(200)
})
