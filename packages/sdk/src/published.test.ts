/** The package as it is published: built, imported by its name outside the repository, in plain Node and without Node. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { json, type ScriptedApi, startScriptedApi } from './testing/scripted-api.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Provided by the global set-up of all tests. */
    machine: { readonly env: Readonly<Record<string, string>> }
  }
}

const run = promisify(execFile)
const timeout = 60_000
const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const compiler = fileURLToPath(new URL('../bin/tsc', import.meta.resolve('typescript')))
/** All JavaScript of the main entry with its comments, compressed, in bytes. A bundler leaves about half of it. */
const bytesMax = 14 * 1024

let project: string
let dist: string
let api: ScriptedApi

beforeAll(async () => {
  api = await startScriptedApi()
  api.answer(json(200, { id: 'acme', name: 'Acme' }))
  project = await mkdtemp(join(tmpdir(), 'sdk-published-'))
  const installed = join(project, 'node_modules', '@posthorn', 'sdk')
  dist = join(installed, 'dist')
  await mkdir(installed, { recursive: true })
  await run(execPath, [compiler, '-p', join(packageFolder, 'tsconfig.build.json'), '--outDir', dist])
  const { publishConfig } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  const manifest = { name: '@posthorn/sdk', version: '0.0.0', type: 'module', exports: publishConfig.exports }
  await writeFile(join(installed, 'package.json'), JSON.stringify(manifest))
}, timeout)

afterAll(async () => {
  await rm(project, { recursive: true, force: true })
  await api[Symbol.asyncDispose]()
})

test('calls the API in every Node of this machine that is new enough', { timeout }, async () => {
  const program = `
    import { createPosthorn, isPosthornError } from '@posthorn/sdk'
    import { publishInTransaction } from '@posthorn/sdk/transaction'
    const posthorn = createPosthorn({ url: process.argv[2], apiKey: 'phk_test' })
    const { name } = await posthorn.tenants.get('acme')
    const refused = await posthorn.tenants.get('..').catch((error) => isPosthornError(error, 'invalid_argument'))
    const rows = []
    const tx = { query: async (text, values) => void rows.push(values) }
    await publishInTransaction(tx, { tenant: 'acme', type: 'invoice.paid', data: { total: 1 } })
    console.log(JSON.stringify([name, refused, rows[0].slice(1, 4), typeof process.versions.node]))`
  await writeFile(join(project, 'program.mjs'), program)
  const nodes = await nodesOfThisMachine()
  expect(nodes.map(({ major }) => major)).toContain(24)
  for (const { path } of nodes) {
    const { stdout } = await run(path, ['program.mjs', api.origin], { cwd: project, env: {} })
    expect(JSON.parse(stdout)).toEqual(['Acme', true, ['acme', 'invoice.paid', '{"total":1}'], 'string'])
  }
})

test('runs with nothing but what a browser has', { timeout }, async () => {
  // A realm of its own has the language alone; what is handed in is the web platform's.
  const program = `
    import { createContext, SourceTextModule } from 'node:vm'
    import { readFileSync } from 'node:fs'
    const web = { fetch, URL, URLSearchParams, AbortController, Headers, crypto, performance, setTimeout, clearTimeout, TextEncoder }
    const context = createContext({ ...web })
    const modules = new Map()
    function load(url) {
      const known = modules.get(url.href)
      if (known) return known
      const module = new SourceTextModule(readFileSync(url, 'utf8'), { context, identifier: url.href })
      modules.set(url.href, module)
      return module
    }
    const main = load(new URL('index.js', process.argv[2]))
    await main.link((specifier, from) => {
      if (!specifier.startsWith('./')) throw new Error('imports ' + specifier)
      return load(new URL(specifier, from.identifier))
    })
    await main.evaluate()
    const posthorn = main.namespace.createPosthorn({ url: process.argv[3], apiKey: 'phk_test' })
    console.log((await posthorn.tenants.get('acme')).name)`
  await writeFile(join(project, 'browser.mjs'), program)
  const words = ['--experimental-vm-modules', '--no-warnings', 'browser.mjs', `file://${dist}/`, api.origin]
  const { stdout } = await run(execPath, words, { cwd: project, env: {} })
  expect(stdout).toBe('Acme\n')
})

test('exports what the sources export, and no internals', { timeout }, async () => {
  const program = `import * as sdk from '@posthorn/sdk'; console.log(Object.keys(sdk).join())`
  const { stdout } = await run(execPath, ['--input-type=module', '-e', program], { cwd: project, env: {} })
  expect(stdout.trim().split(',')).toEqual(Object.keys(await import('./index.ts')).sort())
  const internal = `import '@posthorn/sdk/dist/calling.js'`
  await expect(run(execPath, ['--input-type=module', '-e', internal], { cwd: project, env: {} })).rejects.toThrow(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  )
})

test('has types that need no others than those of the web, and that refuse what the API would', {
  timeout,
}, async () => {
  await writeFile(join(project, 'typed.mts'), typedProgram)
  for (const exactOptionalPropertyTypes of [true, false]) {
    const checking = { strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes }
    const compilerOptions = { ...checking, types: [], lib: ['es2022', 'dom'], module: 'nodenext' }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.mts'] }))
    const { stdout } = await run(execPath, [compiler, '-p', project]).catch((error) => error)
    expect(stdout).toBe('')
  }
})

test('is small, and needs nothing', { timeout }, async () => {
  const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.js'))
  const main = files.filter((file) => file !== 'transaction.js')
  const sources = await Promise.all(main.map((file) => readFile(join(dist, file), 'utf8')))
  expect(sources.flatMap((text) => [...text.matchAll(/ from '([^']+)'/g)].map(([, from]) => from))).not.toContainEqual(
    expect.stringMatching(/^[^.]/),
  )
  expect(gzipSync(sources.join('')).length).toBeLessThan(bytesMax)
  expect(files.filter((file) => /test|testing|generate\//.test(file))).toEqual([])
})

/** Each Node along the path, once a version. */
async function nodesOfThisMachine(): Promise<{ path: string; major: number }[]> {
  const { env } = inject('machine')
  const folders = [...new Set((env['PATH'] ?? '').split(delimiter))]
  const found = new Map<string, { path: string; major: number }>()
  for (const path of [execPath, ...folders.map((folder) => join(folder, 'node'))]) {
    if (!existsSync(path)) continue
    const { stdout } = await run(path, ['--version'], { env: {} })
    const major = Number(/^v(\d+)/.exec(stdout)?.[1])
    if (major >= 20) found.set(stdout, { path, major })
  }
  return [...found.values()]
}

const typedProgram = `
import { createPosthorn, isPosthornError, type Delivery, type ErrorCode, PosthornError } from '@posthorn/sdk'
import { publishInTransaction } from '@posthorn/sdk/transaction'

const posthorn = createPosthorn({ url: 'https://posthorn.example.com', apiKey: () => 'phk_test' })
const tenant: { id: string } = await posthorn.tenants.put('acme', { name: 'Acme' })
for await (const delivery of posthorn.deliveries.list({ tenant: tenant.id, state: ['failed', 'held'] })) {
  const one: Delivery = delivery
  one.state satisfies 'pending' | 'retrying' | 'held' | 'delivered' | 'failed' | 'canceled'
}
const { secret } = await posthorn.subscriptions.create('acme', { url: 'https://example.com', event_types: ['*'] })
secret satisfies string
await posthorn.events.publish({ tenant: 'acme', type: 'invoice.paid', data: { total: 1 } })
await posthorn.metrics.deliveries({ measures: ['count', 'attempts'] })
await posthorn.deliveries.get('dlv_1', { expand: 'event' })
const { data, etag } = await posthorn.request('getTenant', { path: { id: 'acme' } })
const name: string = data.id + (etag ?? '')
function codeOf(error: unknown): ErrorCode | undefined {
  if (isPosthornError(error, 'tenant_not_found', 'timed_out')) error.code satisfies 'tenant_not_found' | 'timed_out'
  return error instanceof PosthornError ? error.code : undefined
}
await publishInTransaction({ query: async () => undefined }, { tenant: 'acme', type: 'a.b', data: name })
codeOf(name)
// @ts-expect-error there is no such state
posthorn.deliveries.list({ state: 'lost' })
// @ts-expect-error an event has a type
posthorn.events.publish({ tenant: 'acme', data: 1 })
// @ts-expect-error there is no such code
isPosthornError(name, 'no_such_code')
// @ts-expect-error there is no such operation
posthorn.request('noSuchOperation')
`
