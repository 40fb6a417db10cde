/**
 * A request as a command for a POSIX shell. Everything in it may be hostile, so everything stands in single quotes, in
 * which a shell reads nothing but the next single quote.
 *
 * The body goes through the standard input, and not in an argument, which curl would read a file for when it begins with
 * `@`. A shell drops NUL, and a terminal acts on control characters when they are pasted: a body with such bytes, and any
 * long one, is written in base64.
 */

/** Longer bodies go in base64: shells and terminals limit a line. */
const plainLengthMax = 64 * 1024

export type CurlRequest = {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
}

/** curl makes these by itself, or they belong to another connection. */
const ownHeaders = new Set(['host', 'content-length', 'connection', 'accept-encoding', 'transfer-encoding', 'expect'])

export function curlCommand({ url, headers, body }: CurlRequest): string {
  const lines = [`curl --globoff --request POST --url ${quoted(url)}`]
  for (const [name, value] of Object.entries(headers)) {
    // A header without a value is one that curl would leave out, but for the semicolon.
    if (!ownHeaders.has(name.toLowerCase()))
      lines.push(`--header ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`)
  }
  // curl adds them where they are not given, and they were not sent.
  for (const name of ['accept', 'expect']) {
    if (!Object.keys(headers).some((given) => given.toLowerCase() === name))
      lines.push(`--header ${quoted(`${name}:`)}`)
  }
  lines.push('--data-binary @-')
  return `${bodyCommand(body)} | ${lines.join(' \\\n  ')}`
}

function bodyCommand(body: string): string {
  if (isPlain(body) && body.length <= plainLengthMax) return `printf '%s' ${quoted(body)}`
  return `printf '%s' ${quoted(Buffer.from(body).toString('base64'))} | base64 -d`
}

function isPlain(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/.test(text) && text.isWellFormed()
}

/** One word of a POSIX shell, whatever is in it. Control characters cannot be in URLs and headers, and are dropped. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
