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

test('an event type without a schema, and one that is archived, have pages that say so', async () => {
  const archived = documented({ name: 'order.lost', status: 'archived' }, [{ type: 'object' }])
  await using site = siteOf([documented({ name: 'order.paid' }, []), archived])
  expect(await textOf(site, 'events/order.paid.html')).toContain('There is no schema of its')
  expect(await textOf(site, 'events/order.lost.html')).toContain('This event type is archived')
  expect(await textOf(site, 'events.html')).toContain('archived')
})

test('an installation without event types has a site, which says that there are none yet', async () => {
  await using site = siteOf([])
  expect(await textOf(site, 'events.html')).toContain('Acme has not described any event type yet')
  for (const [path, make] of site.files) expect([path, (await make()).body.length > 0]).toEqual([path, true])
})
