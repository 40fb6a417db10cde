import { expect, test } from 'vitest'
import { parseEgressProxy } from './egress-proxy.ts'

test.each([
  [
    'http://proxy.corp.example:3128',
    { secure: false, hostname: 'proxy.corp.example', port: 3128, authorization: null },
  ],
  ['http://10.0.0.7/', { secure: false, hostname: '10.0.0.7', port: 80, authorization: null }],
  ['https://proxy.corp.example', { secure: true, hostname: 'proxy.corp.example', port: 443, authorization: null }],
  ['http://[fd00::7]:3128', { secure: false, hostname: 'fd00::7', port: 3128, authorization: null }],
  [
    'http://Aladdin:open%20sesame@proxy:3128',
    { secure: false, hostname: 'proxy', port: 3128, authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' },
  ],
])('%s is read', (text, proxy) => {
  expect(parseEgressProxy(text)).toEqual(proxy)
})

const canary = 'canary4f9d2c7b'

test.each([
  [`proxy ${canary}`, 'is no URL'],
  [`u:${canary}@proxy:3128`, 'neither with http:// nor'],
  [`socks5://u:${canary}@proxy:1080`, 'neither with http:// nor'],
  [`http://u:${canary}@proxy:99999`, 'is no URL'],
  [`http://u:${canary}@proxy:3128/path`, 'more than a host and a port'],
  [`http://u:${canary}@proxy:3128?a`, 'more than a host and a port'],
  [`http://u:${canary}%@proxy:3128`, 'not percent-encoded'],
  [`http://a%3Ab:${canary}@proxy:3128`, 'colon'],
  [`http://a:${canary}%0d%0ax@proxy:3128`, 'control character'],
])('%s is refused with what is wrong (%s), and the password is not repeated', (text, wrong) => {
  expect(() => parseEgressProxy(text)).toThrow(wrong)
  expect(() => parseEgressProxy(text)).not.toThrow(canary)
})
