import { expect, test } from 'vitest'
import { createDocumentation, type Documentation } from '../../documentation.ts'
import { documentationOf, type GivenEventType } from '../../testing/documentation.ts'
import { sampleEventTypes } from '../../testing/sample-event-types.ts'
import { addresses } from '../addresses.ts'
import { schemaArtifacts } from '../published-schema.ts'
import { checkAgainst } from './check.ts'
import { PublishedDocsError, readPublished } from './published.ts'

/** The files of a site, as they are loaded again. */
async function site(documentation: Documentation): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const [path, make] of schemaArtifacts(documentation)) files.set(path, String((await make()).body))
  return files
}

function loadFrom(files: ReadonlyMap<string, string>) {
  return async (path: string) => files.get(path) ?? Promise.reject(new Error(`${path} is not there`))
}

async function check(before: Record<string, GivenEventType>, now: Record<string, GivenEventType>) {
  const published = await readPublished(loadFrom(await site(documentationOf(before))))
  // Another address and another name of the product are no change.
  return checkAgainst(
    published,
    documentationOf(now, { baseUrl: 'http://localhost:3000', branding: { name: 'Other' } }),
  )
}

const open = {
  type: 'object',
  properties: { id: { type: 'string' }, status: { enum: ['open', 'paid'] } },
  required: ['id'],
}
const wider = { ...open, properties: { ...open.properties, status: { enum: ['open', 'paid', 'void'] } } }
const longer = { ...open, properties: { ...open.properties, added: { type: 'string' } } }

test('what did not change is safe, and nothing is said about it', async () => {
  expect(await check(sampleEventTypes, sampleEventTypes)).toEqual({
    verdict: 'safe',
    findings: [],
    lines: ['Nothing breaks receivers of what is published.'],
  })
})

test('a new version is compared with the published one, in the words of receivers', async () => {
  const { verdict, lines } = await check(
    { 'invoice.paid': { versions: [{ schema: open }] }, 'order.paid': { versions: [{ schema: open }] } },
    {
      'invoice.paid': { versions: [{ schema: open }, { schema: longer }] },
      'order.paid': { versions: [{ schema: open }, { schema: wider }] },
      'order.lost': {},
    },
  )
  expect(verdict).toBe('breaking')
  expect(lines).toEqual([
    'breaking: order.paid changes from version 1 to version 2:',
    expect.stringMatching(/^ {2}breaking: data\.status: .*"void"/),
    'safe: invoice.paid changes from version 1 to version 2:',
    expect.stringMatching(/^ {2}safe: data\.added: It is new/),
    'safe: order.lost is new.',
    'This breaks receivers of what is published. Keep what they rely on, or publish a new event type beside the old one.',
  ])
})

test('an example, a title or a description of the event type is no change of the data', async () => {
  const { verdict } = await check(
    { 'invoice.paid': { description: 'Old', versions: [{ schema: open, examples: [{ id: '1' }] }] } },
    { 'invoice.paid': { description: 'New', group: 'G', versions: [{ schema: open }] } },
  )
  expect(verdict).toBe('safe')
})

test.each<[string, Record<string, GivenEventType>, string]>([
  ['is gone', {}, 'breaking: a is not there any more: receivers wait for it in vain.'],
  [
    'is archived',
    { a: { status: 'archived', versions: [{ schema: open }] } },
    'breaking: a is archived: it will not be sent any more.',
  ],
  ['has lost its schema', { a: {} }, 'breaking: a has no schema any more.'],
  [
    'has another schema under the same version',
    { a: { versions: [{ schema: longer }] } },
    'breaking: a version 1 is another one than is published. A version never changes; make a new one.',
  ],
])('an event type that %s breaks receivers', async (_what, now, line) => {
  const { verdict, lines } = await check({ a: { versions: [{ schema: open }] } }, now)
  expect(verdict).toBe('breaking')
  expect(lines).toContain(line)
})

test('going back to an older version breaks receivers, whatever it changes', async () => {
  const { verdict, lines } = await check(
    { a: { versions: [{ schema: open }, { schema: open }] } },
    { a: { versions: [{ schema: open }] } },
  )
  expect([verdict, lines[0]]).toEqual(['breaking', 'breaking: a goes back from version 2 to version 1.'])
})

test('a first schema and an event type that is sent again are safe', async () => {
  const { lines, verdict } = await check(
    { a: {}, b: { status: 'archived' } },
    { a: { versions: [{ schema: open }] }, b: { status: 'active' } },
  )
  expect(verdict).toBe('safe')
  expect(lines.slice(0, 2)).toEqual(['safe: a has its first schema, version 1.', 'safe: b is sent again.'])
})

test('a version that is not there any more is told: the address of its schema was to stay', async () => {
  const before = documentationOf({ a: { versions: [{ schema: open }, { schema: open }] } })
  const [eventType = expect.fail()] = before.source.event_types
  const event_types = [{ ...eventType, versions: eventType.versions.slice(1) }]
  const now = createDocumentation({ ...before, source: { ...before.source, event_types } })
  const { lines, verdict } = checkAgainst(await readPublished(loadFrom(await site(before))), now)
  expect([verdict, lines[0]]).toEqual([
    'warning',
    'warning: a has not the version 1 any more: the address of its schema leads nowhere.',
  ])
})

test('control characters of a hostile schema do not reach the terminal', async () => {
  const schema = { properties: { '\u001b[2J\u0007': { enum: ['a'] } } }
  const { lines } = await check({ a: { versions: [{ schema }] } }, { a: { versions: [{ schema }, { schema: {} }] } })
  expect(lines.join('')).not.toMatch(/\p{Cc}/u)
  expect(lines.length).toBeGreaterThan(2)
})

test('a published schema that nobody can follow is compared within its limits', async () => {
  const schema = {
    allOf: Array.from({ length: 12 }, () => ({ anyOf: [{ $ref: '#/$defs/a' }, { type: 'object' }] })),
    $defs: { a: { type: 'string' } },
  }
  const { verdict } = await check(
    { a: { versions: [{ schema }] } },
    { a: { versions: [{ schema }, { schema: open }] } },
  )
  expect(['breaking', 'warning', 'safe']).toContain(verdict)
})

const good = documentationOf({ 'invoice.paid': { versions: [{ schema: open }] } })
const schemaPath = addresses.schema('invoice.paid', 1)

/** The sites of strangers: what is changed in the files, and what is said of it. */
test.each<[string, (files: Map<string, string>) => void, RegExp]>([
  ['an index that is no JSON', (files) => files.set(addresses.schemaIndex, '<html>'), /index\.json is no JSON/],
  [
    'an index of another form',
    (files) => files.set(addresses.schemaIndex, '{"format":"posthorn-schemas/1"}'),
    /is no index of schemas: .*event_types/,
  ],
  [
    'an index of a later format',
    (files) => replaceIn(files, addresses.schemaIndex, 'posthorn-schemas/1', 'posthorn-schemas/9'),
    /has the format posthorn-schemas\/9, and this version of Posthorn reads posthorn-schemas\/1/,
  ],
  [
    'an index that is too long',
    (files) => files.set(addresses.schemaIndex, `"${'x'.repeat(17_000_000)}"`),
    /at most \d+ are read/,
  ],
  [
    'a name that leads out of the folder',
    (files) => replaceIn(files, addresses.schemaIndex, '"invoice.paid"', '"../../etc/passwd"'),
    /must be the name of an event type/,
  ],
  [
    'a schema that was changed',
    (files) => replaceIn(files, schemaPath, '"string"', '"number"'),
    /1\.json is not what the index says/,
  ],
  [
    'a schema that is too long',
    (files) => files.set(schemaPath, `"${'x'.repeat(9_000_000)}"`),
    /1\.json is \d+ bytes long/,
  ],
  [
    'a version that is not listed',
    (files) => replaceIn(files, addresses.schemaIndex, '"latest_version": 1', '"latest_version": 7'),
    /does not list version 7 of invoice\.paid/,
  ],
])('%s is refused, with the file and the reason', async (_what, change, reason) => {
  const files = await site(good)
  change(files)
  const refused = readPublished(loadFrom(files))
  await expect(refused).rejects.toBeInstanceOf(PublishedDocsError)
  await expect(refused).rejects.toThrow(reason)
})

test('only the index and the newest schemas are loaded, by paths of our own', async () => {
  const documentation = documentationOf({ 'invoice.paid': { versions: [{ schema: {} }, { schema: open }] }, none: {} })
  const files = await site(documentation)
  const load = loadFrom(files)
  const asked: string[] = []
  await readPublished((path) => {
    asked.push(path)
    return load(path)
  })
  expect(asked).toEqual([addresses.schemaIndex, addresses.schema('invoice.paid', 2)])
})

function replaceIn(files: Map<string, string>, path: string, text: string, other: string): void {
  const before = files.get(path) ?? ''
  expect(before).toContain(text)
  files.set(path, before.replaceAll(text, other))
}
