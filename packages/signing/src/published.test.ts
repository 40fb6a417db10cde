/** The package as it is published: built outside the repository, imported by its name, without TypeScript. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { createInterface, type Interface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseSecret } from './secret.ts'
import { signedHeaders } from './sign.ts'

const run = promisify(execFile)
const runTimeoutMs = 20_000
const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const compiler = fileURLToPath(new URL('../bin/tsc', import.meta.resolve('typescript')))
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

let project: string

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'signing-published-'))
  const installed = join(project, 'node_modules', '@posthorn', 'signing')
  await mkdir(installed, { recursive: true })
  await run(execPath, [compiler, '-p', join(packageFolder, 'tsconfig.build.json'), '--outDir', join(installed, 'dist')])
  await cp(join(packageFolder, 'vectors'), join(installed, 'vectors'), { recursive: true })
  const exports = {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './vectors.json': './vectors/vectors.json',
  }
  await writeFile(
    join(installed, 'package.json'),
    JSON.stringify({ name: '@posthorn/signing', version: '0.0.0', type: 'module', exports }),
  )
}, runTimeoutMs)

afterAll(() => rm(project, { recursive: true, force: true }))

describe('the published package', () => {
  test('verifies and refuses every request of the published vectors in plain Node', {
    timeout: runTimeoutMs,
  }, async () => {
    await writeFile(join(project, 'vectors.mjs'), vectorsProgram)

    const { stdout } = await run(execPath, ['vectors.mjs'], { cwd: project, env: {} })

    const { requests, differences } = JSON.parse(stdout)
    expect(differences).toEqual([])
    expect(requests).toBeGreaterThan(60)
  })

  test('exports what the sources export, and no internals', { timeout: runTimeoutMs }, async () => {
    const program = `import * as signing from '@posthorn/signing'; console.log(Object.keys(signing).join())`
    const { stdout } = await run(execPath, ['--input-type=module', '-e', program], { cwd: project, env: {} })

    expect(stdout.trim().split(',')).toEqual(Object.keys(await import('./index.ts')).sort())
    const internal = `import '@posthorn/signing/dist/signature.js'`
    await expect(run(execPath, ['--input-type=module', '-e', internal], { cwd: project, env: {} })).rejects.toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    )
  })

  test('has types that need no other types, not even those of Node', { timeout: runTimeoutMs }, async () => {
    await writeFile(join(project, 'consumer.mts'), typedProgram)
    const options = { strict: true, noEmit: true, skipLibCheck: false, types: [], lib: ['es2023'], module: 'nodenext' }
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['consumer.mts'] }),
    )

    const { stdout } = await run(execPath, [compiler, '-p', project]).catch((error) => error)

    expect(stdout).toBe('')
  })

  test('reads only modules of Node: no dependency is needed', async () => {
    const dist = join(project, 'node_modules', '@posthorn', 'signing', 'dist')
    const sources = await Promise.all(
      ['index', 'base64', 'errors', 'headers', 'key-pair', 'keys', 'secret', 'sign', 'signature', 'verify'].map(
        (name) => readFile(join(dist, `${name}.js`), 'utf8'),
      ),
    )

    const imported = sources.flatMap((source) => [...source.matchAll(/ from '([^']+)'/g)].map(([, from]) => from))
    expect(imported.filter((from) => !/^(node:|\.\/[a-z0-9-]+\.js$)/.test(from ?? ''))).toEqual([])
    expect(imported).toContain('node:crypto')
  })
})

describe('the code of the README', () => {
  let receiver: ChildProcessByStdio<null, Readable, null>
  let lines: Interface
  let url: string

  beforeAll(async () => {
    const [receive = '', send = ''] = await codeBlocks()
    await writeFile(join(project, 'receive.mjs'), receive)
    await writeFile(join(project, 'send.mjs'), send)
    receiver = spawn(execPath, ['receive.mjs'], {
      cwd: project,
      env: { WEBHOOK_SECRET: secret, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    lines = createInterface(receiver.stdout)
    url = `http://127.0.0.1:${(await nextLine(lines)).slice('port '.length)}/`
  }, runTimeoutMs)

  afterAll(async () => {
    receiver.kill()
    await once(receiver, 'exit')
  })

  test('sends a webhook that it also receives', { timeout: runTimeoutMs }, async () => {
    const received = nextLine(lines)
    const { stdout } = await run(execPath, ['send.mjs'], {
      cwd: project,
      env: { WEBHOOK_SECRET: secret, RECEIVER_URL: url },
    })

    expect(stdout).toBe('204\n')
    expect(await received).toMatch(/^evt_42 /)
  })

  test('signs and verifies with a key pair', { timeout: runTimeoutMs }, async () => {
    const [, , pair = ''] = await codeBlocks()
    await writeFile(join(project, 'pair.mjs'), pair)

    const { stdout } = await run(execPath, ['pair.mjs'], { cwd: project, env: {} })

    expect(stdout).toBe('evt_42\n')
  })

  test('answers 400 to a forged request and 500 to what is authentic but cannot be parsed', async () => {
    const timestamp = Math.floor(Date.now() / 1000)
    const headers = signedHeaders({ id: 'evt_1', timestamp, body: 'no JSON' }, [parseSecret(secret)])

    expect((await fetch(url, { method: 'POST', headers, body: 'forged' })).status).toBe(400)
    expect((await fetch(url, { method: 'POST', headers, body: 'no JSON' })).status).toBe(500)
  })
})

async function codeBlocks(): Promise<string[]> {
  const readme = await readFile(join(packageFolder, 'README.md'), 'utf8')
  return [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code)
}

/** The next line a process prints; a process that ends before is an error. */
async function nextLine(lines: Interface): Promise<string> {
  const ended = once(lines, 'close').then(() => Promise.reject(new Error('the process ended')))
  const [line] = await Promise.race([once(lines, 'line'), ended])
  return line
}

const vectorsProgram = `
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parseSecret, verify, WebhookVerificationError } from '@posthorn/signing'

const path = createRequire(import.meta.url).resolve('@posthorn/signing/vectors.json')
const { requests } = JSON.parse(readFileSync(path, 'utf8'))
const differences = requests.filter((request) => outcomeOf(request) !== (request.expected.code ?? request.expected.id))
console.log(JSON.stringify({ requests: requests.length, differences }))

function outcomeOf(request) {
  const headers = {}
  for (const [name, value] of request.headers) headers[name] = [...(headers[name] ?? []), value]
  const body = request.body ?? Buffer.from(request.body_base64, 'base64')
  try {
    return verify({
      headers,
      body,
      keys: request.secrets.map(parseSecret),
      now: new Date(request.now * 1000),
      toleranceSeconds: request.tolerance_seconds,
    }).id
  } catch (error) {
    return error instanceof WebhookVerificationError ? error.code : String(error)
  }
}
`

const typedProgram = `
import { parsePrivateKey, parsePublicKey, parseSecret, type SigningKey } from '@posthorn/signing'
import { signedHeaders, verify, WebhookVerificationError } from '@posthorn/signing'

const keys: SigningKey[] = [parseSecret('text')]
const headers: Record<string, string> = signedHeaders({ id: 'evt_1', timestamp: 1, body: new Uint8Array() }, keys)
export const verified: { id: string; timestamp: number } = verify({ headers, body: '', keys, now: new Date() })
export function ageOf(error: WebhookVerificationError): number {
  return error.failure.code === 'timestamp_too_old' ? error.failure.ageSeconds : 0
}
signedHeaders({ id: 'evt_1', timestamp: 1, body: '' }, [...keys, parsePrivateKey('text')])
verify({ headers, body: '', keys: [...keys, parsePublicKey('text')], now: new Date() })
// @ts-expect-error a public key does not sign
signedHeaders({ id: 'evt_1', timestamp: 1, body: '' }, [parsePublicKey('text')])
// @ts-expect-error a private key does not verify
verify({ headers, body: '', keys: [parsePrivateKey('text')], now: new Date() })
// @ts-expect-error a key is no bytes
signedHeaders({ id: 'evt_1', timestamp: 1, body: '' }, [new Uint8Array(36)])
// @ts-expect-error a parsed body is no raw body
verify({ headers, body: { test: 1 }, keys, now: new Date() })
`
