import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AddressPolicy } from './address-policy.ts'
import {
  addressVerdict,
  hostAllowedByName,
  parseAllowedReceivers,
  parseBlockedReceivers,
  portPermitted,
} from './address-policy.ts'

const publicOnly: AddressPolicy = { allowHttp: false, allowed: [] }

function allowing(text: string): AddressPolicy {
  return { allowHttp: false, allowed: parseAllowedReceivers(text) }
}

/** First and last address of each blocked block, and the public neighbours where there are any. */
const blocks: { block: string; inside: string[]; outside: string[] }[] = [
  { block: '0.0.0.0/8', inside: ['0.0.0.0', '0.255.255.255'], outside: ['1.0.0.0'] },
  { block: '10.0.0.0/8', inside: ['10.0.0.0', '10.255.255.255'], outside: ['9.255.255.255', '11.0.0.0'] },
  { block: '100.64.0.0/10', inside: ['100.64.0.0', '100.127.255.255'], outside: ['100.63.255.255', '100.128.0.0'] },
  { block: '127.0.0.0/8', inside: ['127.0.0.0', '127.255.255.255'], outside: ['126.255.255.255', '128.0.0.0'] },
  { block: '169.254.0.0/16', inside: ['169.254.0.0', '169.254.255.255'], outside: ['169.253.255.255', '169.255.0.0'] },
  { block: '172.16.0.0/12', inside: ['172.16.0.0', '172.31.255.255'], outside: ['172.15.255.255', '172.32.0.0'] },
  { block: '192.0.0.0/24', inside: ['192.0.0.0', '192.0.0.255'], outside: ['191.255.255.255', '192.0.1.0'] },
  { block: '192.0.2.0/24', inside: ['192.0.2.0', '192.0.2.255'], outside: ['192.0.1.255', '192.0.3.0'] },
  { block: '192.31.196.0/24', inside: ['192.31.196.1'], outside: ['192.31.195.255', '192.31.197.0'] },
  { block: '192.52.193.0/24', inside: ['192.52.193.1'], outside: ['192.52.192.255', '192.52.194.0'] },
  { block: '192.88.99.0/24', inside: ['192.88.99.0', '192.88.99.255'], outside: ['192.88.98.255', '192.88.100.0'] },
  { block: '192.168.0.0/16', inside: ['192.168.0.0', '192.168.255.255'], outside: ['192.167.255.255', '192.169.0.0'] },
  { block: '192.175.48.0/24', inside: ['192.175.48.1'], outside: ['192.175.47.255', '192.175.49.0'] },
  { block: '198.18.0.0/15', inside: ['198.18.0.0', '198.19.255.255'], outside: ['198.17.255.255', '198.20.0.0'] },
  { block: '198.51.100.0/24', inside: ['198.51.100.0'], outside: ['198.51.99.255', '198.51.101.0'] },
  { block: '203.0.113.0/24', inside: ['203.0.113.255'], outside: ['203.0.112.255', '203.0.114.0'] },
  { block: '224.0.0.0/4', inside: ['224.0.0.0', '239.255.255.255'], outside: ['223.255.255.255'] },
  { block: '240.0.0.0/4', inside: ['240.0.0.0', '255.255.255.255'], outside: [] },
  { block: '168.63.129.16', inside: ['168.63.129.16'], outside: ['168.63.129.15', '168.63.129.17'] },
  { block: 'outside of 2000::/3', inside: ['1fff::1', '4000::', '::', '8000::1'], outside: ['2000::1', '3ffe::1'] },
  { block: '2001::/23', inside: ['2001::1', '2001:1ff:ffff::1'], outside: ['2001:200::1'] },
  { block: '2001:db8::/32', inside: ['2001:db8::', '2001:db8:ffff::'], outside: ['2001:db7::1', '2001:db9::1'] },
  { block: '2002::/16', inside: ['2002::', '2002:ffff::'], outside: ['2003::1'] },
  { block: '2620:4f:8000::/48', inside: ['2620:4f:8000::1'], outside: ['2620:4f:8001::1', '2620:4f:7fff::1'] },
  { block: '3fff::/20', inside: ['3fff::1', '3fff:fff::1'], outside: ['3fff:1000::1'] },
]

describe('special-purpose addresses', () => {
  test.each(blocks)('$block is blocked, and its public neighbours are not', ({ inside, outside }) => {
    for (const address of inside)
      expect([address, addressVerdict(publicOnly, address, 443)]).toEqual([address, 'blocked'])
    for (const address of outside) expect([address, addressVerdict(publicOnly, address, 443)]).toEqual([address, 'ok'])
  })

  test('an IPv4 address wrapped in IPv6 is judged like the IPv4 address, however it is written', () => {
    const octet = fc.nat({ max: 255 })
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        const dotted = `${a}.${b}.${c}.${d}`
        const hex = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
        const verdict = addressVerdict(publicOnly, dotted, 443)
        for (const wrapped of [`::ffff:${dotted}`, hex, `0:0:0:0:0:FFFF:${dotted}`]) {
          expect(addressVerdict(publicOnly, wrapped, 443)).toBe(verdict)
        }
      }),
    )
  })

  test('an IPv4-compatible IPv6 address is blocked even when the IPv4 address in it is public', () => {
    // Name servers' answers are printed with dots, which ipaddr.js would take for the IPv4-mapped form.
    expect(addressVerdict(publicOnly, '::8.8.8.8', 443)).toBe('blocked')
    expect(addressVerdict(publicOnly, '::808:808', 443)).toBe('blocked')
  })

  test('whatever is not exactly an IP address is blocked', () => {
    for (const text of [
      '',
      'example.com',
      '8.8.8',
      '0x8.8.8.8',
      '010.8.8.8',
      '8.8.8.8 ',
      '2606:4700::1%eth0',
      '[2606:4700::1]',
      '134744072',
    ]) {
      expect([text, addressVerdict(publicOnly, text, 443)]).toEqual([text, 'blocked'])
    }
  })
})

describe('ports', () => {
  test('the web ports and the unprivileged ones are permitted', () => {
    for (const port of [80, 443, 1024, 8080, 8443, 65_535]) expect([port, portPermitted(port)]).toEqual([port, true])
  })

  test('privileged ports, ports of databases and control planes, and numbers that are no ports are not', () => {
    for (const port of [0, -1, 22, 25, 81, 1023, 2375, 5432, 6379, 10_250, 27_017, 65_536, 80.5, Number.NaN]) {
      expect([port, portPermitted(port)]).toEqual([port, false])
    }
  })

  test('a public address is blocked on a forbidden port', () => {
    expect(addressVerdict(publicOnly, '8.8.8.8', 5432)).toBe('blocked')
  })
})

describe('the allow list', () => {
  test('an empty text allows nothing', () => {
    expect(parseAllowedReceivers('')).toEqual([])
    expect(parseAllowedReceivers(' , ')).toEqual([])
  })

  test('an address with a port allows that address on that port and nothing beside it', () => {
    const policy = allowing('127.0.0.1:9000')
    expect(addressVerdict(policy, '127.0.0.1', 9000)).toBe('ok')
    expect(addressVerdict(policy, '::ffff:127.0.0.1', 9000)).toBe('ok')
    expect(addressVerdict(policy, '127.0.0.1', 9001)).toBe('blocked')
    expect(addressVerdict(policy, '127.0.0.2', 9000)).toBe('blocked')
  })

  test('an entry without a port allows every port, the blocked ones included', () => {
    expect(addressVerdict(allowing('10.1.2.3'), '10.1.2.3', 5432)).toBe('ok')
  })

  test('a network allows the addresses in it, on its port if it has one', () => {
    expect(addressVerdict(allowing('10.0.0.0/8'), '10.255.255.255', 22)).toBe('ok')
    expect(addressVerdict(allowing('10.0.0.0/8'), '11.0.0.0', 22)).toBe('blocked')
    expect(addressVerdict(allowing('10.0.0.0/8:8080'), '10.0.0.1', 8080)).toBe('ok')
    expect(addressVerdict(allowing('10.0.0.0/8:8080'), '10.0.0.1', 8081)).toBe('blocked')
  })

  test('IPv6 is written plainly, or in brackets before a port', () => {
    expect(addressVerdict(allowing('::1'), '::1', 9000)).toBe('ok')
    expect(addressVerdict(allowing('[::1]:9000'), '0:0:0:0:0:0:0:1', 9000)).toBe('ok')
    expect(addressVerdict(allowing('[::1]:9000'), '::1', 9001)).toBe('blocked')
    expect(addressVerdict(allowing('fd00::/8'), 'fdff::1', 443)).toBe('ok')
    expect(addressVerdict(allowing('fd00::/8:443'), 'fdff::1', 443)).toBe('ok')
    expect(addressVerdict(allowing('[fd00::]/8:443'), 'fdff::1', 80)).toBe('blocked')
  })

  test('a host is allowed by its name and never by its address', () => {
    const policy = allowing('Receiver.Internal:8080, postgres')
    expect(hostAllowedByName(policy, 'receiver.internal', 8080)).toBe(true)
    expect(hostAllowedByName(policy, 'receiver.internal', 80)).toBe(false)
    expect(hostAllowedByName(policy, 'other.receiver.internal', 8080)).toBe(false)
    expect(hostAllowedByName(policy, 'postgres', 1)).toBe(true)
    expect(addressVerdict(policy, '10.0.0.1', 8080)).toBe('blocked')
  })

  test.each([
    ['http://receiver.internal', /"http:\/\/receiver.internal".*leave out the scheme/],
    ['*.example.com', /no wildcards/],
    ['10.0.0.0/33', /"10.0.0.0\/33".*prefix must be from 0 to 32/],
    ['fd00::/129', /prefix must be from 0 to 128/],
    ['10.0.0.1/8', /begins at 10.0.0.0; write 10.0.0.0\/8/],
    ['fd00::1/8', /begins at fd00::; write fd00::\/8/],
    ['10.0/8', /full address before the slash/],
    ['127.1', /addresses in full/],
    ['0177.0.0.1', /addresses in full/],
    ['0x7f000001', /addresses in full/],
    ['host:0', /port must be from 1 to 65535/],
    ['host:65536', /port must be from 1 to 65535/],
    ['host:http', /write host, host:port/],
    ['::ffff:10.0.0.1', /write the IPv4 address itself/],
    ['[fe80::1%eth0]:80', /no zone/],
    ['[::1', /write host, host:port/],
    ['-host', /write host/],
    ['a..b', /write host/],
    ['bücher.example', /names in ASCII/],
    ['127.0.0.1, a b', /"a b"/],
  ])('the entry "%s" is refused with its name and the fix', (text, message) => {
    expect(() => parseAllowedReceivers(text)).toThrow(message)
  })

  test('an entry of the block list that cannot be read is refused likewise', () => {
    expect(parseBlockedReceivers('rival.example, 93.184.0.0/16:8443')).toEqual(
      parseAllowedReceivers('rival.example, 93.184.0.0/16:8443'),
    )
    expect(() => parseBlockedReceivers('*.rival.example')).toThrow(
      /the blocked receiver "\*\.rival\.example" cannot be read/,
    )
  })
})
