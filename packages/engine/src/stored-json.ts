/**
 * JSON that callers give us to keep. PostgreSQL's `jsonb` refuses U+0000 and half a surrogate pair, and JavaScript turns
 * a number beyond its range into `null`: such values are refused with their place, and nothing is changed silently.
 */
import { limits, Problem } from '@posthorn/contract'
import type { Prisma } from './db/generated/client.ts'

/**
 * Reads an object to be kept.
 *
 * @param pointer where it stands in the request
 * @throws Problem `invalid_request` when it cannot be kept as it is, or is longer than `metadataBytesMax`
 */
export function storedJson(object: Readonly<Record<string, unknown>>, pointer: string): Prisma.InputJsonObject {
  const fault = faultIn(object, pointer)
  if (fault !== undefined) throw refused(fault.pointer, fault.detail)
  const bytes = Buffer.byteLength(JSON.stringify(object))
  if (bytes > limits.metadataBytesMax) {
    throw refused(pointer, `is ${bytes} bytes of JSON; at most ${limits.metadataBytesMax} are kept`)
  }
  // Parsed JSON without the values that the database refuses.
  return object as Prisma.InputJsonObject
}

type Fault = { pointer: string; detail: string }

/** The depth of a request is limited, so recursion is safe here. */
function faultIn(value: unknown, pointer: string): Fault | undefined {
  if (typeof value === 'string') {
    return isStorable(value) ? undefined : { pointer, detail: 'contains U+0000 or half of a surrogate pair' }
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : { pointer, detail: 'is a number too large to be kept' }
  }
  if (value === null || typeof value !== 'object') return undefined
  for (const [name, member] of Object.entries(value)) {
    if (!isStorable(name)) return { pointer, detail: 'has a name with U+0000 or half of a surrogate pair' }
    const fault = faultIn(member, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

function refused(pointer: string, detail: string): Problem {
  return new Problem('invalid_request', `${pointer.slice(1)} ${detail}.`, { errors: [{ pointer, detail }] })
}
