/** Figures in words, and texts of strangers in formats of others. */

const units = [
  { name: 'day', seconds: 86_400 },
  { name: 'hour', seconds: 3_600 },
  { name: 'minute', seconds: 60 },
] as const

/** `5 minutes`, in the largest unit that fits without a fraction. */
export function durationInWords(seconds: number): string {
  const unit = units.find((each) => seconds >= each.seconds && seconds % each.seconds === 0)
  const count = unit === undefined ? seconds : seconds / unit.seconds
  return `${count} ${unit?.name ?? 'second'}${count === 1 ? '' : 's'}`
}

/** Text in XML 1.0, in an element or an attribute. Characters that XML does not have become U+FFFD. */
export function xmlText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** Text in one line of Markdown, with nothing in it that Markdown or HTML would take for more than text. */
export function markdownLine(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_{}[\]<>#|~!&]/g, '\\$&')
}

/** A block of code that its content cannot end. */
export function markdownCode(language: string, code: string): string {
  const runs = code.match(/`{3,}/g) ?? []
  const fence = '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)))
  return `${fence}${language}\n${code.trimEnd()}\n${fence}`
}
