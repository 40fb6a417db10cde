/**
 * One source file, parsed: its nodes, imports, strings and comments with their lines.
 *
 * The parser is vite's (oxc), which comes with vitest: it reads all of TypeScript and gives the ESTree form. TypeScript 7
 * itself has no JavaScript API.
 */
import { parseAst } from 'vitest/node'

/** A node of the syntax tree; what else it has depends on its type (ESTree, TypeScript-ESTree). */
export type Node = {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export type Import = { readonly specifier: string; readonly isType: boolean; readonly line: number }

/** A string literal, or a template with `\0` where values go. */
export type Text = { readonly value: string; readonly line: number }

export type Source = {
  readonly path: string
  readonly program: Node
  /** Every `import`, `export … from`, `import()` and `import type`. */
  readonly imports: readonly Import[]
  readonly texts: readonly Text[]
  readonly comments: readonly Text[]
  lineOf(node: Node): number
}

/** Parses a file. Throws, with the place, when it is no TypeScript. */
export function parseSource(path: string, text: string): Source {
  const lang = path.endsWith('x') ? 'tsx' : 'ts'
  const program: unknown = parseAst(text, { lang, astType: 'ts' }, path)
  if (!isNode(program)) throw new Error(`${path}: the parser gave no program`)
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  const lineAt = (offset: number) => lineStarts.findLastIndex((start) => start <= offset) + 1
  const imports: Import[] = []
  const texts: Text[] = []
  const opaque: Node[] = []
  walk(program, (node) => {
    const line = lineAt(node.start)
    const specifier = specifierOf(node)
    if (specifier !== undefined) imports.push({ specifier, isType: isTypeImport(node), line })
    const value = textOf(node)
    if (value !== undefined) texts.push({ value, line })
    if (opaqueTypes.has(node.type)) opaque.push(node)
  })
  const comments = commentsOf(text, opaque).map(({ value, start }) => ({ value, line: lineAt(start) }))
  return { path, program, imports, texts, comments, lineOf: (node) => lineAt(node.start) }
}

/** Visits every node below `node` and itself, outside in; the visitor learns the parent and the key it hangs on. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined, key: string) => void): void {
  function go(current: Node, parent: Node | undefined, key: string): void {
    visit(current, parent, key)
    for (const [name, value] of Object.entries(current)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) go(child, current, name)
    }
  }
  go(node, undefined, '')
}

/** The child node under a key, if there is one. */
export function child(node: Node, key: string): Node | undefined {
  const value = node[key]
  return isNode(value) ? value : undefined
}

/** The name of an identifier node. */
export function nameOf(node: Node | undefined): string | undefined {
  const name = node?.type === 'Identifier' ? node['name'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** What a string literal says; of a template, with `\0` where values go. */
export function textOf(node: Node | undefined): string | undefined {
  if (node?.type === 'TemplateLiteral') return childrenOf(node, 'quasis').map(cooked).join('\0')
  return node?.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined
}

/** The child nodes in a list. */
export function childrenOf(node: Node, key: string): Node[] {
  const value = node[key]
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** Whether an identifier refers to a variable, and does not merely name a property or the like. */
export function isReference(parent: Node | undefined, key: string): boolean {
  return parent === undefined || namingKeys[parent.type] !== key || parent['computed'] === true
}

/** Where an identifier is a name that belongs to something else. */
const namingKeys: Readonly<Record<string, string>> = {
  MemberExpression: 'property',
  Property: 'key',
  PropertyDefinition: 'key',
  MethodDefinition: 'key',
  ImportSpecifier: 'imported',
  ExportSpecifier: 'exported',
  TSQualifiedName: 'right',
  TSPropertySignature: 'key',
  TSMethodSignature: 'key',
}

/** In these `//` begins no comment. */
const opaqueTypes = new Set(['Literal', 'TemplateElement', 'JSXText'])
const importingTypes = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function specifierOf(node: Node): string | undefined {
  if (!importingTypes.has(node.type)) return undefined
  const value = child(node, 'source')?.['value']
  return typeof value === 'string' ? value : undefined
}

function isTypeImport(node: Node): boolean {
  return node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type'
}

function cooked({ value }: Node): string {
  return typeof value === 'object' && value !== null && 'cooked' in value ? String(value.cooked) : ''
}

function commentsOf(text: string, opaque: readonly Node[]): { value: string; start: number }[] {
  const comments: { value: string; start: number }[] = []
  const skips = opaque.toSorted((a, b) => a.start - b.start)
  let skip = 0
  for (let at = 0; at < text.length; at += 1) {
    while ((skips[skip]?.end ?? Number.POSITIVE_INFINITY) <= at) skip += 1
    const literal = skips[skip]
    if (literal !== undefined && literal.start <= at) {
      at = literal.end - 1
      continue
    }
    const end = text.startsWith('//', at) ? '\n' : text.startsWith('/*', at) ? '*/' : undefined
    if (end === undefined) continue
    const found = text.indexOf(end, at + 2)
    const stop = found === -1 ? text.length : found
    comments.push({ value: text.slice(at + 2, stop), start: at })
    at = stop + (end === '*/' ? 1 : -1)
  }
  return comments
}
