/** W3C Trace Context §3.2.2: version 00 to fe, neither id all zeros. */
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Whether a text is a well-formed `traceparent`. Whoever gets another one ignores it, as the standard asks. */
export function isTraceparent(text: string): boolean {
  return form.test(text)
}
