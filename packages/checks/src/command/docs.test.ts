/** `posthorn docs`, as an operator runs it, against a started server. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Served, startServed } from '../sdk/serving.ts'
import { docs, type Ended } from './posthorn-command.ts'

const main = fileURLToPath(new URL('../../../../apps/posthorn/src/main.ts', import.meta.url))
const timeout = 120_000

const invoice = (properties: Record<string, unknown>) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
})

let served: Served
let folder: string

beforeAll(async () => {
  served = await startServed()
  folder = await mkdtemp(join(tmpdir(), 'posthorn-docs-'))
  const { eventTypes } = served.posthorn
  await eventTypes.put('invoice.paid', { description: 'Sent when an invoice is paid.', group: 'Invoices' })
  await eventTypes.createVersion('invoice.paid', {
    schema: invoice({ invoice_id: { type: 'string' }, status: { enum: ['paid', 'settled'] } }),
    examples: [{ invoice_id: 'inv_42', status: 'paid' }],
  })
}, timeout)

afterAll(async () => {
  await served?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** In a process of its own, as an operator runs it. */
async function spawned(words: readonly string[], environment: Record<string, string>): Promise<Ended> {
  const { execPath, env } = inject('machine')
  const child = spawn(execPath, [main, 'docs', ...words], {
    env: { ...env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code: code ?? -1, stdout, stderr }
}

const key = () => ({ POSTHORN_API_KEY: served.adminKey })

test('a site is built from a running installation, and the same site from what was exported', { timeout }, async () => {
  const [site, file, other] = [join(folder, 'site'), join(folder, 'exported.json'), join(folder, 'other')]
  const base = ['--base-url', 'https://docs.acme.example/webhooks']
  const built = await spawned(['build', '--from', served.origin, '--out', site, ...base], key())
  expect(built).toMatchObject({ code: 0, stderr: '' })
  expect(built.stdout).toContain('1 event types, ')
  expect(await readFile(join(site, 'events/invoice.paid.html'), 'utf8')).toContain('Sent when an invoice is paid.')
  expect(await docs(['export', '--from', served.origin, '--out', file], key())).toMatchObject({ code: 0, stderr: '' })
  expect(await docs(['build', '--from', file, '--out', other, '--api-url', served.origin, ...base])).toMatchObject({
    code: 0,
    stderr: '',
  })
  const names = (await readdir(site, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  expect(names.length).toBeGreaterThan(40)
  for (const { name, parentPath } of names) {
    const [one, two] = await Promise.all(
      [parentPath, parentPath.replace(site, other)].map((parent) => readFile(join(parent, name), 'utf8')),
    )
    expect([name, two]).toEqual([name, one])
  }
})

test('a build takes the place of the one before, and of nothing else', { timeout }, async () => {
  const site = join(folder, 'again')
  expect((await docs(['build', '--from', served.origin, '--out', site], key())).code).toBe(0)
  await writeFile(join(site, 'old.html'), 'of a build before')
  expect((await docs(['build', '--from', served.origin, '--out', site], key())).code).toBe(0)
  expect(await readdir(site)).not.toContain('old.html')
  const mine = join(folder, 'mine')
  await mkdir(mine)
  await writeFile(join(mine, 'thesis.txt'), 'years of work')
  const refused = await docs(['build', '--from', served.origin, '--out', mine], key())
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('holds files that no build of ours has made'),
  ])
  expect(await readFile(join(mine, 'thesis.txt'), 'utf8')).toBe('years of work')
})

test('a check ends with 1 when receivers would break, and says where', { timeout }, async () => {
  const [site, next] = [join(folder, 'published'), join(folder, 'next.json')]
  await docs(['build', '--from', served.origin, '--out', site], key())
  const same = await docs(['check', '--from', served.origin, '--against', site], key())
  expect(same).toMatchObject({ code: 0, stderr: '' })
  await docs(['export', '--from', served.origin, '--out', next], key())
  const source = JSON.parse(await readFile(next, 'utf8'))
  const [{ versions }] = source.event_types
  const schema = invoice({ invoice_id: { type: ['string', 'null'] }, status: { enum: ['paid', 'settled', 'void'] } })
  versions.push({ ...versions[0], version: 2, schema, examples: [] })
  await writeFile(next, JSON.stringify(source))
  const broken = await docs(['check', '--from', next, '--against', site])
  expect([broken.code, broken.stderr]).toEqual([1, 'posthorn: receivers of what is published would break\n'])
  expect(broken.stdout).toContain('data.invoice_id')
  expect(broken.stdout).toContain('data.status')
})

test("the operator's own build shows what was really published, and no other does", { timeout }, async () => {
  await served.posthorn.tenants.put('acme')
  const data = { invoice_id: 'inv_1', status: 'paid', secret_field: true }
  await served.posthorn.events.publish({ tenant: 'acme', type: 'invoice.paid', data })
  const [own, open] = [join(folder, 'own'), join(folder, 'open')]
  expect(await docs(['build', '--from', served.origin, '--out', own, '--observations'], key())).toMatchObject({
    code: 0,
  })
  expect(await docs(['build', '--from', served.origin, '--out', open], key())).toMatchObject({ code: 0 })
  const [shown, hidden] = await Promise.all(
    [own, open].map((site) => readFile(join(site, 'events/invoice.paid.html'), 'utf8')),
  )
  expect(shown).toContain('<code>data.secret_field</code>')
  expect(shown).toContain('seen, not declared')
  expect(hidden).not.toContain('secret_field')
})

test.each([
  [['build'], 2, '--out is missing'],
  [['build', '--out', 'site'], 2, '--from is missing'],
  [['print'], 2, 'wants build, export or check, not "print"'],
  [['build', '--from', '/nowhere.json', '--out', 'site'], 1, '/nowhere.json cannot be read'],
  [['check', '--from', '/nowhere.json', '--against', 'site'], 1, '/nowhere.json cannot be read'],
])('posthorn docs %j ends with %d and says “%s”', async (words, code, said) => {
  const ended = await docs(words)
  expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(said)])
})

test('without a key, and with two names that differ only in case, it says what to do', { timeout }, async () => {
  expect(await docs(['build', '--from', served.origin, '--out', join(folder, 'a')])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('POSTHORN_API_KEY is not set'),
  })
  const file = join(folder, 'twins.json')
  await docs(['export', '--from', served.origin, '--out', file], key())
  const source = JSON.parse(await readFile(file, 'utf8'))
  const [{ event_type }] = source.event_types
  source.event_types.push({ event_type: { ...event_type, name: 'Invoice.Paid' }, versions: [] })
  await writeFile(file, JSON.stringify(source))
  const refused = await docs(['build', '--from', file, '--out', join(folder, 'b')])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('"invoice.paid" and "Invoice.Paid" differ only in upper and lower case')
})
