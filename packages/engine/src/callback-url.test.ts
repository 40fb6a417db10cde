import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AddressPolicy } from './address-policy.ts'
import { parseAllowedReceivers } from './address-policy.ts'
import type { AddressLookupCode, Resolve } from './address-resolver.ts'
import { AddressLookupError } from './address-resolver.ts'
import type { CallbackUrlReason } from './callback-url.ts'
import { checkResolved, parseCallbackUrl, resolveCallbackHost } from './callback-url.ts'

const httpToo: AddressPolicy = {
  allowHttp: true,
  allowed: [],
  ownHosts: ['posthorn.example.com', '93.184.215.14:8080'],
}
const httpsOnly: AddressPolicy = { ...httpToo, allowHttp: false }

/** What an operator who allows http gets; rows are those of the table of hostile URLs, 46–50 and 72 are not decided here. */
const hostile: { row: number; urls: string[]; verdict: CallbackUrlReason | 'ok' }[] = [
  { row: 1, urls: ['http://127.0.0.1/'], verdict: 'blocked_address' },
  { row: 2, urls: ['http://127.1/'], verdict: 'blocked_address' },
  { row: 3, urls: ['http://2130706433/'], verdict: 'blocked_address' },
  { row: 4, urls: ['http://0x7f000001/'], verdict: 'blocked_address' },
  { row: 5, urls: ['http://0177.0.0.1/'], verdict: 'blocked_address' },
  { row: 6, urls: ['http://017700000001/'], verdict: 'blocked_address' },
  { row: 7, urls: ['http://127.0.0.1./'], verdict: 'blocked_address' },
  { row: 8, urls: ['http://127.000.000.001/'], verdict: 'blocked_address' },
  { row: 9, urls: ['http://%31%32%37.0.0.1/'], verdict: 'blocked_address' },
  { row: 10, urls: ['http://①②⑦.⓪.⓪.①/'], verdict: 'blocked_address' },
  { row: 11, urls: ['http://127。0。0。1/'], verdict: 'blocked_address' },
  { row: 12, urls: ['http://0/'], verdict: 'blocked_address' },
  { row: 13, urls: ['http://0.0.0.0/'], verdict: 'blocked_address' },
  { row: 14, urls: ['http://[::]/'], verdict: 'blocked_address' },
  { row: 15, urls: ['http://[::1]/'], verdict: 'blocked_address' },
  { row: 16, urls: ['http://[::ffff:127.0.0.1]/'], verdict: 'blocked_address' },
  { row: 17, urls: ['http://[::127.0.0.1]/'], verdict: 'blocked_address' },
  { row: 18, urls: ['http://[::ffff:0:127.0.0.1]/'], verdict: 'blocked_address' },
  { row: 19, urls: ['http://[64:ff9b::7f00:1]/'], verdict: 'blocked_address' },
  { row: 20, urls: ['http://[64:ff9b::808:808]/'], verdict: 'blocked_address' },
  { row: 21, urls: ['http://[64:ff9b:1::7f00:1]/'], verdict: 'blocked_address' },
  { row: 22, urls: ['http://[2002:7f00:1::]/'], verdict: 'blocked_address' },
  { row: 23, urls: ['http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/'], verdict: 'blocked_address' },
  { row: 24, urls: ['http://[fe80::1]/'], verdict: 'blocked_address' },
  { row: 25, urls: ['http://[fe80::1%25eth0]/'], verdict: 'not_a_url' },
  { row: 26, urls: ['http://[fec0::1]/'], verdict: 'blocked_address' },
  { row: 27, urls: ['http://[fd00:ec2::254]/'], verdict: 'blocked_address' },
  { row: 28, urls: ['http://[ff02::1]/'], verdict: 'blocked_address' },
  {
    row: 29,
    urls: ['http://[2001:db8::1]/', 'http://[3fff::1]/', 'http://[5f00::1]/', 'http://[100::1]/'],
    verdict: 'blocked_address',
  },
  { row: 30, urls: ['http://[4000::1]/', 'http://[8000::1]/'], verdict: 'blocked_address' },
  { row: 31, urls: ['http://169.254.169.254/latest/meta-data/'], verdict: 'blocked_address' },
  { row: 32, urls: ['http://[::ffff:169.254.169.254]/'], verdict: 'blocked_address' },
  { row: 33, urls: ['http://169.254.170.2/'], verdict: 'blocked_address' },
  { row: 34, urls: ['http://100.100.100.200/'], verdict: 'blocked_address' },
  { row: 35, urls: ['http://192.0.0.192/'], verdict: 'blocked_address' },
  { row: 36, urls: ['http://168.63.129.16/'], verdict: 'blocked_address' },
  { row: 37, urls: ['http://metadata.google.internal/'], verdict: 'hostname' },
  {
    row: 38,
    urls: ['http://10.0.0.1/', 'http://172.16.0.1/', 'http://172.31.255.255/', 'http://192.168.0.1/'],
    verdict: 'blocked_address',
  },
  { row: 39, urls: ['http://172.32.0.1/', 'http://100.128.0.1/', 'http://100.63.255.254/'], verdict: 'ok' },
  { row: 40, urls: ['http://100.64.0.1/'], verdict: 'blocked_address' },
  {
    row: 41,
    urls: [
      'http://198.18.0.1/',
      'http://192.0.2.1/',
      'http://198.51.100.1/',
      'http://203.0.113.1/',
      'http://192.88.99.1/',
    ],
    verdict: 'blocked_address',
  },
  {
    row: 42,
    urls: ['http://224.0.0.1/', 'http://240.0.0.1/', 'http://255.255.255.255/', 'http://0xffffffff/'],
    verdict: 'blocked_address',
  },
  {
    row: 43,
    urls: [
      'http://localhost/',
      'http://LOCALHOST/',
      'http://localhost./',
      'http://foo.localhost/',
      'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
    ],
    verdict: 'hostname',
  },
  { row: 44, urls: ['http://ip6-localhost/', 'http://intranet/', 'http://postgres/'], verdict: 'hostname' },
  { row: 45, urls: ['http://kubernetes.default.svc/', 'http://printer.local/'], verdict: 'hostname' },
  { row: 51, urls: ['http://example.com@127.0.0.1/'], verdict: 'credentials' },
  {
    row: 52,
    urls: ['http://127.0.0.1@example.com/', 'http://@example.com/', 'http://:@example.com/'],
    verdict: 'credentials',
  },
  { row: 53, urls: ['https://user:pass@example.com/'], verdict: 'credentials' },
  { row: 54, urls: ['http://127.0.0.1#@example.com/'], verdict: 'fragment' },
  { row: 55, urls: ['http://example.com\\@127.0.0.1/'], verdict: 'invalid_character' },
  { row: 56, urls: ['https://example.com/?a=b#x', 'https://example.com/#'], verdict: 'fragment' },
  { row: 57, urls: ['https://example.com:22/', 'https://example.com:25/', 'https://example.com:0/'], verdict: 'port' },
  {
    row: 58,
    urls: ['https://example.com:6379/', 'https://example.com:5432/', 'https://example.com:2375/'],
    verdict: 'port',
  },
  { row: 59, urls: ['https://example.com:65536/'], verdict: 'not_a_url' },
  { row: 60, urls: ['https://example.com:8443/'], verdict: 'ok' },
  { row: 61, urls: ['http:example.com', 'http:/127.0.0.1', 'http:///127.0.0.1/'], verdict: 'not_a_url' },
  { row: 61, urls: ['http:\\\\127.0.0.1\\'], verdict: 'invalid_character' },
  { row: 62, urls: ['//127.0.0.1/'], verdict: 'not_a_url' },
  {
    row: 63,
    urls: [' https://example.com/', 'ht\ttp://example.com/', 'http://exa\nmple.com/'],
    verdict: 'invalid_character',
  },
  {
    row: 64,
    urls: [
      'file:///etc/passwd',
      'gopher://example.com/',
      'ftp://example.com/',
      'javascript:alert(1)',
      'data:text/plain,x',
      'ws://example.com/',
      'unix:/var/run/docker.sock',
    ],
    verdict: 'scheme',
  },
  { row: 64, urls: ['http://unix:/var/run/docker.sock:/x'], verdict: 'hostname' },
  {
    row: 65,
    urls: ['http://%00.example.com/', 'http://[::1', 'http://1.2.3.4.5/', 'http://1.2.3.256/'],
    verdict: 'not_a_url',
  },
  { row: 65, urls: ['http://exam ple.com/'], verdict: 'invalid_character' },
  {
    row: 66,
    urls: ['http://.example.com/', 'http://example..com/', 'http://-o=x/', 'http://-o.example.com/'],
    verdict: 'hostname',
  },
  { row: 67, urls: ['https://a_b.example.com/'], verdict: 'ok' },
  { row: 68, urls: ['https://example.com/%0d%0aX-Injected:1'], verdict: 'ok' },
  { row: 69, urls: ['https://аррӏе.com/'], verdict: 'ok' },
  { row: 70, urls: ['https://EXAMPLE.com/', 'https://example.com:443/', 'https://example.com.:443/'], verdict: 'ok' },
  {
    row: 71,
    urls: ['https://posthorn.example.com/v1/events', 'https://POSTHORN.example.com.:8443/'],
    verdict: 'hostname',
  },
  { row: 71, urls: ['https://93.184.215.14:8080/'], verdict: 'hostname' },
  { row: 73, urls: [`https://example.com/${'a'.repeat(10_240)}`, urlOfLength(2049)], verdict: 'too_long' },
]

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

describe('hostile URLs', () => {
  const cases = hostile.flatMap(({ row, urls, verdict }) =>
    urls.map((url) => ({ row, url, shown: url.slice(0, 60), verdict })),
  )

  test.each(cases)('row $row, http allowed: $shown is $verdict', ({ url, verdict }) => {
    expect(verdictOf(url, httpToo)).toBe(verdict)
  })

  test.each(cases)(
    'row $row, https only: $shown is refused where it is http, and else $verdict',
    ({ url, verdict }) => {
      const refusedAsHttp = url.startsWith('http:') && !spellingReasons.has(verdict)
      expect(verdictOf(url, httpsOnly)).toBe(refusedAsHttp ? 'scheme' : verdict)
      // The same place reached over https must not be any better.
      if (url.startsWith('http:')) expect(verdictOf(url.replace('http:', 'https:'), httpsOnly)).toBe(verdict)
    },
  )

  test('every row that can be decided when a URL is saved is in the table', () => {
    const rows = new Set(hostile.map(({ row }) => row))
    const missing = Array.from({ length: 73 }, (_, index) => index + 1).filter((row) => !rows.has(row))
    expect(missing).toEqual([46, 47, 48, 49, 50, 72])
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
    { row: 46, hostname: '127.0.0.1.nip.io', what: 'a public name for a private address' },
    { row: 47, hostname: 'mixed.example.com', what: 'a name with a public and a private address' },
    { row: 49, hostname: 'mapped.example.com', what: 'a name whose AAAA record wraps a private IPv4 address' },
    { row: 50, hostname: 'alias.example.com', what: 'a name that is an alias of localhost' },
  ])(
    'row $row: $what passes when it is saved by its text, and is blocked when it is resolved',
    async ({ hostname }) => {
      expect(verdictOf(`https://${hostname}/`, httpsOnly)).toBe('ok')
      expect(await verdictOfHost(hostname, resolving(names))).toBe('blocked_address')
      expect(await verdictOfHost(hostname, resolving(names), httpToo)).toBe('blocked_address')
    },
  )

  test('row 48: a name that was public when it was saved is blocked once it resolves to the metadata service', async () => {
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
