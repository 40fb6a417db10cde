import { describe, expect, test } from 'vitest'
import type { AddressLookupCode } from './address-resolver.ts'
import { createResolver } from './address-resolver.ts'
import { type Name, type Reply, startNameServer } from './testing/name-server.ts'

const public6 = '2606:2800:021f:cb07:6820:80da:af6b:8b2c'
const { signal } = new AbortController()

/** Looks a name up of which these things are said. */
async function lookUp(name: Name, { timeoutMs, overTcp = true }: { timeoutMs?: number; overTcp?: boolean } = {}) {
  await using names = await startNameServer({ overTcp })
  names.say('host.test', name)
  const servers = [names.server]
  return await createResolver({ servers, ...(timeoutMs === undefined ? {} : { timeoutMs }) })('host.test', signal)
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

  test('is content with the first 32 of 1,000 addresses, which come over TCP because no datagram holds them', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `93.184.${index >> 8}.${index & 255}`)
    expect(await lookUp({ A: many })).toHaveLength(32)
    await expect(lookUp({ A: many }, { timeoutMs: 300, overTcp: false })).rejects.toMatchObject({
      name: 'AddressLookupError',
    })
  })

  test('follows aliases to their addresses, and finds none behind a ring of them', async () => {
    const chain = ['b.test', 'c.test', 'd.test']
    expect(await lookUp({ A: { aliases: chain, addresses: ['93.184.215.14'] } })).toEqual(['93.184.215.14'])
    const ring: Reply = { aliases: ['b.test', 'host.test'], addresses: [] }
    await expect(lookUp({ A: ring, AAAA: ring })).rejects.toMatchObject({ code: 'DNS_NOT_FOUND' })
    const nowhere: Reply = { aliases: chain, addresses: [] }
    await expect(lookUp({ A: nowhere, AAAA: nowhere })).rejects.toMatchObject({ code: 'DNS_NOT_FOUND' })
  })

  test('asks anew each time: nothing is kept', async () => {
    await using names = await startNameServer()
    names.say('host.test', { A: ['93.184.215.14'] }, { A: ['10.0.0.1'] })
    const resolve = createResolver({ servers: [names.server] })
    expect([await resolve('host.test', signal), await resolve('host.test', signal)]).toEqual([
      ['93.184.215.14'],
      ['10.0.0.1'],
    ])
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
    ['garbage', 'garbage', 'DNS_UNAVAILABLE'],
  ])('A %j and AAAA %j is %s', async (A, AAAA, code) => {
    await expect(lookUp({ A, AAAA }, { timeoutMs: 300 })).rejects.toMatchObject({ name: 'AddressLookupError', code })
  })

  test("ends when its signal aborts, with the signal's reason", async () => {
    await using names = await startNameServer()
    names.say('host.test', { A: 'silence', AAAA: 'silence' })
    const { server } = names
    const abort = new AbortController()
    const reason = new Error('no longer wanted')
    const addresses = createResolver({ servers: [server] })('host.test', abort.signal)
    await names.firstQuestion
    abort.abort(reason)
    await expect(addresses).rejects.toBe(reason)
    await expect(createResolver({ servers: [server] })('host.test', abort.signal)).rejects.toBe(reason)
  })

  test('answers localhost with the loopback addresses, and asks nobody', async () => {
    await using names = await startNameServer()
    names.say('localhost', { A: ['93.184.215.14'] })
    const { server, asked } = names
    expect(await createResolver({ servers: [server] })('localhost', signal)).toEqual(['127.0.0.1', '::1'])
    expect(asked).toEqual([])
  })
})
