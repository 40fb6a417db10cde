/** Every block of code of the sample site is something that was run, parsed or looked up. */
import { readFile } from 'node:fs/promises'
import { formatId, uuidV7 } from '@posthorn/contract'
import { createTestDatabase, withClient } from '@posthorn/engine/testing'
import { createDocumentation, openSite, samples } from '@posthorn/event-docs'
import { readListenWords } from '@posthorn/event-docs/listen'
import { manyEventTypes } from '@posthorn/event-docs/testing'
import { expect, test } from 'vitest'

type CodeBlock = { page: string; language: string; label: string; text: string }

async function codeBlocks(): Promise<CodeBlock[]> {
  const source = manyEventTypes(12)
  const baseUrl = 'https://docs.acme.example/webhooks'
  await using site = openSite(createDocumentation({ source, branding: { name: 'Acme' }, baseUrl }))
  const blocks: CodeBlock[] = []
  for (const [page, make] of site.files) {
    if (!page.endsWith('.html')) continue
    const html = String((await make()).body)
    const form =
      /<figcaption>([^<]*)<\/figcaption><pre[^>]*><code(?: class="language-([^"]*)")?>((?:[^<]|<\/?span)*)<\/code>/g
    for (const [, label = '', language = '', text = ''] of html.matchAll(form))
      blocks.push({ page, language, label: unescaped(label), text: unescaped(text) })
    expect([page, html.split('<pre').length - 1]).toEqual([page, [...html.matchAll(form)].length])
  }
  return blocks
}

/** Without the marks of what stands out in code. */
function unescaped(text: string): string {
  return text
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}

test('every block of code is of a kind that is checked, and passes', { timeout: 120_000 }, async () => {
  const openapi = JSON.parse(await readFile(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'))
  const blocks = await codeBlocks()
  const known = new Set(samples.map(({ text }) => text))
  const counts = new Map<string, number>()
  for (const block of blocks) {
    const kind = kindOf(block)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    if (kind === 'JSON') expect(() => JSON.parse(block.text), `${block.page}: ${block.label}`).not.toThrow()
    // Samples are run by the tests of packages/event-docs/src/samples.
    else if (kind === 'sample') expect([block.label, known.has(block.text)]).toEqual([block.label, true])
    else if (kind === 'call') expectCall(block, openapi)
    else if (kind === 'SQL') await expectSql(block)
    else if (kind === 'listen') expectListen(block)
    // What listen shows is held to its lines by packages/checks/src/listen.
    // Signed requests by curl are run by packages/event-docs/src/artifacts; commands that start samples, by their tests.
    else expect(['signed request', 'start', 'signed content', 'line of listen']).toContain(kind)
  }
  expect(Object.fromEntries(counts)).toMatchObject({
    'signed request': expect.any(Number),
    SQL: 1,
    'signed content': 1,
    listen: 1,
    'line of listen': 1,
  })
  expect(counts.get('sample')).toBe(samples.length)
})

function kindOf({ language, label, text }: CodeBlock): string {
  if (language === 'json') return 'JSON'
  if (language === 'sql') return 'SQL'
  if (label === 'Start listen') return 'listen'
  if (label === 'What listen shows') return 'line of listen'
  if (language === '') return 'signed content'
  if (/^(Set up|Start) /.test(label)) return 'start'
  if (label === 'Signed request by curl') return 'signed request'
  if (language === 'sh' && text.includes('/v1/')) return 'call'
  return 'sample'
}

/** The call is one of the API: its method and path are in the document. */
function expectCall({ text }: CodeBlock, openapi: { paths: Record<string, Record<string, unknown>> }): void {
  const [, path = ''] = /"https:\/\/api\.example\.com(\/v1[^"]*)"/.exec(text) ?? []
  const wanted = path.replace('$SUBSCRIPTION', '{id}')
  const method = text.includes('-X POST') || text.includes('-d @-') ? 'post' : 'get'
  expect(openapi.paths[wanted], path).toHaveProperty(method)
}

/** It is fetched from this site and started with words that it knows. */
function expectListen({ text }: CodeBlock): void {
  const [fetched = '', start = ''] = text.replaceAll('\\\n', ' ').split('\n')
  expect(fetched).toBe('curl -fsSO "https://docs.acme.example/webhooks/listen.mjs"')
  const [, rest = ''] = /^POSTHORN_API_KEY="\$KEY" node listen\.mjs (.*)$/.exec(start) ?? []
  const words = rest.split(/\s+/).map((word) => word.replaceAll('"', ''))
  const subscription = formatId('subscription', uuidV7(0, new Uint8Array(10)))
  expect(readListenWords(words.map((word) => word.replace('$SUBSCRIPTION', subscription)))).toMatchObject({
    api: 'https://api.example.com',
    to: new URL('http://127.0.0.1:8080/webhooks'),
    subscription,
  })
}

async function expectSql({ text }: CodeBlock): Promise<void> {
  await using database = await createTestDatabase()
  const [create = '', insert = ''] = text.split(/(?<=;)\n\n/)
  await withClient(database.url, async (client) => {
    await client.query(create)
    const counts = []
    for (const id of ['evt_1', 'evt_1', 'evt_2']) counts.push((await client.query(insert, [id])).rowCount)
    expect(counts).toEqual([1, 0, 1])
  })
}
