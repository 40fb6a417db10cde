/** `posthorn docs` with what goes wrong: servers, files and folders that are not as they should be. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, watch, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exampleMeta, manyEventTypes } from '@posthorn/event-docs/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { serveOnLoopback } from '../loopback.ts'
import { docs as docsCommand } from './posthorn-command.ts'

const main = fileURLToPath(new URL('../../../../apps/posthorn/src/main.ts', import.meta.url))

const [first, second] = manyEventTypes(2).event_types
const source = {
  format: 'posthorn-event-docs/1',
  meta: exampleMeta,
  event_types: [first ?? expect.fail(), second ?? expect.fail()],
}

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-docs-hostile-'))
  file = await written('source.json', source)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function written(name: string, value: unknown): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}

const docs = (words: readonly string[], stop?: AbortSignal) =>
  docsCommand(words, { POSTHORN_API_KEY: 'phk_test' }, stop)

const build = (out: string, from = file) =>
  docs(['build', '--from', from, '--out', out, '--base-url', 'https://a.example'])

const json = { 'content-type': 'application/json' }

test.each<[what: string, said: string, answer: RequestListener]>([
  [
    'refuses the key',
    'nope',
    (_request, response) =>
      response
        .writeHead(401, json)
        .end('{"type":"x","code":"unauthenticated","title":"No","status":401,"detail":"nope \\u001b[31mred"}'),
  ],
  [
    'is a page for people',
    'does not look like Posthorn',
    (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>'),
  ],
  [
    'answers something else',
    'does not look like Posthorn',
    (_request, response) => response.writeHead(200, json).end('{"data":1}'),
  ],
  [
    'has a list without end',
    'never ends',
    ({ url }, response) =>
      response
        .writeHead(200, json)
        .end(JSON.stringify({ data: [], next_cursor: `${url}x`.slice(-200), prev_cursor: null })),
  ],
  [
    'sends a body without end',
    'is larger than',
    (_request, response) => {
      response.writeHead(200, json)
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(1024 * 1024)));
      }
      response.on('drain', more)
      more()
    },
  ],
  [
    'leads in a circle',
    'does not look like',
    ({ url }, response) => response.writeHead(302, { location: url ?? '/' }).end(),
  ],
])('an installation that %s is no documentation, and one line says why: “%s”', async (_what, said, answer) => {
  await using server = await serveOnLoopback(answer)
  const ended = await docs(['build', '--from', server.origin, '--out', join(folder, 'never')])
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(said)])
  expect(ended.stderr).toMatch(/^posthorn: [^\p{Cc}]+\n$/u)
  expect(await readdir(folder)).not.toContain('never')
})

test('who waits for a server that says nothing is heard when they stop it', async () => {
  await using server = await serveOnLoopback(() => undefined)
  for (const words of [
    ['build', '--from', server.origin, '--out', join(folder, 'never')],
    ['check', '--from', file, '--against', server.origin],
  ]) {
    const stop = new AbortController()
    const ended = docs(words, stop.signal)
    stop.abort('SIGINT')
    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining('was stopped') })
  }
})

test.each<[what: string, value: unknown, said: string]>([
  ['of a newer version', { ...source, format: 'posthorn-event-docs/2' }, 'was exported by a newer version'],
  ['without an end', '{"format":', 'is no JSON'],
  [
    'with two versions of one number',
    { ...source, event_types: [{ ...first, versions: [first?.versions[0], first?.versions[0]] }] },
    'the oldest first',
  ],
  [
    'with versions from the newest to the oldest',
    { ...source, event_types: [{ ...first, versions: first?.versions.toReversed() }] },
    'the oldest first',
  ],
  [
    'with a version of another event type',
    { ...source, event_types: [{ ...first, versions: second?.versions }] },
    'of another event type',
  ],
  [
    'with a time that is none',
    { ...source, event_types: [{ ...first, versions: [{ ...first?.versions[0], created_at: 'soon' }] }] },
    'is no time',
  ],
])('an export %s is refused', async (_what, value, said) => {
  const ended = await build(join(folder, 'never'), await written('hostile.json', value))
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(said)])
})

test('an address that is none is refused before anything is made', async () => {
  for (const option of ['--base-url', '--api-url']) {
    for (const address of [
      'docs.acme.example',
      'javascript:alert(1)',
      'https://a.example/?q',
      'https://a.example/#a',
    ]) {
      const ended = await docs(['build', '--from', file, '--out', join(folder, 'never'), option, address])
      expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(`${option} wants an address`)])
    }
  }
})

test('folders beside the site are not its business, and a link to its folder stays a link', async () => {
  const [site, link] = [join(folder, 'mine'), join(folder, 'link')]
  for (const name of ['mine.new', 'mine.old']) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'thesis.txt'), 'years of work')
  }
  expect(await build(site)).toMatchObject({ code: 0 })
  await writeFile(join(site, 'old.html'), 'of a build before')
  await symlink(site, link)
  expect(await build(link)).toMatchObject({ code: 0 })
  for (const name of ['mine.new', 'mine.old'])
    expect(await readFile(join(folder, name, 'thesis.txt'), 'utf8')).toBe('years of work')
  expect(await readdir(site)).not.toContain('old.html')
  expect(await readdir(link)).toContain('index.html')
  expect((await readdir(folder)).filter((name) => name.includes('.posthorn-'))).toEqual([])
})

test('two builds at once leave one whole site', { timeout: 60_000 }, async () => {
  const [site, alone] = [join(folder, 'both'), join(folder, 'alone')]
  const ended = await Promise.all([build(site), build(site), build(alone)])
  expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ])
  const files = await readdir(alone, { recursive: true })
  expect((await readdir(site, { recursive: true })).toSorted()).toEqual(files.toSorted())
})

test('a site that a killed build had put aside is back before the next one is made', async () => {
  const [site, aside] = [join(folder, 'put'), join(folder, '.put.posthorn-killed')]
  expect(await build(site)).toMatchObject({ code: 0 })
  await writeFile(join(site, 'old.html'), 'of a build before')
  await mkdir(aside)
  await rename(site, join(aside, 'old'))
  const stop = new AbortController()
  stop.abort('SIGINT')
  expect(await docs(['build', '--from', file, '--out', site], stop.signal)).toMatchObject({ code: 1 })
  expect(await readFile(join(site, 'old.html'), 'utf8')).toBe('of a build before')
})

test('a build that is killed on its way leaves the old site whole, and the next one takes its place', {
  timeout: 60_000,
}, async () => {
  const site = join(folder, 'killed')
  expect(await build(site)).toMatchObject({ code: 0 })
  await writeFile(join(site, 'old.html'), 'of a build before')
  const whole = (await readdir(site, { recursive: true })).toSorted()
  const { execPath, env } = inject('machine')
  const seen = new AbortController()
  const changes = watch(folder, { signal: seen.signal })
  const child = spawn(execPath, [main, 'docs', 'build', '--from', file, '--out', site], { env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  for await (const { filename } of changes) {
    if (filename?.startsWith('.killed.posthorn-') !== true) continue
    child.kill('SIGKILL')
    break
  }
  seen.abort()
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect((await readdir(site, { recursive: true })).toSorted()).toEqual(whole)
  expect(await build(site)).toMatchObject({ code: 0 })
  expect(await readdir(site)).not.toContain('old.html')
})

test.each([
  ['a folder in a file', '/etc/hostname/site', 'cannot be written'],
  ['a file', '/etc/hostname', 'is a file; name a folder'],
  ['a folder that cannot be made', '/sys/posthorn-site', '/sys/posthorn-site cannot be written'],
])('%s is refused in one line', async (_what, out, said) => {
  const ended = await build(out)
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(said)])
  expect(ended.stderr).toMatch(/^posthorn: [^\p{Cc}]+\n$/u)
})

test('an export that cannot be written is told in one line, and one that is written replaces the file as a whole', async () => {
  await using server = await serveOnLoopback((request, response) => {
    const body = request.url?.startsWith('/v1/meta') ? exampleMeta : { data: [], next_cursor: null, prev_cursor: null }
    response.writeHead(200, json).end(JSON.stringify(body))
  })
  const refused = await docs(['export', '--from', server.origin, '--out', folder])
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^posthorn: .* cannot be written: [^\n]+\n$/),
  })
  const out = await written('exported.json', 'x'.repeat(10_000))
  expect(await docs(['export', '--from', server.origin, '--out', out])).toMatchObject({ code: 0 })
  expect(JSON.parse(await readFile(out, 'utf8'))).toMatchObject({ event_types: [] })
  expect((await readdir(folder)).filter((name) => name.includes('exported'))).toEqual(['exported.json'])
})

test('a site with a schema of the largest size can be checked against', async () => {
  const schema = { type: 'object', properties: { a: { type: 'string', description: 'x'.repeat(64 * 1024 - 100) } } }
  const large = { ...source, event_types: [{ ...first, versions: [{ ...first?.versions[0], schema, examples: [] }] }] }
  const [site, from] = [join(folder, 'large'), await written('large.json', large)]
  expect(await build(site, from)).toMatchObject({ code: 0 })
  expect(await docs(['check', '--from', from, '--against', site])).toMatchObject({ code: 0, stderr: '' })
})

test('what a schema says in a warning does not move the cursor of a terminal', async () => {
  const schema = { type: 'object', properties: { '\u001b[2J\u202e': { $ref: '#/$defs/\u009bnowhere' } } }
  const from = await written('red.json', {
    ...source,
    event_types: [{ ...first, versions: [{ ...first?.versions[0], schema, examples: [] }] }],
  })
  const { stdout } = await build(join(folder, 'red'), from)
  expect(stdout).toContain('warning  ')
  expect(stdout).toMatch(/^[^\p{Cc}\p{Cf}]+$/mu)
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})
