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
} as const
export type IdNoun = keyof typeof idPrefixes

/** A UUID in its canonical lower-case form, as PostgreSQL prints it. */
export type Uuid = string

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const digitOf = new Map([...alphabet].map((letter, digit) => [letter, BigInt(digit)]))
const encodedLength = 26
const uuidMax = (1n << 128n) - 1n

/** The JSON-Schema pattern of a noun's ids. */
export function idPattern(noun: IdNoun): string {
  return `^${idPrefixes[noun]}[0-7][${alphabet}]{25}$`
}

/** `0192…-…` → `evt_01jd…`. */
export function formatId(noun: IdNoun, uuid: Uuid): string {
  let value = BigInt(`0x${uuid.replaceAll('-', '')}`)
  let text = ''
  for (let i = 0; i < encodedLength; i += 1) {
    text = alphabet.charAt(Number(value & 31n)) + text
    value >>= 5n
  }
  return idPrefixes[noun] + text
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
  let value = BigInt(Math.trunc(nowMs)) << 80n
  for (let i = 0; i < 10; i += 1) value |= BigInt(random[i] ?? 0) << BigInt(72 - 8 * i)
  value = (value & ~(0xfn << 76n)) | (7n << 76n)
  value = (value & ~(3n << 62n)) | (2n << 62n)
  return uuidOf(value)
}

/** The smallest UUIDv7 of a millisecond: the bound of a partition, or of a time filter over ids. */
export function uuidFloor(ms: number): Uuid {
  return uuidOf(BigInt(Math.trunc(ms)) << 80n)
}

/** The Unix milliseconds in a UUIDv7. */
export function uuidTime(uuid: Uuid): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)
}

function uuidOf(value: bigint): Uuid {
  const hex = value.toString(16).padStart(32, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
