/**
 * Hostile callback URLs: 73 numbered cases of what somebody writes, or lets a name resolve to, in order to be sent where
 * no delivery may go; and beside them what looks odd and is fine. Whoever judges URLs is tested with this one table.
 *
 * The verdicts are those for an operator who allows http. Where only https is allowed, whatever begins with `http:` is
 * refused for that, unless its spelling is refused already.
 */
import type { FailureCode } from '@posthorn/contract'
import type { CallbackUrlReason } from '../callback-url.ts'
import type { Name } from './name-server.ts'

export type UrlVerdict = CallbackUrlReason | 'ok'

export type HostileUrl = {
  /** The number of the case. Several URLs may belong to one. */
  readonly number: number
  readonly url: string
  /** What is seen in the text alone. */
  readonly text: UrlVerdict
  /** What is said when it is to be saved, where the name is resolved too. */
  readonly saved: UrlVerdict
  /** What an attempt fails of, `null` when it is made. */
  readonly sent: FailureCode | null
}

/** The hosts of the installation that judges. */
export const hostileOwnHosts = ['posthorn.example.com', '93.184.215.14:8080']

const publicAddress = '93.184.215.14'
const publicAddress6 = '2606:2800:21f:cb07:6820:80da:af6b:8b2c'
const metadataAddress = '169.254.169.254'

/** What the names in the URLs resolve to: of several the first when it is saved, the last when it is sent to. */
export const hostileNames: Readonly<Record<string, readonly Name[]>> = {
  'example.com': [{ A: [publicAddress], AAAA: [publicAddress6] }],
  'a_b.example.com': [{ A: [publicAddress] }],
  'xn--80ak6aa92e.com': [{ AAAA: [publicAddress6] }],
  // Should one of the refused names be asked for all the same, it leads where its owner wants.
  localhost: [{ A: ['127.0.0.1'] }],
  'foo.localhost': [{ A: ['127.0.0.1'] }],
  intranet: [{ A: ['10.0.0.1'] }],
  postgres: [{ A: ['10.0.0.1'] }],
  'printer.local': [{ A: ['10.0.0.1'] }],
  'kubernetes.default.svc': [{ A: ['10.0.0.1'] }],
  'metadata.google.internal': [{ A: [metadataAddress] }],
  'posthorn.example.com': [{ A: [publicAddress] }],
  '127.0.0.1.nip.io': [{ A: ['127.0.0.1'] }],
  'mixed.example.com': [{ A: [publicAddress, '10.0.0.1'] }],
  'mixed6.example.com': [{ A: [publicAddress], AAAA: ['fd00::1'] }],
  'rebinding.example.com': [{ A: [publicAddress] }, { A: [metadataAddress] }],
  'mapped.example.com': [{ AAAA: ['::ffff:127.0.0.1'] }],
  'alias.example.com': [{ A: { aliases: ['localhost'], addresses: ['127.0.0.1'] } }],
  'redirecting.example.com': [{ A: [publicAddress] }],
}

export const hostileUrls: readonly HostileUrl[] = [
  ...refused(1, 'blocked_address', ['http://127.0.0.1/']),
  ...refused(2, 'blocked_address', ['http://127.1/']),
  ...refused(3, 'blocked_address', ['http://2130706433/']),
  ...refused(4, 'blocked_address', ['http://0x7f000001/']),
  ...refused(5, 'blocked_address', ['http://0177.0.0.1/']),
  ...refused(6, 'blocked_address', ['http://017700000001/']),
  ...refused(7, 'blocked_address', ['http://127.0.0.1./']),
  ...refused(8, 'blocked_address', ['http://127.000.000.001/']),
  ...refused(9, 'blocked_address', ['http://%31%32%37.0.0.1/']),
  ...refused(10, 'blocked_address', ['http://①②⑦.⓪.⓪.①/']),
  ...refused(11, 'blocked_address', ['http://127。0。0。1/']),
  ...refused(12, 'blocked_address', ['http://0/']),
  ...refused(13, 'blocked_address', ['http://0.0.0.0/']),
  ...refused(14, 'blocked_address', ['http://[::]/']),
  ...refused(15, 'blocked_address', ['http://[::1]/']),
  ...refused(16, 'blocked_address', ['http://[::ffff:127.0.0.1]/']),
  ...refused(17, 'blocked_address', ['http://[::127.0.0.1]/']),
  ...refused(18, 'blocked_address', ['http://[::ffff:0:127.0.0.1]/']),
  ...refused(19, 'blocked_address', ['http://[64:ff9b::7f00:1]/']),
  ...refused(20, 'blocked_address', ['http://[64:ff9b::808:808]/']),
  ...refused(21, 'blocked_address', ['http://[64:ff9b:1::7f00:1]/']),
  ...refused(22, 'blocked_address', ['http://[2002:7f00:1::]/']),
  ...refused(23, 'blocked_address', ['http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/']),
  ...refused(24, 'blocked_address', ['http://[fe80::1]/']),
  ...refused(25, 'not_a_url', ['http://[fe80::1%25eth0]/']),
  ...refused(26, 'blocked_address', ['http://[fec0::1]/']),
  ...refused(27, 'blocked_address', ['http://[fd00:ec2::254]/']),
  ...refused(28, 'blocked_address', ['http://[ff02::1]/']),
  ...refused(29, 'blocked_address', [
    'http://[2001:db8::1]/',
    'http://[3fff::1]/',
    'http://[5f00::1]/',
    'http://[100::1]/',
  ]),
  ...refused(30, 'blocked_address', ['http://[4000::1]/', 'http://[8000::1]/']),
  ...refused(31, 'blocked_address', ['http://169.254.169.254/latest/meta-data/']),
  ...refused(32, 'blocked_address', ['http://[::ffff:169.254.169.254]/']),
  ...refused(33, 'blocked_address', ['http://169.254.170.2/']),
  ...refused(34, 'blocked_address', ['http://100.100.100.200/']),
  ...refused(35, 'blocked_address', ['http://192.0.0.192/']),
  ...refused(36, 'blocked_address', ['http://168.63.129.16/']),
  ...refused(37, 'hostname', ['http://metadata.google.internal/']),
  ...refused(38, 'blocked_address', [
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.0.1/',
  ]),
  ...fine(39, ['http://172.32.0.1/', 'http://100.128.0.1/', 'http://100.63.255.254/']),
  ...refused(40, 'blocked_address', ['http://100.64.0.1/']),
  ...refused(41, 'blocked_address', [
    'http://198.18.0.1/',
    'http://192.0.2.1/',
    'http://198.51.100.1/',
    'http://203.0.113.1/',
    'http://192.88.99.1/',
  ]),
  ...refused(42, 'blocked_address', [
    'http://224.0.0.1/',
    'http://240.0.0.1/',
    'http://255.255.255.255/',
    'http://0xffffffff/',
  ]),
  ...refused(43, 'hostname', [
    'http://localhost/',
    'http://LOCALHOST/',
    'http://localhost./',
    'http://foo.localhost/',
    'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/',
  ]),
  ...refused(44, 'hostname', ['http://ip6-localhost/', 'http://intranet/', 'http://postgres/']),
  ...refused(45, 'hostname', ['http://kubernetes.default.svc/', 'http://printer.local/']),
  ...resolvingBadly(46, ['https://127.0.0.1.nip.io/']),
  ...resolvingBadly(47, ['https://mixed.example.com/', 'https://mixed6.example.com/']),
  ...resolvingBadly(48, ['https://rebinding.example.com/'], 'ok'),
  ...resolvingBadly(49, ['https://mapped.example.com/']),
  ...resolvingBadly(50, ['https://alias.example.com/']),
  ...refused(51, 'credentials', ['http://example.com@127.0.0.1/']),
  ...refused(52, 'credentials', ['http://127.0.0.1@example.com/', 'http://@example.com/', 'http://:@example.com/']),
  ...refused(53, 'credentials', ['https://user:pass@example.com/']),
  ...refused(54, 'fragment', ['http://127.0.0.1#@example.com/']),
  ...refused(55, 'invalid_character', ['http://example.com\\@127.0.0.1/']),
  ...refused(56, 'fragment', ['https://example.com/?a=b#x', 'https://example.com/#']),
  ...refused(57, 'port', ['https://example.com:22/', 'https://example.com:25/', 'https://example.com:0/']),
  ...refused(58, 'port', ['https://example.com:6379/', 'https://example.com:5432/', 'https://example.com:2375/']),
  ...refused(59, 'not_a_url', ['https://example.com:65536/']),
  ...fine(60, ['https://example.com:8443/']),
  ...refused(61, 'not_a_url', ['http:example.com', 'http:/127.0.0.1', 'http:///127.0.0.1/']),
  ...refused(61, 'invalid_character', ['http:\\\\127.0.0.1\\']),
  ...refused(62, 'not_a_url', ['//127.0.0.1/']),
  ...refused(63, 'invalid_character', [' https://example.com/', 'ht\ttp://example.com/', 'http://exa\nmple.com/']),
  ...refused(64, 'scheme', [
    'file:///etc/passwd',
    'gopher://example.com/',
    'ftp://example.com/',
    'javascript:alert(1)',
    'data:text/plain,x',
    'ws://example.com/',
    'unix:/var/run/docker.sock',
  ]),
  ...refused(64, 'hostname', ['http://unix:/var/run/docker.sock:/x']),
  ...refused(65, 'not_a_url', ['http://%00.example.com/', 'http://[::1', 'http://1.2.3.4.5/', 'http://1.2.3.256/']),
  ...refused(65, 'invalid_character', ['http://exam ple.com/']),
  ...refused(66, 'hostname', [
    'http://.example.com/',
    'http://example..com/',
    'http://-o=x/',
    'http://-o.example.com/',
  ]),
  ...fine(67, ['https://a_b.example.com/']),
  ...fine(68, ['https://example.com/%0d%0aX-Injected:1']),
  ...fine(69, ['https://аррӏе.com/']),
  ...fine(70, ['https://EXAMPLE.com/', 'https://example.com:443/', 'https://example.com.:443/']),
  ...refused(71, 'hostname', [
    'https://posthorn.example.com/v1/events',
    'https://POSTHORN.example.com.:8443/',
    'https://93.184.215.14:8080/',
  ]),
  // The receiver there answers with the status in the path, and with a location at the metadata service.
  ...[301, 302, 303, 307, 308].map((status) => ({
    number: 72,
    url: `https://redirecting.example.com/${status}`,
    text: 'ok' as const,
    saved: 'ok' as const,
    sent: 'http_3xx' as const,
  })),
  ...refused(73, 'too_long', [`https://example.com/${'a'.repeat(10_240)}`, 'https://example.com/'.padEnd(2049, 'a')]),
]

/** What nobody may save, and what is not sent to should it have been saved under other rules. */
function refused(number: number, verdict: CallbackUrlReason, urls: readonly string[]): HostileUrl[] {
  return urls.map((url) => ({ number, url, text: verdict, saved: verdict, sent: 'blocked_address' }))
}

/** What looks fine, until its name is resolved. */
function resolvingBadly(number: number, urls: readonly string[], saved: UrlVerdict = 'blocked_address'): HostileUrl[] {
  return urls.map((url) => ({ number, url, text: 'ok', saved, sent: 'blocked_address' }))
}

function fine(number: number, urls: readonly string[]): HostileUrl[] {
  return urls.map((url) => ({ number, url, text: 'ok', saved: 'ok', sent: null }))
}
