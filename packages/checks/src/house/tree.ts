/**
 * The files of the checkout, as text: everything that is, or would be, tracked by git. Read without git, so that an
 * archive, a checkout that belongs to another user and a clone are the same.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Path from the root, with `/`, to text. Files that are not text have the empty text. */
export type Tree = ReadonlyMap<string, string>

/** Reads a checkout, leaving out `.git`, what the root's `.gitignore` names, and what this clone alone ignores. */
export function readTree(root: string): Tree {
  const lists = [join(root, '.gitignore'), join(root, '.git/info/exclude')].filter((list) => existsSync(list))
  const isIgnored = ignored(lists.map((list) => readFileSync(list, 'utf8')).join('\n'))
  const tree = new Map<string, string>()
  function read(folder: string): void {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.name === '.git' || isIgnored(path, entry.isDirectory())) continue
      if (entry.isDirectory()) read(path)
      else if (entry.isFile()) tree.set(path, textOf(readFileSync(join(root, path))))
    }
  }
  read('')
  return tree
}

/**
 * Reads the patterns of a `.gitignore`: names and paths, `*` in them, a `/` behind a folder. What is not understood
 * (`**`, `!`, `?`, `[`) is refused, rather than the wrong files read.
 */
export function ignored(gitignore: string): (path: string, isFolder: boolean) => boolean {
  const patterns = gitignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((pattern) => {
      if (/\*\*|[!?[\\]/.test(pattern)) throw new Error(`.gitignore: "${pattern}" is more than these tests understand`)
      const name = pattern.replace(/\/$/, '')
      const start = name.includes('/') ? '^' : '(^|/)'
      const text = name.replace(/^\//, '').replace(/[.+^$(){}|]/g, '\\$&')
      return { onlyFolders: pattern.endsWith('/'), regexp: new RegExp(`${start}${text.replaceAll('*', '[^/]*')}$`) }
    })
  return (path, isFolder) => patterns.some(({ onlyFolders, regexp }) => (isFolder || !onlyFolders) && regexp.test(path))
}

function textOf(bytes: Buffer): string {
  return bytes.includes(0) ? '' : bytes.toString('utf8')
}
