/**
 * Base64 for JSONata inside a realm, which has neither that of a browser nor that of Node. Both functions are passed on as
 * text, so they refer to nothing outside themselves.
 */

/** The base64 of a text's units, of each the lower eight bits. */
export function encodeBase64(text: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  let encoded = ''
  for (let at = 0; at < text.length; at += 3) {
    const rest = text.length - at
    const bits =
      ((text.charCodeAt(at) & 255) << 16) |
      (rest > 1 ? (text.charCodeAt(at + 1) & 255) << 8 : 0) |
      (rest > 2 ? text.charCodeAt(at + 2) & 255 : 0)
    encoded += digits.charAt(bits >> 18) + digits.charAt((bits >> 12) & 63)
    encoded += (rest > 1 ? digits.charAt((bits >> 6) & 63) : '=') + (rest > 2 ? digits.charAt(bits & 63) : '=')
  }
  return encoded
}

/** The bytes of a base64, each as one unit. Reads both alphabets up to the first `=`, and passes over everything else. */
export function decodeBase64(text: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  let decoded = ''
  let bits = 0
  let held = 0
  for (const unit of text) {
    if (unit === '=') break
    const digit = digits.indexOf(unit === '-' ? '+' : unit === '_' ? '/' : unit)
    if (digit === -1) continue
    bits = ((bits << 6) | digit) & 0xff_ff
    held += 6
    if (held < 8) continue
    held -= 8
    decoded += String.fromCharCode((bits >> held) & 255)
  }
  return decoded
}
