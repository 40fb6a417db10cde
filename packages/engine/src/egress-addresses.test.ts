import { expect, test } from 'vitest'
import { parseEgressAddresses } from './egress-addresses.ts'

test('addresses and networks are read as they are written', () => {
  expect(parseEgressAddresses('203.0.113.7, 203.0.113.0/24,2001:db8::/48,')).toEqual([
    '203.0.113.7',
    '203.0.113.0/24',
    '2001:db8::/48',
  ])
  expect(parseEgressAddresses('')).toEqual([])
})

test.each(['example.com', '10.1', '203.0.113.0/33', '203.0.113.300', 'a/b', '<script>', '1.2.3.4 5.6.7.8'])(
  'the start refuses %j as an address that requests come from',
  (text) => {
    expect(() => parseEgressAddresses(text)).toThrow(/is no address or network; write/)
  },
)

test('the start refuses more than 100 addresses', () => {
  expect(() => parseEgressAddresses(Array.from({ length: 101 }, () => '203.0.113.7').join())).toThrow(/at most 100/)
})
