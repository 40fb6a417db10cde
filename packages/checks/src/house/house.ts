/** The house as the rules see it: its files, its packages and their parsed sources. */
import { parseSource, type Source } from './source.ts'
import { readTree, type Tree } from './tree.ts'

/** The parts of a `package.json` that rules look at. */
export type Manifest = {
  name?: string
  exports?: Readonly<Record<string, unknown>>
  scripts?: Readonly<Record<string, string>>
  dependencies?: Readonly<Record<string, string>>
  devDependencies?: Readonly<Record<string, string>>
  optionalDependencies?: Readonly<Record<string, string>>
  peerDependencies?: Readonly<Record<string, string>>
}

export type Package = {
  /** From the root: `packages/engine`. The root's own is empty. */
  readonly folder: string
  readonly name: string
  readonly manifest: Manifest
  readonly sources: readonly Source[]
}

export type House = {
  readonly tree: Tree
  /** Apps and packages. */
  readonly packages: readonly Package[]
  readonly rootManifest: Manifest
  readonly sources: readonly Source[]
}

/** A house from a checkout. */
export function readHouse(root: string): House {
  return buildHouse(readTree(root))
}

/** A house from files. A folder of `apps` or `packages` is a package even without a `package.json`. */
export function buildHouse(tree: Tree): House {
  const sources = [...tree].filter(([path]) => /\.tsx?$/.test(path)).map(([path, text]) => parseSource(path, text))
  const folders = new Set([...tree.keys()].flatMap((path) => /^(?:apps|packages)\/[^/]+(?=\/)/.exec(path) ?? []))
  const packages = [...folders].map((folder) => {
    const manifest = manifestIn(tree, `${folder}/package.json`)
    const own = sources.filter(({ path }) => path.startsWith(`${folder}/`))
    return { folder, name: manifest.name ?? folder, manifest, sources: own }
  })
  return { tree, packages, rootManifest: manifestIn(tree, 'package.json'), sources }
}

/** Tests, what only tests use, and how tools are set: sources that never run in production. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$|\/testing\/|^packages\/checks\/|\/(vitest|openapi-ts)\.config\.ts$/.test(path)
}

/** All names that a manifest declares, in whatever list. */
export function declared(manifest: Manifest): Map<string, string> {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest
  return new Map(
    [dependencies, devDependencies, optionalDependencies, peerDependencies].flatMap((list) =>
      Object.entries(list ?? {}),
    ),
  )
}

/** `@posthorn/engine/testing` → `@posthorn/engine`; `undefined` for relative paths and Node's own modules. */
export function packageNameOf(specifier: string): string | undefined {
  if (/^(\.|node:|#|data:)/.test(specifier)) return undefined
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function manifestIn(tree: Tree, path: string): Manifest {
  const text = tree.get(path)
  // npm's own format; whoever breaks it cannot install.
  return text === undefined ? {} : (JSON.parse(text) as Manifest)
}
