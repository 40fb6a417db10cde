/**
 * What a page says, apart from how it looks: the HTML page and its Markdown twin are two renderings of the same blocks,
 * so neither can say something that the other does not.
 *
 * Texts are data. Whatever stands in them is shown as it stands; nothing in them is markup.
 */

/** Tones of marks and notes. They are words too, because a color alone tells nothing to many. */
export type Tone = 'plain' | 'good' | 'warning' | 'danger'

export type Span =
  | string
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong'; readonly text: string }
  | { readonly kind: 'mark'; readonly text: string; readonly tone: Tone }
  /** To a file of this site: its path below the root, and a place on it. */
  | { readonly kind: 'link'; readonly to: string; readonly fragment?: string; readonly text: string }
  /** To anywhere else. Only `https:` and `mailto:` become links. */
  | { readonly kind: 'external'; readonly href: string; readonly text: string }
  /** A text of an author, in whatever language and direction it is: it must not turn around what stands beside it. */
  | { readonly kind: 'authored'; readonly spans: Spans }
  | { readonly kind: 'break' }

export type Spans = readonly Span[]

export type Block =
  | { readonly kind: 'heading'; readonly level: 2 | 3 | 4; readonly id: string; readonly text: string }
  | { readonly kind: 'paragraph'; readonly spans: Spans }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly Spans[] }
  | {
      readonly kind: 'table'
      readonly caption: string
      readonly columns: readonly string[]
      readonly rows: readonly Row[]
      readonly form: TableForm
    }
  | CodeBlock
  /** Variants of one thing, of which a reader wants one: languages, formats. Without a script all of them are shown. */
  | { readonly kind: 'tabs'; readonly label: string; readonly tabs: readonly Tab[] }
  | { readonly kind: 'note'; readonly tone: Tone; readonly blocks: Blocks }
  | { readonly kind: 'details'; readonly summary: string; readonly blocks: Blocks }

export type Blocks = readonly Block[]
export type CodeBlock = {
  readonly kind: 'code'
  /** As highlighters call it; empty for plain text. */
  readonly language: string
  readonly text: string
  /** What it is, for people who come upon it with a screen reader: “Signed request”. */
  readonly label: string
}
/** `fields`: a name, its type, what it means. `list`: a name and what it means, as wide in every table of the page. */
export type TableForm = 'plain' | 'fields' | 'list'
export type Row = { readonly id?: string; readonly depth?: number; readonly cells: readonly Spans[] }
export type Tab = { readonly name: string; readonly blocks: Blocks }

export type Page = {
  /** Below the root, without the ending: `events/invoice.paid`. */
  readonly path: string
  readonly title: string
  /** One sentence, for search and for lists of pages. */
  readonly summary: string
  /** Marks beside the title. */
  readonly marks: readonly { text: string; tone: Tone }[]
  readonly blocks: Blocks
}

export function heading(level: 2 | 3 | 4, text: string, id: string = anchorOf(text)): Block {
  return { kind: 'heading', level, id, text }
}

export function paragraph(...spans: Span[]): Block {
  return { kind: 'paragraph', spans }
}

export function list(...items: Spans[]): Block {
  return { kind: 'list', ordered: false, items }
}

export function steps(...items: Spans[]): Block {
  return { kind: 'list', ordered: true, items }
}

export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly Row[],
  form: TableForm = 'plain',
): Block {
  return { kind: 'table', caption, columns, rows, form }
}

export function codeBlock(language: string, text: string, label: string): CodeBlock {
  return { kind: 'code', language, text, label }
}

export function note(tone: Tone, ...blocks: Block[]): Block {
  return { kind: 'note', tone, blocks }
}

export function code(text: string): Span {
  return { kind: 'code', text }
}

export function mark(text: string, tone: Tone = 'plain'): Span {
  return { kind: 'mark', text, tone }
}

/** To a page or another file of this site. */
export function link(to: string, text: string, fragment?: string): Span {
  return { kind: 'link', to, text, ...(fragment === undefined ? {} : { fragment }) }
}

/** To another site; shown as text when the address is none that is safe to follow. */
export function external(href: string, text: string): Span {
  return /^(https:\/\/|mailto:)/.test(href) ? { kind: 'external', href, text } : text
}

/**
 * Our own prose, written as people write: `` `code` ``, `**strong**` and `[text](page#place)`. What is put in with `${}`
 * is data and stays as it is.
 */
export function prose(texts: TemplateStringsArray, ...values: readonly (Span | number)[]): Spans {
  const spans: Span[] = []
  for (const [index, text] of texts.entries()) {
    spans.push(...spansOf(text))
    const value = values[index]
    if (value !== undefined) spans.push(typeof value === 'number' ? String(value) : value)
  }
  return spans
}

/** A paragraph of our own prose. */
export function say(texts: TemplateStringsArray, ...values: readonly (Span | number)[]): Block {
  return { kind: 'paragraph', spans: prose(texts, ...values) }
}

/** Trusted text with the little markup that `prose` knows. */
export function spansOf(text: string): Span[] {
  const spans: Span[] = []
  let end = 0
  for (const found of text.matchAll(/`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g)) {
    if (found.index > end) spans.push(text.slice(end, found.index))
    end = found.index + found[0].length
    const [, coded, strong, linked = '', target = ''] = found
    if (coded !== undefined) spans.push(code(coded))
    else if (strong !== undefined) spans.push({ kind: 'strong', text: strong })
    else if (/^[a-z]+:/.test(target)) spans.push(external(target, linked))
    else {
      const [to = '', fragment] = target.split('#', 2)
      spans.push(link(to, linked, fragment))
    }
  }
  if (end < text.length) spans.push(text.slice(end))
  return spans
}

/** Texts of authors: an empty line begins a paragraph. Of Markdown they know code alone; all else stays as it is. */
export function paragraphsOf(text: string): Block[] {
  return text
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => ({ kind: 'paragraph', spans: authored(part) }))
}

/** Characters that make the text behind them run backwards, as no prose needs it. */
const overrides = /[\u202d\u202e]/g

/** A text of an author, with `` `code` `` as code. */
export function authored(text: string): Span[] {
  const spans = text
    .replaceAll(overrides, '\ufffd')
    .split(/`([^`\n]+)`/)
    .flatMap((part, index) => {
      if (part === '') return []
      return [index % 2 === 1 ? code(part) : part]
    })
  return spans.length === 0 ? [] : [{ kind: 'authored', spans }]
}

/** A place on a page, from the words that stand there. */
export function anchorOf(text: string): string {
  const anchor = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return anchor === '' ? 'section' : anchor
}

/** The words of spans, without what they look like. */
export function wordsOf(spans: Spans): string {
  return spans
    .map((span) => {
      if (typeof span === 'string') return span
      if (span.kind === 'authored') return wordsOf(span.spans)
      return span.kind === 'break' ? ' ' : span.text
    })
    .join('')
}
