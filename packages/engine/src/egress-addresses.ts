/** The addresses that requests to receivers come from, for those who must let them in. We cannot know them; we repeat them. */
import ipaddr from 'ipaddr.js'
import { SettingError } from './settings.ts'

const addressesMax = 100

/**
 * Reads addresses and networks, comma-separated.
 *
 * @throws SettingError whose message says what to write instead
 */
export function parseEgressAddresses(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim())
  const given = parts.filter((part) => part !== '')
  if (given.length > addressesMax) throw new SettingError(`has ${given.length} addresses; give at most ${addressesMax}`)
  return given.map((part) => {
    if (part.includes('/') ? ipaddr.isValidCIDR(part) : isAddress(part)) return part
    throw new SettingError(`"${part}" is no address or network; write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/48`)
  })
}

/** In full: `10.1` is an address to many programs, but not to people who write firewall rules. */
function isAddress(text: string): boolean {
  return ipaddr.IPv6.isValid(text) || ipaddr.IPv4.isValidFourPartDecimal(text)
}
