/**
 * Which addresses may be called. The guard against server-side request forgery: a tenant chooses the callback URL, so
 * without it anybody who may subscribe could reach the operator's own network and its cloud's metadata service.
 *
 * It fails closed. What cannot be parsed is blocked, IPv6 is blocked outside the range that is given out to the public
 * Internet, and every special-purpose block is blocked even where it happens to be reachable. The one way around it is
 * the operator's allow list, whose entries permit exactly what they say and nothing beside it. The operator's block list
 * comes before both.
 *
 * The rules are pure. Whoever connects must ask for the very address it connects to (see `callback-url.ts`).
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type AddressPolicy = {
  /** Whether `http:` is accepted for receivers that are not on the allow list. */
  readonly allowHttp: boolean
  readonly allowed: readonly ListedReceiver[]
  /** What the operator wants never called, whatever else says. A host stands for all names beneath it too. */
  readonly blocked?: readonly ListedReceiver[]
  /**
   * Hosts of this installation, each `host` or `host:port` (`[address]:port` for IPv6). They are refused before all
   * else, the allow list included: a delivery to ourselves would publish the next one.
   */
  readonly ownHosts?: readonly string[]
  /** Names are resolved by the egress proxy, because we cannot: only it can judge their addresses then. */
  readonly namesLeftToProxy?: boolean
}

/** One entry of the operator's lists. `port: null` means every port. */
export type ListedReceiver =
  | { readonly kind: 'host'; readonly hostname: string; readonly port: number | null }
  | { readonly kind: 'network'; readonly network: Network; readonly port: number | null }

/** An address with its host bits zero, and the length of the prefix in bits. */
export type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number]

const portMax = 65_535
const hostnameLengthMax = 253
const privilegedPortMax = 1023
const webPorts = new Set([80, 443])

/** Ports of databases, queues and control planes, which answer harmfully to a POST. */
const blockedPorts = new Set([
  2049, 2375, 2376, 2379, 2380, 3306, 5432, 5984, 6379, 6443, 8500, 9092, 9200, 9300, 10_250, 11_211, 27_017,
])

/** The IANA IPv4 special-purpose registry (RFC 6890), multicast, and one address that only looks public. */
const blockedIPv4 = networks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Azure's wire server and DNS: a public address that answers every virtual machine there.
  '168.63.129.16/32',
])

/** What IANA has given out as global unicast (RFC 4291 §2.4). Everything else is blocked by being outside of it. */
const publicIPv6 = network('2000::/3')

/** The IANA IPv6 special-purpose registry, as far as it lies within 2000::/3. */
const blockedIPv6 = networks([
  // Teredo, benchmarking, AMT, AS112, ORCHID, drone identifiers.
  '2001::/23',
  '2001:db8::/32',
  // 6to4 carries an IPv4 address.
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
])

/**
 * Whether one address and port may be connected to.
 *
 * @param address an IP address as text, as it was resolved or written in the URL (IPv6 without brackets)
 */
export function addressVerdict(policy: AddressPolicy, address: string, port: number): 'ok' | 'blocked' {
  const parsed = parseAddress(address)
  if (parsed === null || isListed(policy.blocked ?? [], parsed, port)) return 'blocked'
  if (isListed(policy.allowed, parsed, port)) return 'ok'
  if (!portPermitted(port)) return 'blocked'
  if (parsed.kind() === 'ipv4') return within(parsed, blockedIPv4) ? 'blocked' : 'ok'
  return within(parsed, [publicIPv6]) && !within(parsed, blockedIPv6) ? 'ok' : 'blocked'
}

/** Ports 80, 443 and from 1024 on, without those on which databases and control planes listen. */
export function portPermitted(port: number): boolean {
  if (!Number.isInteger(port) || port < 1 || port > portMax) return false
  return (port > privilegedPortMax || webPorts.has(port)) && !blockedPorts.has(port)
}

/** Whether the allow list names this host. Such a host may resolve to any address. */
export function hostAllowedByName(policy: AddressPolicy, hostname: string, port: number): boolean {
  return policy.allowed.some(
    (entry) => entry.kind === 'host' && entry.hostname === hostname && (entry.port ?? port) === port,
  )
}

/** Whether the block list names this host or one above it, such as `example.com` for `hooks.example.com`. */
export function hostBlockedByName(policy: AddressPolicy, hostname: string, port: number): boolean {
  return (policy.blocked ?? []).some(
    (entry) =>
      entry.kind === 'host' &&
      (hostname === entry.hostname || hostname.endsWith(`.${entry.hostname}`)) &&
      (entry.port ?? port) === port,
  )
}

/** Whether the allow list names a network that holds this address. */
export function addressAllowed(policy: AddressPolicy, address: string, port: number): boolean {
  const parsed = parseAddress(address)
  return parsed !== null && isListed(policy.allowed, parsed, port)
}

/** Whether the block list names a network that holds this address. */
export function addressBlocked(policy: AddressPolicy, address: string, port: number): boolean {
  const parsed = parseAddress(address)
  return parsed === null || isListed(policy.blocked ?? [], parsed, port)
}

/**
 * Reads the operator's allow list: entries separated by commas, each `host`, `host:port`, `ip`, `ip:port`, `[ipv6]:port`,
 * a CIDR network or `network:port`. An empty text is an empty list.
 *
 * @throws Error whose message names the entry that cannot be read, and the fix
 */
export function parseAllowedReceivers(text: string): ListedReceiver[] {
  return parseReceivers(text, 'allowed')
}

/** Reads the operator's block list, which has the same form. */
export function parseBlockedReceivers(text: string): ListedReceiver[] {
  return parseReceivers(text, 'blocked')
}

function parseReceivers(text: string, list: 'allowed' | 'blocked'): ListedReceiver[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => parseReceiver(entry, list))
}

const entryForms =
  'write host, host:port, ip:port, [ipv6]:port, or a network such as 10.0.0.0/8, with names in ASCII and addresses in full'

function parseReceiver(entry: string, list: 'allowed' | 'blocked'): ListedReceiver {
  const refuse = (fix: string) => new Error(`the ${list} receiver "${entry}" cannot be read: ${fix}`)
  if (entry.includes('://')) throw refuse('leave out the scheme and the path; write host:port')
  if (entry.includes('*')) throw refuse('there are no wildcards; name each host, or write a network such as 10.0.0.0/8')

  if (isIP(entry) !== 0) return { kind: 'network', network: singleAddress(entry, refuse), port: null }

  const parts = /^(?:\[(?<bracketed>[^\]]*)\]|(?<bare>[^[\]]*?))(?:\/(?<prefix>\d{1,3}))?(?::(?<port>\d{1,5}))?$/.exec(
    entry,
  )
  const host = parts?.groups?.['bracketed'] ?? parts?.groups?.['bare']
  if (host === undefined) throw refuse(entryForms)

  const portText = parts?.groups?.['port']
  const port = portText === undefined ? null : Number(portText)
  if (port !== null && (port < 1 || port > portMax)) throw refuse(`the port must be from 1 to ${portMax}`)

  const prefix = parts?.groups?.['prefix']
  if (isIP(host) !== 0) {
    const address = prefix === undefined ? singleAddress(host, refuse) : parsedNetwork(host, Number(prefix), refuse)
    return { kind: 'network', network: address, port }
  }
  if (prefix !== undefined) throw refuse('a network needs a full address before the slash, such as 10.0.0.0/8')

  const hostname = host.toLowerCase().replace(/\.$/, '')
  // A last label that is a number would be read as an IPv4 address by every URL parser.
  if (!isHostname(hostname) || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(hostname)) throw refuse(entryForms)
  return { kind: 'host', hostname, port }
}

/**
 * Whether a name has the form of a host name: labels of letters, digits, hyphens and (they exist in practice)
 * underscores, none empty and none with a hyphen at its ends. In lower case, without the dot of the root.
 */
export function isHostname(name: string): boolean {
  return (
    name.length <= hostnameLengthMax &&
    name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  )
}

function singleAddress(address: string, refuse: (fix: string) => Error): Network {
  return parsedNetwork(address, isIP(address) === 4 ? 32 : 128, refuse)
}

function parsedNetwork(address: string, prefixLength: number, refuse: (fix: string) => Error): Network {
  if (isIP(address) === 6 && parseAddress(address)?.kind() !== 'ipv6') {
    throw refuse('write the IPv4 address itself, and no zone')
  }
  const cidr = `${address}/${prefixLength}`
  const family = isIP(address) === 4 ? ipaddr.IPv4 : ipaddr.IPv6
  if (!family.isValidCIDR(cidr)) throw refuse(`the prefix must be from 0 to ${isIP(address) === 4 ? 32 : 128}`)
  const first = family.networkAddressFromCIDR(cidr).toString()
  if (first !== family.parse(address).toString())
    throw refuse(`the network begins at ${first}; write ${first}/${prefixLength}`)
  return network(`${first}/${prefixLength}`)
}

function isListed(list: readonly ListedReceiver[], address: ipaddr.IPv4 | ipaddr.IPv6, port: number): boolean {
  return list.some(
    (entry) => entry.kind === 'network' && (entry.port ?? port) === port && within(address, [entry.network]),
  )
}

function within(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly Network[]): boolean {
  return ranges.some(([first, length]) => first.kind() === address.kind() && address.match(first, length))
}

/**
 * The address behind a text, IPv4-mapped IPv6 (`::ffff:10.0.0.1`) unwrapped, or `null`.
 *
 * `ipaddr.js` alone is too forgiving here: it reads octal and hexadecimal IPv4, and takes the IPv4-*compatible*
 * `::8.8.8.8` (which name servers' answers are printed as) for the IPv4-mapped one. So Node decides what an address is,
 * and the URL parser writes IPv6 in its one canonical form without dots.
 */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const family = isIP(text)
  if (family === 4) return ipaddr.IPv4.parse(text)
  // A zone (`%eth0`) names an interface of this machine: never a public address.
  if (family !== 6 || text.includes('%')) return null
  const address = ipaddr.IPv6.parse(new URL(`http://[${text}]/`).hostname.slice(1, -1))
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function networks(cidrs: readonly string[]): Network[] {
  return cidrs.map(network)
}

function network(cidr: string): Network {
  return ipaddr.parseCIDR(cidr)
}
