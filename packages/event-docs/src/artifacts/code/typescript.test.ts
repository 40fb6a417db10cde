import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { documentedEvent } from '../../signed-delivery.ts'
import { documentationOf } from '../../testing/documentation.ts'
import { sampleEventTypes } from '../../testing/sample-event-types.ts'
import { addresses } from '../addresses.ts'
import { exampleFiles } from '../example-files.ts'
import { createCodeMaker } from './code-maker.ts'
import { codeNames } from './code-names.ts'
import { typescriptArtifacts } from './typescript.ts'

const documentation = documentationOf(sampleEventTypes)
const maker = createCodeMaker()
const { artifacts, warnings } = typescriptArtifacts(documentation, maker)
const folder = mkdtempSync(join(tmpdir(), 'posthorn-typescript-'))
/** The name of the package. */
const { name } = JSON.parse(await textOf('package.json'))

afterAll(async () => {
  await maker.end()
  rmSync(folder, { recursive: true })
})

async function textOf(file: string): Promise<string> {
  return String((await artifacts.get(`${addresses.typescript}${file}`)?.())?.body)
}

/** What the compiler of this repository says of programs that use the package: a text for each, empty where all is well. */
async function complaints(programs: readonly string[]): Promise<string[]> {
  const installed = join(folder, 'node_modules', name)
  mkdirSync(installed, { recursive: true })
  for (const file of ['index.d.ts', 'index.js', 'package.json'])
    writeFileSync(join(installed, file), await textOf(file))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const files = programs.map((_program, index) => `program-${index}.ts`)
  for (const [index, file] of files.entries()) writeFileSync(join(folder, file), programs[index] ?? '')
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const options = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--types', '']
  const said = await promisify(execFile)(process.execPath, [tsc, ...options, ...files], { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
  // What belongs to none of them is about the package, so about each of them.
  const lines = said.split('\n').filter((line) => /^\S/.test(line))
  return files.map((file) => lines.filter((line) => line.startsWith(file) || !line.startsWith('program-')).join('\n'))
}

test('every example is of the type of its event, by the compiler in its strict mode', async () => {
  const names = codeNames(documentation)
  const constants = documentation.source.event_types.flatMap((eventType) => {
    const type = eventType.event_type.name
    return exampleFiles(documentation, eventType).map(({ example }) => {
      const event = JSON.stringify(documentedEvent(type, example))
      return `{ const event: Types.${names.get(type)?.base}Event = ${event}; const one: Types.WebhookEvent = event; void one }`
    })
  })
  expect(constants.length).toBeGreaterThan(15)
  expect(await complaints([`import type * as Types from '${name}'\n${constants.join('\n')}`])).toEqual([''])
  expect(await warnings()).toEqual([])
})

test('`type` tells what `data` is, and an unknown type is an event too', async () => {
  expect(
    await complaints([
      `import { type AnyWebhookEvent, isKnownEvent, type WebhookEventMap, type WebhookEventType } from '${name}'
const event: AnyWebhookEvent = JSON.parse('{}')
if (isKnownEvent(event)) {
  switch (event.type) {
    case 'invoice.paid': {
      const { id, paid_at }: { id: string; paid_at: string } = event.data
      void [id, paid_at]
      break
    }
    case 'payment.made':
      if (event.data.kind === 'card') event.data.last4.toUpperCase()
      else event.data.iban.toUpperCase()
      break
  }
} else {
  const data: unknown = event.data
  void data
}
const handlers: { [T in WebhookEventType]?: (event: WebhookEventMap[T]) => void } = {
  'point.moved': ({ data: { at: [x, y] } }) => void (x + y),
}
void handlers`,
    ]),
  ).toEqual([''])
})

test('what a schema does not allow does not compile', async () => {
  const wrong: [line: string, code: string][] = [
    [`const event: Types.InvoicePaidEvent['data']['id'] = 1`, 'TS2322'],
    [`const status: Types.InvoicePaidData['status'] = 'void'`, 'TS2322'],
    [`const at: Types.PointMovedData['at'] = [1]`, 'TS2322'],
    [`const type: Types.WebhookEventType = 'invoice.lost'`, 'TS2322'],
    [`const id = (event: Types.InvoicePaidEvent) => event.data.nothing`, 'TS2339'],
    [`const event: Types.WebhookEvent = { type: 'list.sent', timestamp: '', data: { id: 1 } }`, 'TS2353'],
  ]
  const said = await complaints(wrong.map(([line]) => `import type * as Types from '${name}'\n${line}`))
  expect(said.map((text) => /TS\d+/.exec(text)?.[0])).toEqual(wrong.map(([, code]) => code))
})

test('text of a schema stays in comments and quotes', async () => {
  const text = await textOf('index.d.ts')
  expect(text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')).not.toMatch(/<script>|evil|"""/)
  expect(text).toContain('"[k: string]"?: number')
  // Every object has these, and they are functions.
  expect(text).not.toMatch(/(constructor|toString|__proto__)\??:/)
  expect(text).toContain('"web" | "shop" | (string & {})')
})

test('two types that would have one name in a program get two', async () => {
  expect(await textOf('index.d.ts')).toMatch(
    /"invoice-paid": InvoicePaid_2Event\n\s+"invoice.paid": InvoicePaidEvent\n/,
  )
  const grown = documentationOf({
    'a.b': {},
    ...Object.fromEntries(['a-b', 'a_b', 'A.B-x', 'aB'].map((type) => [type, {}])),
  })
  const bases = [...codeNames(grown).values()].map(({ base }) => base.toLowerCase())
  expect(new Set(bases).size).toBe(bases.length)
  expect(codeNames(grown).get('a.b')).toEqual(codeNames(documentationOf({ 'a.b': {} })).get('a.b'))
})

test('the archive holds the same files as the folder, and is the same when it is made again', async () => {
  const body = (await artifacts.get(addresses.typescriptArchive)?.())?.body ?? ''
  writeFileSync(join(folder, 'types.tgz'), body)
  await promisify(execFile)('tar', ['-xzf', 'types.tgz'], { cwd: folder })
  const { stdout } = await promisify(execFile)('tar', ['-tvzf', 'types.tgz'], { cwd: folder })
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').at(-1)),
  ).toEqual(['index.d.ts', 'index.js', 'package.json', 'README.md'].map((file) => `package/${file}`))
  const tar = gunzipSync(body)
  for (const file of ['index.d.ts', 'index.js', 'package.json', 'README.md']) {
    expect(tar.includes(await textOf(file))).toBe(true)
  }
  const other = createCodeMaker()
  const again = typescriptArtifacts(documentationOf(sampleEventTypes), other)
  expect((await again.artifacts.get(addresses.typescriptArchive)?.())?.body).toEqual(body)
  await other.end()
})

test('the program of the package knows the types that it declares', async () => {
  const url = `data:text/javascript,${encodeURIComponent(await textOf('index.js'))}`
  const { eventTypes, isKnownEvent } = await import(url)
  expect(eventTypes).toEqual(Object.keys(sampleEventTypes).toSorted())
  expect([isKnownEvent({ type: 'invoice.paid' }), isKnownEvent({ type: 'toString' })]).toEqual([true, false])
})

test('an event type of which nothing can be made is told, and has unknown data', async () => {
  const schema = { anyOf: [{ $ref: '#' }, { type: 'string' }] }
  const other = createCodeMaker()
  const { artifacts: files, warnings: told } = typescriptArtifacts(
    documentationOf({ endless: { versions: [{ schema }] }, fine: { versions: [{ schema: { type: 'string' } }] } }),
    other,
  )
  const text = String((await files.get(`${addresses.typescript}index.d.ts`)?.())?.body)
  expect(text).toMatch(/\/\*\* Not described: it refers to itself without end \*\/\n {2}data: unknown/)
  expect(text).toContain('export type FineData = string')
  expect(await told()).toEqual([
    {
      eventType: 'endless',
      artifact: 'types/typescript/',
      detail: 'version 1 is not described: it refers to itself without end',
    },
  ])
  await other.end()
})
