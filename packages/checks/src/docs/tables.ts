/** The tables of docs/configuration.md, as the code would write them. */
import { limits } from '@posthorn/contract'
import type { Settings } from '@posthorn/engine'
import { demoSettings, serveSettings } from 'posthorn/config'
import type { Document } from './markdown.ts'

export const settingsHeader = ['Variable', 'Default', 'What for']
export const limitsHeader = ['Limit', 'Value', 'Of']

/** The rows of the settings that everything reads, and of those that the demo reads beside them. */
export function settingsRows(): { serve: string[][]; demo: string[][] } {
  const onlyDemo = Object.entries(demoSettings).filter(([variable]) => !Object.hasOwn(serveSettings, variable))
  return { serve: rowsOf(serveSettings), demo: rowsOf(Object.fromEntries(onlyDemo)) }
}

/** Name and value of every limit. What it limits is said in prose. */
export function limitsRows(): string[][] {
  return Object.entries(limits).map(([name, value]) => [`\`${name}\``, String(value)])
}

/** A row as it stands in Markdown. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** The rows of every table with this header, a table each. */
export function tablesOf({ tables }: Document, header: readonly string[]): string[][][] {
  const alike = tables.filter((table) => table.header.join('|') === header.join('|'))
  return alike.map(({ rows }) => rows.map(({ cells }) => [...cells]))
}

function rowsOf(settings: Settings): string[][] {
  return Object.entries(settings).map(([variable, { help, defaultText }]) => [
    `\`${variable}\``,
    defaultOf(defaultText),
    help,
  ])
}

function defaultOf(text: string | undefined): string {
  if (text === undefined) return 'none'
  return text === '' ? 'empty' : `\`${text}\``
}
