import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { AddressLookupCode } from './address-resolver.ts'
import { createResolver } from './address-resolver.ts'

const openSockets: Socket[] = []
afterEach(() => {
  for (const socket of openSockets.splice(0)) socket.close()
})

/** What a name server says about a question: addresses, an error (RFC 1035 §4.1.1), or nothing at all. */
type Reply = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'silence'
const replyCodes = { NXDOMAIN: 3, SERVFAIL: 2 } as const

/** A name server for `host.test`, on a real socket. */
async function startNameServer(replies: { A: Reply; AAAA: Reply }) {
  const socket = createSocket('udp4')
  openSockets.push(socket)
  const asked: string[] = []
  socket.on('message', (query, client) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5)
    const type = question.readUInt16BE(question.length - 4) === 28 ? 'AAAA' : 'A'
    asked.push(type)
    const reply = replies[type]
    if (reply !== 'silence')
      socket.send(answer(query.subarray(0, 2), question, { type, reply }), client.port, client.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port }: AddressInfo = socket.address()
  return { server: `127.0.0.1:${port}`, asked, socket }
}

function answer(
  id: Buffer,
  question: Buffer,
  { type, reply }: { type: 'A' | 'AAAA'; reply: Exclude<Reply, 'silence'> },
) {
  const addresses = typeof reply === 'string' ? [] : reply
  const head = Buffer.alloc(10)
  head.writeUInt16BE(0x8180 | (typeof reply === 'string' ? replyCodes[reply] : 0), 0)
  head.writeUInt16BE(1, 2)
  head.writeUInt16BE(addresses.length, 4)
  const records = addresses.map((address) => {
    const data =
      type === 'A' ? Buffer.from(address.split('.').map(Number)) : Buffer.from(address.replaceAll(':', ''), 'hex')
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(type === 'A' ? 1 : 28, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  })
  return Buffer.concat([id, head, question, ...records])
}

const public6 = '2606:2800:021f:cb07:6820:80da:af6b:8b2c'
const { signal } = new AbortController()

async function lookUp(replies: { A: Reply; AAAA: Reply }, timeoutMs?: number) {
  const { server } = await startNameServer(replies)
  return createResolver({ servers: [server], ...(timeoutMs === undefined ? {} : { timeoutMs }) })('host.test', signal)
}

describe('a lookup', () => {
  test('gives the addresses of both families, IPv4 first', async () => {
    expect(await lookUp({ A: ['93.184.215.14', '10.0.0.1'], AAAA: [public6] })).toEqual([
      '93.184.215.14',
      '10.0.0.1',
      '2606:2800:21f:cb07:6820:80da:af6b:8b2c',
    ])
  })

  test('gives at most 32 addresses', async () => {
    const many = Array.from({ length: 28 }, (_, index) => `93.184.215.${index + 1}`)
    expect(await lookUp({ A: many, AAAA: Array.from({ length: 12 }, () => public6) })).toHaveLength(32)
  })

  test('is content with one family when the other has no record, fails or is silent', async () => {
    for (const AAAA of [[], 'NXDOMAIN', 'SERVFAIL', 'silence'] as const) {
      expect([AAAA, await lookUp({ A: ['93.184.215.14'], AAAA })]).toEqual([AAAA, ['93.184.215.14']])
    }
    expect(await lookUp({ A: 'SERVFAIL', AAAA: [public6] })).toHaveLength(1)
  })

  test.each<[Reply, Reply, AddressLookupCode]>([
    ['NXDOMAIN', 'NXDOMAIN', 'DNS_NOT_FOUND'],
    [[], [], 'DNS_NOT_FOUND'],
    ['SERVFAIL', 'SERVFAIL', 'DNS_UNAVAILABLE'],
    ['NXDOMAIN', 'SERVFAIL', 'DNS_UNAVAILABLE'],
    ['silence', 'silence', 'DNS_TIMEOUT'],
    ['NXDOMAIN', 'silence', 'DNS_TIMEOUT'],
  ])('A %j and AAAA %j is %s', async (A, AAAA, code) => {
    await expect(lookUp({ A, AAAA }, 300)).rejects.toMatchObject({ name: 'AddressLookupError', code })
  })

  test("ends when its signal aborts, with the signal's reason", async () => {
    const { server, socket } = await startNameServer({ A: 'silence', AAAA: 'silence' })
    const abort = new AbortController()
    const reason = new Error('no longer wanted')
    const addresses = createResolver({ servers: [server] })('host.test', abort.signal)
    await once(socket, 'message')
    abort.abort(reason)
    await expect(addresses).rejects.toBe(reason)
    await expect(createResolver({ servers: [server] })('host.test', abort.signal)).rejects.toBe(reason)
  })

  test('answers localhost with the loopback addresses, and asks nobody', async () => {
    const { server, asked } = await startNameServer({ A: ['93.184.215.14'], AAAA: [] })
    expect(await createResolver({ servers: [server] })('localhost', signal)).toEqual(['127.0.0.1', '::1'])
    expect(asked).toEqual([])
  })
})
