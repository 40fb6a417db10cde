/**
 * Base64 read exactly. For this package only. Some libraries decode what is nearly base64 to a wrong key without a word.
 */
import { Buffer } from 'node:buffer'

/** Why a text is not the standard, padded base64 (RFC 4648 §4) of some bytes. */
export type Base64Fault = 'whitespace' | 'url_safe_base64' | 'not_base64' | 'bad_padding'

/** The bytes, or what is wrong with the text. */
export function decodeBase64(base64: string): Buffer | Base64Fault {
  if (/\s/.test(base64)) return 'whitespace'
  if (/^[A-Za-z0-9_-]*=*$/.test(base64) && /[_-]/.test(base64)) return 'url_safe_base64'
  if (!/^[A-Za-z0-9+/]*=*$/.test(base64)) return 'not_base64'
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 ? bytes : 'bad_padding'
}
