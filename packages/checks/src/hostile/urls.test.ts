/**
 * The 73 cases of hostile URLs, judged when they are saved and when they are sent to.
 *
 * First as any machine can tell it: with the real resolver and a name server of ours, and without anybody to connect to.
 * Then in a network in which every address answers and nothing is allowed that is not public: what the guard lets through
 * arrives, and what it refuses reaches nobody.
 */
import { Problem } from '@posthorn/contract'
import { createSender } from '@posthorn/dispatcher'
import { type AddressPolicy, createResolver, createUrlCheck } from '@posthorn/engine'
import {
  type HostileUrl,
  hostileNames,
  hostileOwnHosts,
  hostileUrls,
  startNameServer,
  type UrlVerdict,
} from '@posthorn/engine/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Guard } from './network/calls.ts'
import { openNetwork } from './network.ts'

const network = await openNetwork()
const names = await startNameServer()
beforeAll(() => tellNames((hostname, answers) => names.say(hostname, ...answers)))
afterAll(async () => {
  await names[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

/** Every URL as it is written, and where only https is allowed also as the same place over https. */
const cases = hostileUrls.flatMap((one) => [
  ...[true, false].map((allowHttp) => ({ ...one, ...verdicts(one, allowHttp), allowHttp })),
  ...(one.url.startsWith('http:') ? [{ ...one, url: one.url.replace('http:', 'https:'), allowHttp: false }] : []),
])
const titled = cases.map((one) => ({
  ...one,
  shown: JSON.stringify(one.url.slice(0, 60)),
  mode: one.allowHttp ? 'http allowed' : 'https only',
}))

describe('a hostile URL, without a network', () => {
  test.each(titled)('case $number, $mode: $shown is $saved when it is saved', async ({ url, saved, allowHttp }) => {
    tellNames((hostname, answers) => names.say(hostname, ...answers))
    const check = createUrlCheck(policyOf({ allowHttp }), createResolver({ servers: [names.server] }))
    expect(await check(url).then(() => 'ok', reasonOf)).toBe(saved)
  })

  const unsent = titled.filter(({ sent }) => sent === 'blocked_address')
  test.each(unsent)('case $number, $mode: $shown is not sent to', async ({ url, text, allowHttp }) => {
    tellNames((hostname, answers) => names.say(hostname, ...answers.slice(-1)))
    const asked = names.asked.length
    const resolve = createResolver({ servers: [names.server] })
    const sender = createSender({ policy: policyOf({ allowHttp }), resolve })
    const outcome = await sender.send({ url, headers: {}, body: '{}', timeoutMs: 5_000 })
    await sender.close()
    expect(outcome).toMatchObject({ status: null, failureCode: 'blocked_address', remoteAddress: null })
    expect(outcome.failureDetail).not.toMatch(/\d+\.\d+\.\d+|::/)
    // Whoever is refused by the text does not even make us ask.
    if (text !== 'ok') expect(names.asked).toHaveLength(asked)
  })
})

describe.skipIf(network.refusal !== undefined)(`a hostile URL, ${network.where}`, () => {
  test.each(titled)(
    'case $number, $mode: $shown is $saved when it is saved, and then $sent',
    async ({ url, saved, sent, allowHttp }) => {
      for (const [hostname, answers] of Object.entries(hostileNames)) await network.ask('say', hostname, ...answers)
      const check = await network.ask('save', { allowHttp }, url)
      expect(check).toMatchObject({ verdict: saved })
      expect(await network.ask('reached')).toEqual([])
      const outcome = await network.ask('send', { allowHttp }, url)
      expect(outcome).toMatchObject({ failureCode: sent })
      const reached = await network.ask('reached')
      if (sent === 'blocked_address') {
        expect(outcome).toMatchObject({ status: null, remoteAddress: null })
        expect(reached).toEqual([])
      } else {
        expect(reached).toHaveLength(1)
        expect(reached[0]).toMatchObject({ request: expect.stringContaining('POST /'), body: '{}' })
      }
      // No sentence tells where a name leads.
      expect(`${check.verdict === 'ok' ? '' : check.detail} ${outcome.failureDetail}`).not.toMatch(/\d+\.\d+\.\d+|::/)
    },
  )

  test('case 70: three spellings of one place are stored as one', async () => {
    const spellings = ['https://EXAMPLE.com', 'https://example.com:443/', 'https://example.com.:443/']
    for (const url of spellings)
      expect(await network.ask('save', { allowHttp: false }, url)).toEqual({
        verdict: 'ok',
        url: 'https://example.com/',
      })
  })

  test('case 69: a name in another script is stored and called as the punycode that the name server sees', async () => {
    await network.ask('asked')
    expect(await network.ask('save', { allowHttp: false }, 'https://аррӏе.com/')).toEqual({
      verdict: 'ok',
      url: 'https://xn--80ak6aa92e.com/',
    })
    expect(await network.ask('asked')).toContain('AAAA xn--80ak6aa92e.com')
  })

  test('case 68: line ends in a path stay percent-encoded on their way', async () => {
    await network.ask('send', { allowHttp: false }, 'https://example.com/%0d%0aX-Injected:1')
    expect(await network.ask('reached')).toMatchObject([{ request: 'POST /%0d%0aX-Injected:1', host: 'example.com' }])
  })

  test('the network would carry what the guard refuses: with a guard that allows everything, it arrives', async () => {
    const nothingRefused: Guard = { allowHttp: true, allowed: '0.0.0.0/0, ::/0' }
    for (const [url, at] of [
      ['http://169.254.169.254/latest/meta-data/', '169.254.169.254:80'],
      ['http://127.1/', '127.0.0.1:80'],
      ['http://10.0.0.1:8080/', '10.0.0.1:8080'],
      ['http://[fd00:ec2::254]/', 'fd00:ec2::254:80'],
      ['http://[64:ff9b::7f00:1]/', '64:ff9b::7f00:1:80'],
    ] as const) {
      expect(await network.ask('send', nothingRefused, url)).toMatchObject({ status: 200 })
      expect(await network.ask('reached')).toMatchObject([{ at }])
    }
  })
})

/** Where only https is allowed, whatever begins with `http:` is refused for that, unless it is misspelt. */
function verdicts({ url, text, saved, sent }: HostileUrl, allowHttp: boolean): Pick<HostileUrl, 'saved' | 'sent'> {
  const misspelt = ['too_long', 'invalid_character', 'not_a_url', 'credentials', 'fragment'].includes(text)
  if (allowHttp || misspelt || !url.startsWith('http:')) return { saved, sent }
  // Our own hosts are refused before the scheme is looked at.
  return { saved: 'scheme', sent: 'blocked_address' }
}

function tellNames(say: (hostname: string, answers: (typeof hostileNames)[string]) => void): void {
  for (const [hostname, answers] of Object.entries(hostileNames)) say(hostname, answers)
}

function policyOf({ allowHttp }: Guard): AddressPolicy {
  return { allowHttp, allowed: [], ownHosts: hostileOwnHosts }
}

function reasonOf(error: unknown): UrlVerdict {
  if (!(error instanceof Problem)) throw error
  // The refusal itself: the detail is for people.
  return Object(error.cause).reason
}
