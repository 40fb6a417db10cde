/** What documents point to: each other, files of the checkout, scripts. */
import type { Tree } from '../house/tree.ts'
import { documentsIn } from './documents.ts'

/** Everything that a document points to and that is not there, as `path:line what`. */
export function brokenReferences(tree: Tree): string[] {
  const documents = documentsIn(tree)
  const broken: string[] = []
  for (const [path, { links, spans }] of documents) {
    for (const { target, line } of links) {
      if (/^[a-z]+:/.test(target)) continue
      const [, file = '', anchor] = /^([^#]*)(?:#(.*))?$/.exec(target) ?? []
      const linked = file === '' ? path : resolve(path, file)
      if (!isThere(tree, linked)) broken.push(`${path}:${line} links to ${linked}, which is not there`)
      else if (anchor !== undefined && !documents.get(linked)?.sections.some((section) => section.anchor === anchor))
        broken.push(`${path}:${line} links to #${anchor} of ${linked}, which has no such heading`)
    }
    for (const { text, line } of spans) {
      if (/^(apps|packages|prisma|docs)\/[\w./-]+$/.test(text) && !isThere(tree, text.replace(/\/$/, '')))
        broken.push(`${path}:${line} names ${text}, which is not there`)
    }
  }
  return broken
}

/** Every line of a shell block that calls a script that the root does not have, or a file that is not there. */
export function brokenCommands(tree: Tree, scripts: ReadonlySet<string>): string[] {
  const broken: string[] = []
  for (const [path, { blocks }] of documentsIn(tree)) {
    for (const { text, line } of blocks.filter(({ language }) => language === 'sh').flatMap(({ lines }) => lines)) {
      const script = /\bpnpm(?:@\d+)?(?:\s+run)?\s+([\w:-]+)/.exec(text)?.[1]
      if (script !== undefined && !scripts.has(script) && !ofPnpm.has(script))
        broken.push(`${path}:${line} calls "${script}", which is no script of package.json`)
      const file = /\bnode\s+((?:apps|packages)\/\S+)/.exec(text)?.[1]
      if (file !== undefined && !tree.has(file)) broken.push(`${path}:${line} runs ${file}, which is not there`)
    }
  }
  return broken
}

/** Commands that pnpm itself knows, as far as documents name them. */
const ofPnpm = new Set(['install', 'add', 'update', 'exec', 'dlx', 'why', 'outdated'])

function resolve(from: string, target: string): string {
  return decodeURIComponent(new URL(target, `file:///${from}`).pathname.slice(1)).replace(/\/$/, '')
}

/** A file, or a folder that has files. */
function isThere(tree: Tree, path: string): boolean {
  return tree.has(path) || [...tree.keys()].some((file) => file.startsWith(`${path}/`))
}
