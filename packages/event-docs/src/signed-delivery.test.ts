import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { parseSecret, verify } from '@posthorn/signing'
import { expect, test } from 'vitest'
import type { Example } from './examples/examples.ts'
import { curlOf, documentedSendMs, publishedSecret, type SignedDelivery, signedDelivery } from './signed-delivery.ts'
import { documentationOf } from './testing/documentation.ts'

const documentation = documentationOf({})
const example = (value: unknown, name = 'Example 1'): Example => ({ name, value, generated: false })

function verified({ headers, body, secret }: SignedDelivery, now: Date) {
  const pairs = headers.map(({ name, value }) => [name, value] as const)
  return verify({ headers: Object.fromEntries(pairs), body, keys: [parseSecret(secret)], now })
}

type Received = { headers: IncomingMessage['headers']; body: Buffer }

async function receivedFrom(script: string): Promise<Received[]> {
  return (await sent(script)).received
}

/** Runs a script against a receiver on this machine, and gives what arrived there and what the script said. */
async function sent(script: string): Promise<{ received: Received[]; stdouts: string[] }> {
  const received: Received[] = []
  const stdouts: string[] = []
  const file = join(tmpdir(), `posthorn-curl-${randomUUID()}.sh`)
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await buffer(request) })
    response.writeHead(204).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const RECEIVER_URL = `http://127.0.0.1:${port}/hooks?a=1&b=2`
    writeFileSync(file, script)
    stdouts.push((await promisify(execFile)('sh', [file], { env: { ...process.env, RECEIVER_URL } })).stdout)
  } finally {
    rmSync(file, { force: true })
    server.close()
  }
  return { received, stdouts }
}

test('the signature of a documented delivery verifies at the documented time, and the secret says that it is public', () => {
  const delivery = signedDelivery(documentation, 'invoice.paid', example({ id: 'inv_1' }))
  expect(verified(delivery, new Date(documentedSendMs))).toMatchObject({ timestamp: documentedSendMs / 1000 })
  expect(delivery.body).toBe('{"type":"invoice.paid","timestamp":"2026-01-01T12:00:00.000Z","data":{"id":"inv_1"}}')
  expect(Buffer.from(publishedSecret.slice('whsec_'.length), 'base64').toString()).toContain('public')
  expect(() => verified(delivery, new Date(documentedSendMs + 3_600_000))).toThrow()
})

test('each header says whether the signature protects it', () => {
  const { headers } = signedDelivery(documentation, 'invoice.paid', example({}))
  const by = (wanted: string) => headers.filter(({ protection }) => protection === wanted).map(({ name }) => name)
  expect(by('signed')).toEqual(['webhook-id', 'webhook-timestamp'])
  expect(by('signature')).toEqual(['webhook-signature'])
  expect(by('unsigned')).toEqual(['content-type', 'user-agent', 'posthorn-event-type', 'posthorn-attempt'])
})

test('the same example is the same delivery, and another one has another id', () => {
  const idOf = (given: Example) =>
    signedDelivery(documentation, 'invoice.paid', given).headers.find(({ name }) => name === 'webhook-id')?.value
  expect(idOf(example({ a: 1 }))).toBe(idOf(example({ a: 1 })))
  expect(new Set([idOf(example({ a: 1 })), idOf(example({ a: 2 })), idOf(example({ a: 1 }, 'Example 2'))]).size).toBe(3)
})

const hostile = {
  quotes: `it's "quoted" \`id\` $(touch /tmp/never) \${HOME} %s %d \\n \\ !! 'x'; exit 1 #`,
  text: 'Zoë 漢 😀 \u2028\n\t\u0000',
  long: 'x'.repeat(200_000),
}

test('the command with the documented signature sends exactly the documented request', async () => {
  const delivery = signedDelivery(documentation, 'invoice.paid', example(hostile))
  const [request, ...others] = await receivedFrom(curlOf(delivery, 'fixed'))
  expect(others).toEqual([])
  expect(request?.body.toString()).toBe(delivery.body)
  const names = ['host', 'content-length', ...delivery.headers.map(({ name }) => name)]
  expect(Object.keys(request?.headers ?? {}).toSorted()).toEqual(names.toSorted())
  const keys = [parseSecret(delivery.secret)]
  const { headers = {}, body = '' } = request ?? {}
  expect(verify({ headers, body, keys, now: new Date(documentedSendMs) }).id).toMatch(/^evt_/)
})

test('the command with a fresh signature passes a receiver that looks at its clock', async () => {
  const delivery = signedDelivery(documentation, 'invoice.paid', example(hostile))
  const [request] = await receivedFrom(curlOf(delivery, 'fresh'))
  const { headers = {}, body = '' } = request ?? {}
  const { id } = verify({ headers, body, keys: [parseSecret(publishedSecret)], now: new Date() })
  expect(id).toBe(delivery.headers.find(({ name }) => name === 'webhook-id')?.value)
  expect(body.toString()).toBe(delivery.body)
  expect(headers['posthorn-event-type']).toBe('invoice.paid')
})

test('as the pages say, with another letter in the secret the command makes a forgery', async () => {
  const delivery = signedDelivery(documentation, 'invoice.paid', example({ id: 'inv_1' }))
  const middle = publishedSecret.length >> 1
  const letter = publishedSecret[middle] === 'A' ? 'B' : 'A'
  const other = publishedSecret.slice(0, middle) + letter + publishedSecret.slice(middle + 1)
  const [request] = await receivedFrom(curlOf(delivery, 'fresh').replace(publishedSecret, other))
  const { headers = {}, body = '' } = request ?? {}
  expect(() => verify({ headers, body, keys: [parseSecret(publishedSecret)], now: new Date() })).toThrow()
})

test('a command says with which status it was answered, and goes where the samples listen unless told otherwise', async () => {
  const script = curlOf(signedDelivery(documentation, 'invoice.paid', example({})), 'fresh')
  const { stdouts } = await sent(script)
  expect(stdouts).toEqual(['\nHTTP 204\n'])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an expansion of the shell
  expect(script).toContain('"${RECEIVER_URL:-http://127.0.0.1:8080/webhooks}"')
})
