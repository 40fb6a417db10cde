/**
 * A `.tgz` that is the same on every machine: no times, no owners, and nothing compressed, because two builds of zlib
 * may compress one text to different bytes. Servers compress what they send anyway.
 */
import { gzipSync } from 'node:zlib'

const block = 512
/** Where gzip says on what system it ran (RFC 1952 §2.3.1), and what it says when nobody knows. */
const systemAt = 9
const systemUnknown = 255

/** @param entries paths of at most 100 bytes, in the order of the archive */
export function archive(entries: readonly { path: string; text: string }[]): Uint8Array {
  const parts = entries.flatMap(({ path, text }) => {
    const body = Buffer.from(text)
    return [header(path, body.length), body, Buffer.alloc((block - (body.length % block)) % block)]
  })
  const bytes = gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * block)]), { level: 0 })
  bytes[systemAt] = systemUnknown
  return bytes
}

/** A header of `ustar` (POSIX.1-1988): numbers are octal text. */
function header(path: string, size: number): Buffer {
  const bytes = Buffer.alloc(block)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  const write = (text: string, at: number) => bytes.write(text, at, 'latin1')
  if (Buffer.byteLength(path) > 100) throw new Error(`"${path}" is too long for an archive`)
  write(path, 0)
  write(octal(0o644, 7), 100)
  write(octal(0, 7), 108)
  write(octal(0, 7), 116)
  write(octal(size, 11), 124)
  write(octal(0, 11), 136)
  write(' '.repeat(8), 148)
  write('0', 156)
  write('ustar\x0000', 257)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  write(`${octal(sum, 6)} `, 148)
  return bytes
}
