/**
 * HTML from templates in which everything that is put in is text, unless it came out of such a template itself. So a
 * description with a script in it is shown as one, and cannot be anything else.
 */

/** A piece of HTML. Made by `html` alone. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Value = Html | string | number | undefined | false | readonly Value[]

export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let result = ''
  for (const [index, text] of texts.entries()) result += text + htmlOf(values[index])
  return new Html(result)
}

function htmlOf(value: Value): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(htmlOf).join('')
  return escapeHtml(String(value))
}

/** For texts between tags and in attributes with quotes. Characters that no document may hold are shown as U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/(?![\t\n\r])[\p{Cc}\p{Noncharacter_Code_Point}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
