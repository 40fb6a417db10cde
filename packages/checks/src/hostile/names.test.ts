/**
 * Name servers that lie, fail or say nothing, in a network in which every address answers: the resolver is the one of
 * production with the servers of `/etc/resolv.conf`, and nothing is allowed that is not public.
 */
import type { Name } from '@posthorn/engine/testing'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Guard } from './network/calls.ts'
import { openNetwork } from './network.ts'

const network = await openNetwork()
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  if (network.refusal !== undefined) return
  await network.ask('asked')
  await network.ask('reached')
})

const publicAddress = '93.184.215.14'
const publicAddress6 = '2606:2800:21f:cb07:6820:80da:af6b:8b2c'
const metadataAddress = '169.254.169.254'
const anyHttp: Guard = { allowHttp: true }

/** Says these things of a name of its own, and sends to it so many times. */
async function sendTo(hostname: string, names: readonly Name[], times = 1, guard = anyHttp) {
  await network.ask('say', hostname, ...names)
  const outcomes = []
  for (let sent = 0; sent < times; sent += 1) {
    outcomes.push(await network.ask('send', guard, `http://${hostname}/`, 2_000))
  }
  return { outcomes, reached: (await network.ask('reached')).map(({ at }) => at) }
}

describe.skipIf(network.refusal !== undefined)(`names that lead astray, ${network.where}`, () => {
  test('a name that is bound anew with every question is judged with every connection, and asked for once', async () => {
    const turns = [publicAddress, metadataAddress, publicAddress, '127.0.0.1', '10.0.0.1'].map((A) => ({ A: [A] }))
    const { outcomes, reached } = await sendTo('turns.example.com', turns, turns.length)
    expect(outcomes.map(({ status, failureCode }) => status ?? failureCode)).toEqual([
      200,
      'blocked_address',
      200,
      'blocked_address',
      'blocked_address',
    ])
    expect(reached).toEqual([`${publicAddress}:80`, `${publicAddress}:80`])
    expect(await network.ask('asked')).toHaveLength(2 * turns.length)
  })

  test.each<[string, Name]>([
    ['a public and a private address', { A: [publicAddress, '10.0.0.1'] }],
    ['a private and a public address', { A: ['192.168.0.1', publicAddress] }],
    ['a public IPv4 and a private IPv6 address', { A: [publicAddress], AAAA: ['fd00::1'] }],
    ['a private IPv4 and a public IPv6 address', { A: ['10.0.0.1'], AAAA: [publicAddress6] }],
    ['loopback', { A: ['127.0.0.1'], AAAA: ['::1'] }],
    ['no address at all: 0.0.0.0', { A: ['0.0.0.0'], AAAA: ['::'] }],
    ['IPv4-mapped loopback', { AAAA: ['::ffff:127.0.0.1'] }],
    ['IPv4-compatible loopback', { AAAA: ['::127.0.0.1'] }],
    ['loopback through NAT64', { AAAA: ['64:ff9b::7f00:1'] }],
    ['loopback through 6to4', { AAAA: ['2002:7f00:1::'] }],
    ['an alias of localhost', { A: { aliases: ['localhost'], addresses: ['127.0.0.1'] } }],
    [
      'a chain of aliases that ends in a private network',
      { A: { aliases: ['a.example.net', 'b.example.org', 'db.internal'], addresses: ['10.0.0.1'] } },
    ],
    [
      '1,000 addresses of which the first is private',
      { A: ['10.0.0.1', ...Array.from({ length: 999 }, (_, n) => `93.184.${n >> 8}.${n & 255}`)] },
    ],
  ])('a name with %s reaches nobody', async (what, name) => {
    const { outcomes, reached } = await sendTo(hostnameFor(what), [name])
    expect(outcomes).toMatchObject([{ status: null, failureCode: 'blocked_address', remoteAddress: null }])
    expect(reached).toEqual([])
    const saved = await network.ask('save', anyHttp, `http://${hostnameFor(what)}/`)
    expect(saved).toMatchObject({ verdict: 'blocked_address' })
    expect(JSON.stringify([saved, outcomes[0]?.failureDetail])).not.toMatch(/\d+\.\d+\.\d+|::/)
  })

  test('of 1,000 addresses the first 32 count, and none of the others is ever connected to', async () => {
    const many = Array.from({ length: 999 }, (_, n) => `93.184.${n >> 8}.${n & 255}`)
    const { outcomes, reached } = await sendTo('many.example.com', [{ A: [...many, '10.0.0.1'] }])
    expect(outcomes).toMatchObject([{ status: 200, failureCode: null }])
    expect(many.slice(0, 32)).toContain(reached[0]?.replace(':80', ''))
    expect(reached).toHaveLength(1)
  })

  test('a chain of aliases to a public address is followed, whatever the names in between are', async () => {
    const A = { aliases: ['localhost', 'db.internal', 'c.example.com'], addresses: [publicAddress] }
    const { outcomes, reached } = await sendTo('chain.example.com', [{ A }])
    expect(outcomes).toMatchObject([{ status: 200, remoteAddress: publicAddress }])
    expect(reached).toEqual([`${publicAddress}:80`])
  })

  test('a public IPv6 address is called', async () => {
    const { outcomes, reached } = await sendTo('six.example.com', [{ AAAA: [publicAddress6] }])
    expect(outcomes).toMatchObject([{ status: 200, remoteAddress: publicAddress6 }])
    expect(reached).toEqual([`${publicAddress6}:80`])
  })
})

describe.skipIf(network.refusal !== undefined)(`name servers that fail, ${network.where}`, () => {
  test.each<[string, Name]>([
    ['know no such name', { A: 'NXDOMAIN', AAAA: 'NXDOMAIN' }],
    ['know no address of it', {}],
    ['say that they fail', { A: 'SERVFAIL', AAAA: 'SERVFAIL' }],
    ['say nothing', { A: 'silence', AAAA: 'silence' }],
    ['say nothing of one family and know none of the other', { A: 'silence', AAAA: 'NXDOMAIN' }],
    ['send what is no answer', { A: 'garbage', AAAA: 'garbage' }],
    [
      'lead round in a ring of aliases',
      { A: { aliases: ['b.example.com', hostnameFor('lead round in a ring of aliases')], addresses: [] } },
    ],
    ['lead to an alias that has no address', { A: { aliases: ['nowhere.example.com'], addresses: [] } }],
  ])('when they %s, the name is not found, and it is told in time', async (what, name) => {
    const { outcomes, reached } = await sendTo(hostnameFor(what), [name])
    expect(outcomes).toMatchObject([{ status: null, failureCode: 'dns_not_found', remoteAddress: null }])
    expect(outcomes[0]?.timings.total).toBeLessThan(2_500)
    expect(reached).toEqual([])
    expect(await network.ask('save', anyHttp, `http://${hostnameFor(what)}/`)).toMatchObject({
      verdict: 'unresolvable',
    })
  })

  test('a family of addresses that nobody answers for does not hold up the other one', async () => {
    const { outcomes } = await sendTo('half.example.com', [{ A: [publicAddress], AAAA: 'silence' }])
    expect(outcomes).toMatchObject([{ status: 200, remoteAddress: publicAddress }])
  })
})

describe.skipIf(network.refusal !== undefined)(`the lists of the operator, ${network.where}`, () => {
  test.each<[string, string, string | null]>([
    ['receiver.corp:8080', 'http://receiver.corp:8080/', '10.1.2.3:8080'],
    ['receiver.corp:8080', 'http://receiver.corp/', null],
    ['receiver.corp', 'http://receiver.corp/', '10.1.2.3:80'],
    ['receiver.corp', 'http://other.corp/', null],
    ['10.1.0.0/16', 'http://other.corp/', '10.1.2.3:80'],
    ['10.1.0.0/16', 'http://10.1.255.255:8080/', '10.1.255.255:8080'],
    ['10.1.0.0/16', 'http://10.2.0.0/', null],
    ['10.1.0.0/16:8080', 'http://10.1.0.1/', null],
    ['10.1.2.3', 'http://10.1.2.3/', '10.1.2.3:80'],
    ['10.1.2.3', 'http://[::ffff:10.1.2.3]/', '10.1.2.3:80'],
    ['[fd00::5]:8080', 'http://[fd00::5]:8080/', 'fd00::5:8080'],
    ['[fd00::5]:8080', 'http://[fd00::6]:8080/', null],
    ['fd00::/8', 'http://[fd12:3456::1]/', 'fd12:3456::1:80'],
  ])('"%s" on the allow list: %s leads to %s', async (allowed, url, at) => {
    for (const hostname of ['receiver.corp', 'other.corp']) await network.ask('say', hostname, { A: ['10.1.2.3'] })
    const guard = { allowHttp: true, allowed }
    expect(await network.ask('save', guard, url)).toMatchObject({ verdict: at === null ? 'blocked_address' : 'ok' })
    const outcome = await network.ask('send', guard, url)
    expect(outcome.failureCode).toBe(at === null ? 'blocked_address' : null)
    expect((await network.ask('reached')).map((one) => one.at)).toEqual(at === null ? [] : [at])
  })

  test.each<[string, string]>([
    ['rival.example', 'http://hooks.rival.example/'],
    ['93.184.215.0/24', 'http://partner.example.com/'],
    ['93.184.215.14:80', 'http://93.184.215.14/'],
    ['10.1.2.3', 'http://receiver.corp/'],
  ])('"%s" on the block list: %s reaches nobody, although it is allowed otherwise', async (blocked, url) => {
    for (const hostname of ['hooks.rival.example', 'partner.example.com'])
      await network.ask('say', hostname, { A: [publicAddress] })
    await network.ask('say', 'receiver.corp', { A: ['10.1.2.3'] })
    const guard = { allowHttp: true, allowed: 'receiver.corp, 10.0.0.0/8' }
    expect(await network.ask('send', guard, url)).toMatchObject({ status: 200 })
    await network.ask('reached')
    expect(await network.ask('save', { ...guard, blocked }, url)).toMatchObject({ verdict: 'blocked_address' })
    expect(await network.ask('send', { ...guard, blocked }, url)).toMatchObject({ failureCode: 'blocked_address' })
    expect(await network.ask('reached')).toEqual([])
  })
})

/** A name of its own for each case: what is said of one is not what was said of another. */
function hostnameFor(what: string): string {
  return `${what
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/-$/, '')}.example.com`
}
