/** Which versions of the libraries a sample was run with, as each language tells them: `flask 3.1.3`. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Environment, runToEnd } from './children.ts'

const nodeModules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const lookTimeoutMs = 20_000

/** Of packages that this package depends on. */
export async function nodeLibraries(names: readonly string[]): Promise<string[]> {
  return await Promise.all(
    names.map(async (name) => {
      const { version } = JSON.parse(await readFile(join(nodeModules, name, 'package.json'), 'utf8'))
      return `${name} ${version}`
    }),
  )
}

export async function pythonLibraries(names: readonly string[], python: string, env: Environment): Promise<string[]> {
  const script = 'import sys, importlib.metadata as m\nfor name in sys.argv[1:]: print(name, m.version(name))'
  return await linesOf([python, '-c', script, ...names], undefined, env)
}

/** @param folder with a go.mod */
export async function goLibraries(names: readonly string[], folder: string, env: Environment): Promise<string[]> {
  if (names.length === 0) return []
  return await linesOf(['go', 'list', '-m', ...names], folder, env)
}

/** Of the archives in a folder, by their names. */
export async function javaLibraries(folder: string): Promise<string[]> {
  const archives = (await readdir(folder)).filter((file) => file.endsWith('.jar')).toSorted()
  return archives.map((file) => file.replace(/-(\d[^-]*)\.jar$/, ' $1'))
}

/** @param folder with a Cargo.lock */
export async function rustLibraries(names: readonly string[], folder: string): Promise<string[]> {
  const lock = await readFile(join(folder, 'Cargo.lock'), 'utf8')
  const found = [...lock.matchAll(/^name = "(.*)"\nversion = "(.*)"$/gm)].filter(([, name = '']) =>
    names.includes(name),
  )
  return found.map(([, name, version]) => `${name} ${version}`)
}

async function linesOf(
  command: readonly [string, ...string[]],
  cwd: string | undefined,
  env: Environment,
): Promise<string[]> {
  const options = { env, timeoutMs: lookTimeoutMs, ...(cwd === undefined ? {} : { cwd }) }
  const { exitCode, output } = await runToEnd(command, options)
  if (exitCode !== 0) throw new Error(`${command[0]} does not tell versions:\n${output}`)
  return output.trim().split('\n')
}
