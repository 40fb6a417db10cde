import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { createDocumentation } from './documentation.ts'
import { openSite, type Site } from './site.ts'
import type { DocumentedEventType } from './source.ts'
import { sourceFormat } from './source.ts'
import { documented, exampleMeta, manyEventTypes } from './testing/index.ts'

function siteOf(eventTypes: readonly DocumentedEventType[]): Site {
  return openSite(
    createDocumentation({
      source: { format: sourceFormat, meta: exampleMeta, event_types: [...eventTypes] },
      branding: { name: 'Acme' },
      baseUrl: 'https://docs.acme.example/webhooks',
    }),
  )
}

async function textOf(site: Site, path: string): Promise<string> {
  const made = await site.files.get(path)?.()
  return String(made?.body ?? expect.fail(`there is no ${path}`))
}

function idsIn(html: string): string[] {
  return [...html.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) =>
    id.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  )
}

test('every page has a Markdown twin, and its links lead to twins and files that are there', async () => {
  await using site = siteOf(manyEventTypes(12).event_types)
  const pages = [...site.files.keys()].filter((path) => path.endsWith('.html'))
  for (const page of pages) {
    const twin = page.replace(/\.html$/, '.md')
    const markdown = await textOf(site, twin)
    expect(markdown).toMatch(/^# /)
    for (const [, address = ''] of markdown.matchAll(/\]\(([^)<\s]+)\)/g)) {
      const target = posix.join(posix.dirname(twin), decodeURIComponent(address.split('#', 1)[0] ?? ''))
      expect([page, address, site.files.has(target)]).toEqual([page, address, true])
    }
  }
})

test('llms.txt names every guide and every event type as Markdown, and files that are there', async () => {
  await using site = siteOf(manyEventTypes(12).event_types)
  const text = await textOf(site, 'llms.txt')
  const paths = [...text.matchAll(/\]\(https:\/\/docs\.acme\.example\/webhooks\/([^)]+)\)/g)].map(
    ([, path = '']) => path,
  )
  for (const path of paths) expect([path, site.files.has(path)]).toEqual([path, true])
  const twins = [...site.files.keys()].filter((path) => /^(events\/)?[^/]+\.md$/.test(path))
  expect(paths).toEqual(expect.arrayContaining(twins))
})

test('a file is the same whenever and in whatever order it is made', async () => {
  await using one = siteOf(manyEventTypes(6).event_types)
  await using other = siteOf(manyEventTypes(6).event_types)
  const paths = [...one.files.keys()]
  const backwards = new Map<string, unknown>()
  for (const path of paths.toReversed()) backwards.set(path, (await other.files.get(path)?.())?.body)
  for (const path of paths) expect([path, (await one.files.get(path)?.())?.body]).toEqual([path, backwards.get(path)])
})

test('an author who writes HTML and scripts sees them as text, on every page and in every twin', async () => {
  const hostile = '</script><script>alert(1)</script><img src=x onerror=alert(1)>"\'`$`'
  const schema = {
    title: hostile,
    type: 'object',
    required: [hostile],
    properties: {
      [hostile]: { type: 'string', description: hostile, examples: [hostile], enum: [hostile, 'b'] },
      other: {
        oneOf: [
          { title: hostile, const: hostile },
          { type: 'object', description: hostile },
        ],
      },
    },
  }
  const known = { name: 'order.paid', description: hostile, group: hostile }
  await using site = siteOf([documented(known, [schema, { ...schema, required: [] }])])
  for (const [path, make] of site.files) {
    const { body, contentType } = await make()
    if (!/html|xml/.test(contentType)) continue
    expect([path, String(body).match(/<img|<script>|onerror=alert\(1\)>/)]).toEqual([path, null])
  }
  expect(await textOf(site, 'events/order.paid.html')).toContain('&lt;img src=x onerror=alert(1)&gt;')
})

test('a schema that is no table is shown as source with a warning on that page, and the build says so', async () => {
  const properties = Object.fromEntries(
    Array.from({ length: 2_500 }, (_, index) => [`field_${index}`, { type: 'string' }]),
  )
  await using site = siteOf([documented({ name: 'order.paid' }, [{ type: 'object', properties }])])
  const html = await textOf(site, 'events/order.paid.html')
  expect(html).toContain('Not all of the schema can be shown as a table')
  expect(html).toContain('&quot;field_2499&quot;')
  expect((await site.warnings()).join('\n')).toContain('order.paid version 1')
})

test('what would fill a page is folded: many changes of one kind, and versions of long ago', async () => {
  const letters = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at))
  const versions = Array.from({ length: 8 }, (_, at) => ({
    type: 'object',
    properties: { grade: { enum: letters.slice(0, at === 7 ? 26 : at + 1) } },
  }))
  await using site = siteOf([documented({ name: 'order.paid' }, versions)])
  const twin = await textOf(site, 'events/order.paid.md')
  const places = [
    'Version 8',
    '16 more changes of this kind at data.grade',
    'Version 4',
    '3 older versions',
    'Version 3',
  ]
  expect(places.map((words) => twin.indexOf(words))).toEqual(
    places.map((words) => twin.indexOf(words)).toSorted((one, other) => one - other),
  )
  expect(places.filter((words) => !twin.includes(words))).toEqual([])
})

test('an event type without a schema, and one that is archived, have pages that say so', async () => {
  const archived = documented({ name: 'order.lost', status: 'archived' }, [{ type: 'object' }])
  await using site = siteOf([documented({ name: 'order.paid' }, []), archived])
  expect(await textOf(site, 'events/order.paid.html')).toContain('This event type has no schema yet')
  expect(await textOf(site, 'events/order.lost.html')).toContain('This event type is archived')
  expect(await textOf(site, 'events.html')).toContain('archived')
})

test('a search finds sections of guides and fields of event types, each at a place that there is', async () => {
  await using site = siteOf(manyEventTypes(6).event_types)
  const script = await textOf(site, 'search.js')
  const entries: { path: string; title: string; text?: string; fields?: string[] }[] = JSON.parse(
    script.slice(script.indexOf('['), script.lastIndexOf(']') + 1),
  )
  for (const { path } of entries) {
    const [page = '', fragment] = path.split('#', 2)
    if (fragment !== undefined) expect([path, idsIn(await textOf(site, page)).includes(fragment)]).toEqual([path, true])
  }
  const leading = (word: string) =>
    entries.filter(({ text }) => text?.split(' ').includes(word)).map(({ path }) => path)
  expect(leading('idempotent')).toEqual(['responding.html#process-each-event-once'])
  expect(leading('410')).toContain('delivery.html#what-your-response-does')
  const order = entries.find(({ title }) => title === 'order.paid')
  expect(order?.fields).toContain('data.lines[].sku')
  expect(idsIn(await textOf(site, 'events/order.paid.html'))).toContain('data.lines[].sku')
})

test('a color that cannot be read is reported, and one that is too dark for the dark is made lighter there', async () => {
  await using site = openSite(
    createDocumentation({
      source: { format: sourceFormat, meta: exampleMeta, event_types: [] },
      branding: { name: 'Acme', color: '#ffe100' },
      baseUrl: '',
    }),
  )
  expect(await site.warnings()).toEqual([
    'branding: color #ffe100 is hard to read on a light page: its contrast is 1.2, and links need 4.5',
  ])
  const { branding, ...rest } = { branding: { name: 'Acme', color: '#0f766e' }, baseUrl: '' }
  await using other = openSite(
    createDocumentation({ source: { format: sourceFormat, meta: exampleMeta, event_types: [] }, branding, ...rest }),
  )
  expect(await textOf(other, 'assets/brand.css')).toMatch(/#0f766e[^#]*prefers-color-scheme: dark[^#]*#(?!0f766e)/)
})

test('without retries, addresses, limits in time and event types, no page says what is not so', async () => {
  const { delivery, ...meta } = exampleMeta
  await using site = openSite(
    createDocumentation({
      source: {
        format: sourceFormat,
        meta: {
          ...meta,
          egress_addresses: [],
          delivery: { ...delivery, retry_schedule_seconds: [], timeout_ms: 1_500, disabled_after_hours: null },
        },
        event_types: [],
      },
      branding: { name: 'Acme' },
      baseUrl: '',
    }),
  )
  expect(await textOf(site, 'index.html')).toContain('One attempt, without retries')
  expect(await textOf(site, 'delivery.html')).toContain('A delivery that fails is not retried')
  for (const [path, make] of site.files) {
    if (!path.endsWith('.md')) continue
    const prose = String((await make()).body).replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '')
    const wrong = /.*(\bundefined\b|\b1 attempts|\b0 seconds|\b2 seconds within|\bnull\b).*/.exec(prose)?.[0]
    expect([path, wrong]).toEqual([path, undefined])
  }
})

test('an installation without event types has a site, which says that there are none yet', async () => {
  await using site = siteOf([])
  expect(await textOf(site, 'events.html')).toContain('Acme has not published any event types yet')
  for (const [path, make] of site.files) expect([path, (await make()).body.length > 0]).toEqual([path, true])
})
