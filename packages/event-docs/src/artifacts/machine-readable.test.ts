import { parseSecret, verify } from '@posthorn/signing'
import vectors from '@posthorn/signing/vectors.json' with { type: 'json' }
import { afterAll, expect, test } from 'vitest'
import { documentationOf } from '../testing/documentation.ts'
import { sampleEventTypes } from '../testing/sample-event-types.ts'
import { addresses } from './addresses.ts'
import { createCodeMaker } from './code/code-maker.ts'
import { exampleFiles } from './example-files.ts'
import { ipRanges } from './ip-ranges.ts'
import { machineReadable } from './machine-readable.ts'

const documentation = documentationOf(sampleEventTypes)
const maker = createCodeMaker()
afterAll(() => maker.end())

async function allFiles(given = documentation): Promise<Map<string, { text: string; contentType: string }>> {
  const files = new Map<string, { text: string; contentType: string }>()
  for (const [path, make] of machineReadable(given, maker).artifacts) {
    const { body, contentType } = await make()
    files.set(path, { text: typeof body === 'string' ? body : Buffer.from(body).toString('base64'), contentType })
  }
  return files
}

const files = allFiles()

async function jsonAt(path: string) {
  return JSON.parse((await files).get(path)?.text ?? 'null')
}

test('every file can be made, stands below the root, and is JSON where it says so', async () => {
  const all = await files
  expect(all.size).toBeGreaterThan(100)
  for (const [path, { text, contentType }] of all) {
    expect(path).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/)
    expect([path, text.length > 0]).toEqual([path, true])
    if (/json$/.test(contentType)) expect([path, typeof JSON.parse(text)]).toEqual([path, 'object'])
  }
})

test('the same input makes the same bytes, in whatever order event types are told', async () => {
  const turned = Object.fromEntries(
    Object.entries(sampleEventTypes)
      .map(
        ([name, one], index) =>
          [name, { ...one, createdAt: new Date(Date.UTC(2025, 0, 1 + index)).toISOString() }] as const,
      )
      .toReversed(),
  )
  const straight = Object.fromEntries(Object.entries(turned).toReversed())
  const [one, other] = [await allFiles(documentationOf(turned)), await allFiles(documentationOf(straight))]
  for (const [path, { text }] of one) expect([path, other.get(path)?.text === text]).toEqual([path, true])
  expect(one.size).toBe(other.size)
})

test('two paths never differ only in case', async () => {
  const paths = [...(await files).keys()].map((path) => path.toLowerCase())
  expect(new Set(paths).size).toBe(paths.length)
})

test('every signed example verifies by the rules of the test vectors, and says when it would', async () => {
  const signed = [...(await files)].filter(([path]) => path.endsWith('.signed.json'))
  expect(signed.length).toBeGreaterThan(15)
  for (const [, { text }] of signed) {
    const { headers, body, secrets, now, tolerance_seconds: toleranceSeconds, expected } = JSON.parse(text)
    const lines: Record<string, string> = Object.fromEntries(headers)
    const keys = secrets.map(parseSecret)
    const verified = verify({
      headers: lines,
      body,
      keys,
      now: new Date(now * 1000),
      toleranceSeconds,
    })
    expect(verified).toMatchObject({ id: expected.id, timestamp: expected.timestamp })
  }
})

test('two examples of one name, and a name that is no file, get files of their own', () => {
  const schema = { type: 'integer' }
  const named = documentationOf({ a: { versions: [{ schema }] } })
  const example = (name: string, value: number) => ({ name, value, generated: false })
  const examplesOf = () => ({
    examples: [example('The Smallest!', 1), example('the smallest', 2), example('../../漢', 3), example('漢', 4)],
    warnings: [],
  })
  const [eventType] = named.source.event_types
  if (eventType === undefined) throw new Error('there is no event type')
  expect(exampleFiles({ ...named, examplesOf }, eventType).map(({ file }) => file)).toEqual([
    'the-smallest',
    'the-smallest-2',
    'example',
    'example-2',
  ])
})

test('the test vectors are those that our own library is tested with', async () => {
  expect(await jsonAt(addresses.testVectors)).toEqual(vectors)
})

test('the manifest tells how to verify, what follows an answer, and where everything is', async () => {
  const manifest = await jsonAt(addresses.manifest)
  expect(manifest).toMatchObject({
    format: 'posthorn-manifest/1',
    product: { name: 'Acme', software: 'Posthorn', version: '0.1.0' },
    signature: { schemes: ['v1', 'v1a'], tolerance_seconds: 300, headers: { id: 'webhook-id' } },
    delivery: { timeout_ms: 15_000, attempts_max: 3, final_statuses: [410] },
    limits: { url_length_max: 2048, event_data_bytes_max: 262_144 },
    ip_ranges: ['203.0.113.7/32', '2001:db8::/48'],
  })
  const all = await files
  for (const url of Object.values<string | null>(manifest.urls)) {
    const path = url?.slice(documentation.baseUrl.length + 1) ?? ''
    expect([url, path === '' || all.has(path)]).toEqual([url, true])
  }
})

test('addresses become networks, and what is none is left out', () => {
  const egress = [
    '203.0.113.7',
    '198.51.100.0/24',
    '2001:db8::1',
    '2001:db8::/48',
    'example.com',
    '10.0.0.1/33',
    '1.2.3.4/',
    '::1/x',
  ]
  expect(ipRanges(documentationOf({}, { meta: { egress_addresses: egress } }))).toEqual({
    named: true,
    prefixes: ['203.0.113.7/32', '198.51.100.0/24', '2001:db8::1/128', '2001:db8::/48'],
    ipv4_prefixes: ['203.0.113.7/32', '198.51.100.0/24'],
    ipv6_prefixes: ['2001:db8::1/128', '2001:db8::/48'],
  })
  expect(ipRanges(documentationOf({}, { meta: { egress_addresses: [] } })).named).toBe(false)
})

test('the text for programs has every event with its schema and a signed delivery, and hostile words stay words', async () => {
  const all = await files
  const everything = all.get(addresses.everything)?.text ?? ''
  for (const name of Object.keys(sampleEventTypes)) expect(everything).toContain(`\n## ${name}\n`)
  expect(everything).toContain('webhook-signature: v1,')
  const summary = all.get(addresses.summary)?.text ?? ''
  expect(summary.split('\n')[0]).toBe('# Events of Acme')
  expect(summary).not.toContain('<script>')
  const fenced = documentationOf({
    odd: { description: '```\n# Not a heading', versions: [{ schema: { const: '```\n# Nor this' } }] },
  })
  const text = (await allFiles(fenced)).get(addresses.everything)?.text ?? ''
  expect(text).not.toMatch(/^# N/m)
})

test('what a schema costs is told for each file that it costs something', async () => {
  const { warnings } = machineReadable(
    documentationOf({
      bad: { versions: [{ schema: { $ref: 'https://evil.example' } }] },
      good: { versions: [{ schema: {} }] },
    }),
    maker,
  )
  const told = await warnings()
  expect(told.map(({ eventType, artifact }) => [eventType, artifact])).toEqual([
    ['bad', 'schemas/bad/1.json'],
    ['bad', 'types/typescript/'],
    ['bad', 'types/go/'],
    ['bad', 'types/python/'],
  ])
  expect(told[0]?.detail).toContain('must refer to a place in this schema')
})
