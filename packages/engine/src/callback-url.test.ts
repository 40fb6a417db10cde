import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AddressPolicy } from './address-policy.ts'
import { parseAllowedReceivers, parseBlockedReceivers } from './address-policy.ts'
import type { AddressLookupCode, Resolve } from './address-resolver.ts'
import { AddressLookupError } from './address-resolver.ts'
import type { CallbackUrlReason } from './callback-url.ts'
import { checkResolved, parseCallbackUrl, resolveCallbackHost } from './callback-url.ts'
import { hostileOwnHosts, hostileUrls } from './testing/hostile-urls.ts'

const httpToo: AddressPolicy = { allowHttp: true, allowed: [], ownHosts: hostileOwnHosts }
const httpsOnly: AddressPolicy = { ...httpToo, allowHttp: false }

function urlOfLength(length: number): string {
  return 'https://example.com/'.padEnd(length, 'a')
}

function verdictOf(url: string, policy: AddressPolicy): CallbackUrlReason | 'ok' {
  const result = parseCallbackUrl(url, policy)
  return result.ok ? 'ok' : result.reason
}

/** Refusals that come from the spelling and therefore before the scheme is looked at. */
const spellingReasons = new Set<CallbackUrlReason | 'ok'>([
  'too_long',
  'invalid_character',
  'not_a_url',
  'credentials',
  'fragment',
])

describe('the text of a hostile URL', () => {
  const cases = hostileUrls.map((one) => ({ ...one, shown: JSON.stringify(one.url.slice(0, 60)) }))

  test.each(cases)('case $number, http allowed: $shown is $text', ({ url, text }) => {
    expect(verdictOf(url, httpToo)).toBe(text)
  })

  test.each(cases)('case $number, https only: $shown is refused where it is http, and else $text', ({ url, text }) => {
    const refusedAsHttp = url.startsWith('http:') && !spellingReasons.has(text)
    expect(verdictOf(url, httpsOnly)).toBe(refusedAsHttp ? 'scheme' : text)
    // The same place reached over https must not be any better.
    if (url.startsWith('http:')) expect(verdictOf(url.replace('http:', 'https:'), httpsOnly)).toBe(text)
  })

  test('every one of the 73 cases is in the table', () => {
    expect([...new Set(hostileUrls.map(({ number }) => number))]).toEqual(
      Array.from({ length: 73 }, (_, index) => index + 1),
    )
  })
})

describe('what the table does not say', () => {
  test('an accepted URL is given back normalised, and judging it again changes nothing', () => {
    for (const url of [
      'https://EXAMPLE.com',
      'https://example.com:443/',
      'https://example.com.:443/',
      'HTTPS://example.com/',
    ]) {
      expect(parseCallbackUrl(url, httpsOnly)).toEqual({
        ok: true,
        url: 'https://example.com/',
        hostname: 'example.com',
        port: 443,
      })
    }
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, validSchemes: ['https'] }), (url) => {
        const first = parseCallbackUrl(url, httpsOnly)
        if (first.ok) expect(parseCallbackUrl(first.url, httpsOnly)).toEqual(first)
      }),
    )
  })

  test('a name in another script is given back as the punycode that the name servers see', () => {
    expect(parseCallbackUrl('https://аррӏе.com/', httpsOnly)).toMatchObject({ hostname: 'xn--80ak6aa92e.com' })
  })

  test('line ends that are percent-encoded in the path stay percent-encoded', () => {
    expect(parseCallbackUrl('https://example.com/%0d%0aX-Injected:1', httpsOnly)).toMatchObject({
      url: 'https://example.com/%0d%0aX-Injected:1',
    })
  })

  test('2,048 characters are accepted, unless escaping makes them more', () => {
    expect(verdictOf(urlOfLength(2048), httpsOnly)).toBe('ok')
    expect(verdictOf(`https://example.com/${'é'.repeat(1000)}`, httpsOnly)).toBe('too_long')
  })

  test('an IPv6 address is accepted when it is public, and its host name comes without brackets', () => {
    expect(parseCallbackUrl('https://[2606:4700::1111]:8443/hook', httpsOnly)).toEqual({
      ok: true,
      url: 'https://[2606:4700::1111]:8443/hook',
      hostname: '2606:4700::1111',
      port: 8443,
    })
  })

  test('no text at all makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void parseCallbackUrl(text, httpToo)),
    )
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        (text) => void parseCallbackUrl(`https://${text}`, httpToo),
      ),
    )
  })
})

describe('allowed receivers', () => {
  function allowing(text: string): AddressPolicy {
    return { ...httpsOnly, allowed: parseAllowedReceivers(text) }
  }

  test('a receiver on the allow list may use http, an internal name and any port that the entry covers', () => {
    const policy = allowing('receiver, db.internal:5432, lan, 127.0.0.1:9000, [::1]:9000')
    for (const url of [
      'http://receiver/',
      'http://receiver:22/',
      'http://db.internal:5432/',
      'http://127.1:9000/',
      'http://[::1]:9000/',
    ]) {
      expect([url, verdictOf(url, policy)]).toEqual([url, 'ok'])
    }
    expect(verdictOf('http://db.internal/', policy)).toBe('scheme')
    expect(verdictOf('https://db.internal:5433/', policy)).toBe('hostname')
    expect(verdictOf('https://127.0.0.1:9001/', policy)).toBe('blocked_address')
    expect(verdictOf('https://127.0.0.2:9000/', policy)).toBe('blocked_address')
    expect(verdictOf('http://lan/', policy)).toBe('ok')
    expect(verdictOf('https://printer.lan/', policy)).toBe('hostname')
  })

  test('doubtful spelling is refused for them too', () => {
    expect(verdictOf('http://user@receiver/', allowing('receiver'))).toBe('credentials')
  })

  test('this installation itself is refused even when it is on the allow list', () => {
    expect(verdictOf('https://posthorn.example.com/', allowing('posthorn.example.com'))).toBe('hostname')
    const rooted = { ...httpsOnly, ownHosts: ['Posthorn.example.com.', 'other.example.com.:8443'] }
    expect(verdictOf('https://posthorn.example.com:9000/', rooted)).toBe('hostname')
    expect(verdictOf('https://other.example.com:8443/', rooted)).toBe('hostname')
    expect(verdictOf('https://other.example.com/', rooted)).toBe('ok')
  })
})

describe('blocked receivers', () => {
  const policy: AddressPolicy = {
    ...httpsOnly,
    allowed: parseAllowedReceivers('receiver.corp, 10.0.0.0/8'),
    blocked: parseBlockedReceivers(
      'rival.example, receiver.corp:8443, 10.9.0.0/16, 93.184.215.14, [2606:4700::]/32:8443',
    ),
  }

  test.each([
    ['https://rival.example/', 'blocked_address'],
    ['https://hooks.eu.rival.example/', 'blocked_address'],
    ['https://notrival.example/', 'ok'],
    ['https://rival.example.com/', 'ok'],
    ['https://receiver.corp/', 'ok'],
    ['https://receiver.corp:8443/', 'blocked_address'],
    ['https://10.1.2.3/', 'ok'],
    ['https://10.9.8.7/', 'blocked_address'],
    ['https://[::ffff:10.9.8.7]/', 'blocked_address'],
    ['https://93.184.215.14/', 'blocked_address'],
    ['https://93.184.215.15/', 'ok'],
    ['https://[2606:4700::1]:8443/', 'blocked_address'],
    ['https://[2606:4700::1]/', 'ok'],
  ])('%s is %s: the block list comes before the allow list', (url, verdict) => {
    expect(verdictOf(url, policy)).toBe(verdict)
  })

  test('a name that resolves to a blocked address is blocked, also when the name is allowed', () => {
    expect(checkResolved(policy, 'receiver.corp', 443, ['10.1.2.3'])).toMatchObject({ ok: true })
    expect(checkResolved(policy, 'receiver.corp', 443, ['10.1.2.3', '10.9.8.7'])).toMatchObject({ ok: false })
    expect(checkResolved(policy, 'hooks.example.com', 443, ['93.184.215.14'])).toMatchObject({ ok: false })
    expect(checkResolved(policy, 'hooks.example.com', 443, ['93.184.215.15'])).toMatchObject({ ok: true })
  })
})

/** A name table in place of name servers. */
function resolving(names: Record<string, readonly string[] | AddressLookupCode>): Resolve {
  return async (hostname) => {
    const answer = names[hostname] ?? 'DNS_NOT_FOUND'
    if (typeof answer === 'string') throw new AddressLookupError(answer)
    return answer
  }
}

describe('resolved addresses', () => {
  const { signal } = new AbortController()

  async function verdictOfHost(hostname: string, resolve: Resolve, policy: AddressPolicy = httpsOnly) {
    const result = await resolveCallbackHost(policy, { hostname, port: 443 }, { resolve, signal })
    return result.ok ? 'ok' : result.reason
  }

  const names = {
    '127.0.0.1.nip.io': ['127.0.0.1'],
    'mixed.example.com': ['93.184.215.14', '10.0.0.1'],
    'mapped.example.com': ['::ffff:127.0.0.1'],
    'alias.example.com': ['127.0.0.1', '::1'],
    'good.example.com': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
    'compatible.example.com': ['::8.8.8.8'],
    'broken.example.com': 'DNS_UNAVAILABLE',
    'slow.example.com': 'DNS_TIMEOUT',
    'empty.example.com': [],
    'nonsense.example.com': ['not an address'],
  } as const

  test.each([
    { number: 46, hostname: '127.0.0.1.nip.io', what: 'a public name for a private address' },
    { number: 47, hostname: 'mixed.example.com', what: 'a name with a public and a private address' },
    { number: 49, hostname: 'mapped.example.com', what: 'a name whose AAAA record wraps a private IPv4 address' },
    { number: 50, hostname: 'alias.example.com', what: 'a name that is an alias of localhost' },
  ])(
    'case $number: $what passes when it is saved by its text, and is blocked when it is resolved',
    async ({ hostname }) => {
      expect(verdictOf(`https://${hostname}/`, httpsOnly)).toBe('ok')
      expect(await verdictOfHost(hostname, resolving(names))).toBe('blocked_address')
      expect(await verdictOfHost(hostname, resolving(names), httpToo)).toBe('blocked_address')
    },
  )

  test('case 48: a name that was public when it was saved is blocked once it resolves to the metadata service', async () => {
    const answers = [['93.184.215.14'], ['169.254.169.254']]
    const rebinding: Resolve = async () => answers.shift() ?? []
    expect(await verdictOfHost('rebinding.example.com', rebinding)).toBe('ok')
    expect(await verdictOfHost('rebinding.example.com', rebinding)).toBe('blocked_address')
  })

  test('a public host is given back with all its addresses', async () => {
    const result = await resolveCallbackHost(
      httpsOnly,
      { hostname: 'good.example.com', port: 443 },
      { resolve: resolving(names), signal },
    )
    expect(result).toEqual({ ok: true, addresses: names['good.example.com'] })
  })

  test('an address in place of a name is judged without resolving anything', async () => {
    const never: Resolve = () => Promise.reject(new Error('resolved an address'))
    expect(await verdictOfHost('10.0.0.1', never)).toBe('blocked_address')
    expect(await verdictOfHost('93.184.215.14', never)).toBe('ok')
  })

  test('a host without an address, and one whose name servers fail, are unresolvable', async () => {
    for (const hostname of ['nowhere.example.com', 'broken.example.com', 'slow.example.com', 'empty.example.com']) {
      expect([hostname, await verdictOfHost(hostname, resolving(names))]).toEqual([hostname, 'unresolvable'])
    }
  })

  test('an answer that is no public address in the eyes of the guard is blocked', async () => {
    expect(await verdictOfHost('nonsense.example.com', resolving(names))).toBe('blocked_address')
    expect(await verdictOfHost('compatible.example.com', resolving(names))).toBe('blocked_address')
  })

  test('a host that is allowed by name may resolve to a private address, but only to addresses', () => {
    const policy: AddressPolicy = { ...httpsOnly, allowed: parseAllowedReceivers('receiver:443') }
    expect(checkResolved(policy, 'receiver', 443, ['10.0.0.1'])).toEqual({ ok: true, addresses: ['10.0.0.1'] })
    expect(checkResolved(policy, 'receiver', 443, ['/var/run/docker.sock'])).toMatchObject({
      reason: 'blocked_address',
    })
    expect(checkResolved(policy, 'receiver', 444, ['10.0.0.1'])).toMatchObject({ reason: 'blocked_address' })
    expect(checkResolved(policy, 'other', 443, ['10.0.0.1'])).toMatchObject({ reason: 'blocked_address' })
  })

  test('no refusal tells an address that was resolved', async () => {
    const result = await resolveCallbackHost(
      httpsOnly,
      { hostname: 'mixed.example.com', port: 443 },
      { resolve: resolving(names), signal },
    )
    expect(JSON.stringify(result)).not.toMatch(/\d+\.\d+/)
  })

  test("a failure that is not the look-up's own is not taken for a refusal", async () => {
    const mistaken: Resolve = () => Promise.reject(new TypeError('a mistake of ours'))
    await expect(verdictOfHost('good.example.com', mistaken)).rejects.toThrow(TypeError)
  })
})
