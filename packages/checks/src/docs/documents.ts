/** The documents of the checkout, and where it is. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readTree, type Tree } from '../house/tree.ts'
import { type Document, parseMarkdown } from './markdown.ts'

/** The folder of the checkout. */
export const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** Reads one document by its path from the root. */
export function readDocument(path: string): Document {
  return parseMarkdown(readFileSync(`${root}/${path}`, 'utf8'))
}

/** Every Markdown file, by its path from the root. */
export function documentsIn(tree: Tree): Map<string, Document> {
  const documents = [...tree].filter(([path]) => path.endsWith('.md'))
  return new Map(documents.map(([path, text]) => [path, parseMarkdown(text)]))
}

/** Every file of the checkout. */
export function readCheckout(): Tree {
  return readTree(root)
}
