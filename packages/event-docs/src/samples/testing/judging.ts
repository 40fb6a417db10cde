/** Sends a running sample every published request, and everything else that a receiver has to stand. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { parseSecret, signedHeaders } from '@posthorn/signing'
import type { SampleEntry } from '../manifest.ts'
import { type Environment, freePort, NotStarted, type Running, runToEnd, startServer } from './children.ts'
import { type FreshRequest, freshRequest, type RequestVector, requestVectors } from './fresh-requests.ts'
import type { Ready } from './toolchains.ts'

export type Judged = {
  /** How many published requests it was sent. */
  readonly requests: number
  /** What it judged otherwise than the vectors and may, with a library behind it. */
  readonly differs: readonly string[]
  /** What it did wrong. */
  readonly faults: readonly string[]
}

/** What stands between the request and the judgement. */
type Means = Pick<SampleEntry, 'framework' | 'usesLibrary'>
type Verdict = 'accepted' | 'refused' | string

/** Far more than a machine needs that has nothing else to do. */
const startTimeoutMs = 60_000
const answerTimeoutMs = 20_000
const portsMax = 3
const [firstVector] = requestVectors
const ordinarySecret = firstVector?.secrets[0] ?? ''

/** Of a server: one process for each set of secrets, all at once. */
export async function judgeServer(prepared: Ready, means: Means): Promise<Judged> {
  const groups = Map.groupBy(requestVectors, ({ secrets }) => secrets.join(' '))
  const ended = await Promise.allSettled([
    ...[...groups].map(([secrets, vectors]) =>
      serving(prepared, secrets, async (server) => {
        const verdicts: Part[] = []
        for (const vector of vectors) {
          verdicts.push(judged(vector, await verdictOf(server, freshRequest(vector, nowSeconds())), means))
        }
        if (secrets === ordinarySecret) verdicts.push(await judgeHabits(server))
        return merged(verdicts)
      }),
    ),
    judgeStart(prepared, { WEBHOOK_SECRET: ' ' }),
    judgeStart(prepared, { WEBHOOK_SECRET: 'whsec_' }),
  ])
  // All have ended before one that failed is told.
  const parts = ended.map((part) => {
    if (part.status === 'rejected') throw part.reason
    return part.value
  })
  return { requests: requestVectors.length, ...merged(parts) }
}

/** Of a command that judges one request: the body is its input, and the headers are in its environment. */
export async function judgeCommand(prepared: Ready, means: Means): Promise<Judged> {
  const parts: Part[] = []
  const verdict = async ({ headers, body }: FreshRequest, secrets: string | undefined): Promise<Verdict> => {
    const header = (name: string) =>
      headers.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : [])).join(', ')
    const env = {
      ...prepared.env,
      WEBHOOK_SECRET: secrets,
      ID: header('webhook-id'),
      TIMESTAMP: header('webhook-timestamp'),
      SIGNATURE: header('webhook-signature'),
    }
    const options = { cwd: prepared.cwd, env, timeoutMs: answerTimeoutMs, input: body }
    const { exitCode, output } = await runToEnd(prepared.command(0), options)
    if (exitCode === 0) return 'accepted'
    return exitCode === 1 && output.startsWith('refused: ') ? 'refused' : `ended with ${exitCode}: ${output}`
  }
  for (const vector of requestVectors) {
    parts.push(judged(vector, await verdict(freshRequest(vector, nowSeconds()), vector.secrets.join(' ')), means))
  }
  for (const secrets of [' ', 'whsec_']) {
    if ((await verdict(signedByNothing(), secrets)) === 'accepted')
      parts.push(fault(`with the secret "${secrets}" it accepts what everybody can sign`))
  }
  return { requests: requestVectors.length, ...merged(parts) }
}

type Part = { readonly differs: readonly string[]; readonly faults: readonly string[] }

function merged(parts: readonly Part[]): Part {
  return { differs: parts.flatMap(({ differs }) => differs), faults: parts.flatMap(({ faults }) => faults) }
}

function fault(what: string): Part {
  return { differs: [], faults: [what] }
}

/** Servers that give a program other header values than were sent. */
const mendedHeaders: Readonly<Record<string, readonly string[]>> = {
  // A tab is a space to it.
  'com.sun.net.httpserver': ['signatures: a tab between'],
}

/**
 * A library may read a header loosely, as long as a right signature stands in it, and may refuse a body that is no JSON
 * text. Nothing may accept what nobody with the secret has signed, or what is too old or too new.
 */
function judged({ name, expected, body }: RequestVector, verdict: Verdict, { usesLibrary, framework }: Means): Part {
  if (verdict === (expected.valid ? 'accepted' : 'refused')) return merged([])
  const isLoose = verdict === 'accepted' && expected.code === 'invalid_header'
  const isNoJson = verdict === 'refused' && expected.valid && (body === undefined || body === '')
  const isMended = isLoose && mendedHeaders[framework]?.includes(name) === true
  if (isMended || (usesLibrary && (isLoose || isNoJson))) return { differs: [name], faults: [] }
  return fault(`"${name}" (${expected.valid ? 'valid' : expected.code}): ${verdict}`)
}

async function serving(prepared: Ready, secrets: string, judge: (server: Running) => Promise<Part>): Promise<Part> {
  const server = await start(prepared, { WEBHOOK_SECRET: secrets })
  let part: Part
  try {
    part = await judge(server)
  } finally {
    await server.end()
  }
  const received = [...server.output().matchAll(/received (\S+)/g)].map(([, id = '']) => id)
  const repeated = received.find((id, at) => received.indexOf(id) !== at)
  return repeated === undefined ? part : merged([part, fault(`it took the event ${repeated} more than once`)])
}

async function start(prepared: Ready, secrets: Environment): Promise<Running> {
  for (let ports = 1; ; ports += 1) {
    const port = await freePort()
    const env = { ...prepared.env, WEBHOOK_SECRET: undefined, ...secrets, PORT: String(port) }
    try {
      return await startServer(prepared.command(port), { cwd: prepared.cwd, env, port, startTimeoutMs })
    } catch (error) {
      // Somebody else took the port in the meantime.
      const isTaken = error instanceof NotStarted && /in use|EADDRINUSE|AddrInUse/i.test(error.message)
      if (!isTaken || ports === portsMax) throw error
    }
  }
}

/** What no vector says: the same event at the same time, too long a body, and that neither stops the server. */
async function judgeHabits(server: Running): Promise<Part> {
  const faults: string[] = []
  const copies = await Promise.all(
    Array.from({ length: 8 }, () => verdictOf(server, signed('evt_eight', '{"eight":1}'))),
  )
  if (copies.some((verdict) => verdict !== 'accepted')) faults.push(`eight at once: ${copies.join(', ')}`)
  const long = await verdictOf(server, signed('evt_long', `"${'a'.repeat(2 * 1024 * 1024)}"`))
  if (long === 'accepted') faults.push('it accepts a body of 2 MiB')
  const after = await verdictOf(server, signed('evt_after', '{"after":1}'))
  if (after !== 'accepted') faults.push(`after too long a body: ${after}`)
  for (const id of ['evt_eight', 'evt_after']) {
    if (!server.output().includes(`received ${id}`)) await receivedLater(server, id, faults)
  }
  return { differs: [], faults }
}

/** What it writes may come after what it answers: one more answer gives it the time. */
async function receivedLater(server: Running, id: string, faults: string[]): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await verdictOf(server, signed('evt_round', '{}'))
    if (server.output().includes(`received ${id}`)) return
  }
  faults.push(`it answers 2xx to ${id} and never says that it took it`)
}

/** Without a secret it must not serve; at least it must refuse what is signed with an empty key. */
async function judgeStart(prepared: Ready, secrets: Environment): Promise<Part> {
  let server: Running
  try {
    server = await start(prepared, secrets)
  } catch (error) {
    if (error instanceof NotStarted && error.exitCode !== 0 && error.exitCode !== null) return merged([])
    throw error
  }
  try {
    const verdict = await verdictOf(server, signedByNothing())
    if (verdict === 'accepted')
      return fault(`with the secret "${secrets['WEBHOOK_SECRET']}" it accepts what everybody can sign`)
    return merged([])
  } finally {
    await server.end()
  }
}

function signed(id: string, body: string): FreshRequest {
  const headers = signedHeaders({ id, timestamp: nowSeconds(), body }, [parseSecret(ordinarySecret)])
  return { headers: Object.entries(headers), body: Buffer.from(body) }
}

/** With the key of no bytes, which a secret without a key would stand for. */
function signedByNothing(): FreshRequest {
  const vector = requestVectors.find(({ name }) => name === 'one signature, its secret')
  if (vector === undefined) throw new Error('the first of the vectors is gone')
  const { headers, body } = freshRequest(vector, nowSeconds())
  const headerOf = (name: string) => headers.find(([key]) => key === name)?.[1] ?? ''
  const hmac = createHmac('sha256', '')
    .update(`${headerOf('webhook-id')}.${headerOf('webhook-timestamp')}.`)
    .update(body)
  const signature = `v1,${hmac.digest('base64')}`
  return { headers: headers.map(([name, value]) => [name, name === 'webhook-signature' ? signature : value]), body }
}

async function verdictOf({ port }: Running, { headers, body }: FreshRequest): Promise<Verdict> {
  const lines = ['host', `127.0.0.1:${port}`, 'content-type', 'application/json', 'content-length', String(body.length)]
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/webhooks',
    method: 'POST',
    headers: [...lines, ...headers.flat()],
    agent: false,
    signal: AbortSignal.timeout(answerTimeoutMs),
  })
  try {
    sent.end(body)
    const [response] = await once(sent, 'response')
    await buffer(response).catch(() => undefined)
    const { statusCode } = response
    if (statusCode >= 200 && statusCode < 300) return 'accepted'
    return statusCode === 401 ? 'refused' : `answered ${statusCode}`
  } catch (error) {
    return `no answer: ${error instanceof Error ? error.message : error}`
  } finally {
    sent.on('error', () => undefined)
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
