/**
 * A whole Posthorn, as an operator starts it and with the guard as it comes, in a network in which every address answers:
 * what its API says, what it sends, and what it writes into the history.
 */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestDatabase, testMasterKeyText } from '@posthorn/engine/testing'
import { afterAll, expect, test } from 'vitest'
import { openNetwork } from './network.ts'

const network = await openNetwork()
afterAll(() => network[Symbol.asyncDispose]())

const publicAddress = '93.184.215.14'
const addressText = /\d+\.\d+\.\d+|[0-9a-f]*::/

test.skipIf(network.refusal !== undefined)(
  `a name that leads into the operator's network is refused by the API, and by every attempt once it does so later, ${network.where}`,
  async () => {
    await using posthorn = await startPosthorn()
    const { call } = posthorn
    await network.ask('say', 'hooks.example.com', { A: [publicAddress] })
    await network.ask('say', 'inside.example.com', { A: ['10.0.0.1'] })
    await call('PUT', '/v1/tenants/acme', {})

    for (const url of ['https://inside.example.com/', 'https://169.254.169.254/', 'https://127.0.0.1.nip.io/']) {
      const refused = await call('POST', '/v1/tenants/acme/subscriptions', { url, event_types: ['*'] })
      expect(refused).toMatchObject({ status: 422, body: { code: 'invalid_url', errors: [{ pointer: '/url' }] } })
      expect(refused.body['detail']).not.toMatch(addressText)
    }
    const url = 'https://hooks.example.com/in'
    const created = await call('POST', '/v1/tenants/acme/subscriptions', { url, event_types: ['*'] })
    expect(created.status).toBe(201)

    const event = { tenant: 'acme', type: 'invoice.paid', data: { paid: true } }
    expect(await call('POST', '/v1/events', event)).toMatchObject({ status: 202 })
    await network.ask('recorded', 1)
    expect(await network.ask('reached')).toMatchObject([
      { at: `${publicAddress}:443`, request: 'POST /in', host: 'hooks.example.com' },
    ])

    await network.ask('say', 'hooks.example.com', { A: [publicAddress, '169.254.169.254'] })
    const published = await call('POST', '/v1/events', event)
    await network.ask('recorded', 2)
    expect(await network.ask('reached')).toEqual([])
    const { body } = await call('GET', `/v1/deliveries?event=${published.body['id']}`)
    const [delivery] = body['data'] as { id: string }[]
    const attempts = await call('GET', `/v1/deliveries/${delivery?.id}/attempts`)
    expect(attempts.body['data']).toMatchObject([
      { failure_code: 'blocked_address', remote_address: null, response: null, timings: { connect_ms: null } },
    ])
    expect(JSON.stringify(attempts.body)).not.toMatch(/169\.254|93\.184/)

    // The subscription as it stands cannot be saved again, and says so without the address.
    const patched = await call('PATCH', `/v1/subscriptions/${created.body['id']}`, { url })
    expect(patched).toMatchObject({ status: 422, body: { code: 'invalid_url' } })
    expect(patched.body['detail']).not.toMatch(addressText)
  },
)

/** Posthorn in the network, over a database outside of it: the Unix socket between them belongs to no network. */
async function startPosthorn() {
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await createTestDatabase())
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-socket-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const socket = join(folder, 'postgres')
  const { hostname, port } = new URL(database.url)
  const server = createServer((inside) => {
    const outside = connect(Number(port), hostname)
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      from.on('error', () => undefined).on('close', () => to.destroy())
      from.pipe(to)
    }
  })
  await once(server.listen(socket), 'listening')
  stack.defer(() => void server.close())
  const authority = join(folder, 'authority.pem')
  await writeFile(authority, network.certificate)
  await network.ask(
    'serve',
    { socket, url: database.url },
    {
      POSTHORN_MASTER_KEY: testMasterKeyText,
      POSTHORN_CREATE_EVENT_TYPES: 'true',
      // How an operator makes Node trust an authority of their own.
      NODE_EXTRA_CA_CERTS: authority,
    },
  )
  stack.defer(() => network.ask('stop'))
  const parts = stack.move()
  return {
    async call(method: string, path: string, body?: unknown) {
      const answer = await network.ask('call', method, path, body)
      // Every answer of the API is a JSON object.
      return { status: answer.status, body: answer.body as Record<string, unknown> }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}
