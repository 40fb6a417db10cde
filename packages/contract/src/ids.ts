/**
 * Ids as people see them: a prefix and a UUIDv7 in lower-case Crockford base32 (`evt_01jd8x…`, 26 characters).
 *
 * A double click selects the whole id, ids sort by time, and no two letters look alike. The database stores the plain
 * `uuid`; only this file knows both forms.
 */

export const idPrefixes = {
  event: 'evt_',
  subscription: 'sub_',
  delivery: 'dlv_',
  attempt: 'att_',
  secret: 'sec_',
  replay: 'rpl_',
  api_key: 'key_',
  outbox_event: 'out_',
  portal_session: 'ses_',
  audit_entry: 'aud_',
  erasure: 'era_',
} as const
export type IdNoun = keyof typeof idPrefixes

/** A UUID in its canonical lower-case form, as PostgreSQL prints it. */
export type Uuid = string

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const digitOf = new Map([...alphabet].map((letter, digit) => [letter, BigInt(digit)]))
const encodedLength = 26
const uuidMax = (1n << 128n) - 1n
const hyphen = 0x2d
const zero = 0x30
const nine = 0x39
const letterA = 0x61
const lowerCase = 0x20

/** The JSON-Schema pattern of a noun's ids. */
export function idPattern(noun: IdNoun): string {
  return `^${idPrefixes[noun]}[0-7][${alphabet}]{25}$`
}

/** `0192…-…` → `evt_01jd…`. Plain numbers: with a `bigint` this was 1 % of the CPU of a busy dispatcher. */
export function formatId(noun: IdNoun, uuid: Uuid): string {
  let text = idPrefixes[noun] as string
  // 26 digits are 130 bits, so two zeros go before the 128.
  let bits = 0
  let count = 2
  for (let i = 0; i < uuid.length; i += 1) {
    const code = uuid.charCodeAt(i)
    if (code === hyphen) continue
    bits = (bits << 4) | (code <= nine ? code - zero : (code | lowerCase) - letterA + 10)
    count += 4
    if (count < 5) continue
    count -= 5
    text += alphabet[bits >> count]
    bits &= (1 << count) - 1
  }
  return text
}

/** `evt_01jd…` → `0192…-…`, or `undefined` for anything that is not exactly an id of that noun. */
export function parseId(noun: IdNoun, id: string): Uuid | undefined {
  const prefix = idPrefixes[noun]
  if (!id.startsWith(prefix) || id.length !== prefix.length + encodedLength) return undefined
  let value = 0n
  for (const letter of id.slice(prefix.length)) {
    const digit = digitOf.get(letter)
    if (digit === undefined) return undefined
    value = (value << 5n) | digit
  }
  return value > uuidMax ? undefined : uuidOf(value)
}

/**
 * A new UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, 74 random bits.
 *
 * @param nowMs Unix time in milliseconds
 * @param random at least 10 bytes of cryptographic randomness
 */
export function uuidV7(nowMs: number, random: Uint8Array): Uuid {
  const time = Math.trunc(nowMs).toString(16).padStart(12, '0')
  const at = (index: number) => random[index] ?? 0
  const version = hexOf(0x70 | (at(0) & 0x0f)) + hexOf(at(1))
  const variant = hexOf(0x80 | (at(2) & 0x3f)) + hexOf(at(3))
  const rest = hexOf(at(4)) + hexOf(at(5)) + hexOf(at(6)) + hexOf(at(7)) + hexOf(at(8)) + hexOf(at(9))
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${rest}`
}

/** The smallest UUIDv7 of a millisecond: the bound of a partition, or of a time filter over ids. */
export function uuidFloor(ms: number): Uuid {
  return uuidOf(BigInt(Math.trunc(ms)) << 80n)
}

/** The Unix milliseconds in a UUIDv7. */
export function uuidTime(uuid: Uuid): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexOf(byte: number): string {
  return hexOfByte[byte] ?? ''
}

function uuidOf(value: bigint): Uuid {
  const hex = value.toString(16).padStart(32, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
