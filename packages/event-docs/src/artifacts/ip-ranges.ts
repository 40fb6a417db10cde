/** Where requests come from, for firewalls. */
import { isIP } from 'node:net'
import type { Documentation } from '../documentation.ts'

export type IpRanges = {
  /** The operator has said where requests come from. */
  named: boolean
  prefixes: string[]
  ipv4_prefixes: string[]
  ipv6_prefixes: string[]
}

/** All in CIDR notation, in the order in which the operator names them; what is no address is left out. */
export function ipRanges({ source }: Documentation): IpRanges {
  const all = source.meta.egress_addresses.flatMap((text) => prefixOf(text) ?? [])
  return {
    named: all.length > 0,
    prefixes: all.map(({ prefix }) => prefix),
    ipv4_prefixes: all.filter(({ family }) => family === 4).map(({ prefix }) => prefix),
    ipv6_prefixes: all.filter(({ family }) => family === 6).map(({ prefix }) => prefix),
  }
}

function prefixOf(text: string): { prefix: string; family: number } | undefined {
  const [address = '', length, ...more] = text.split('/')
  const family = isIP(address)
  const bits = family === 4 ? 32 : 128
  if (family === 0 || more.length > 0) return undefined
  if (length === undefined) return { prefix: `${address}/${bits}`, family }
  return /^\d{1,3}$/.test(length) && Number(length) <= bits ? { prefix: text, family } : undefined
}
