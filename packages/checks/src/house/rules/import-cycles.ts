/** The graph of all files: it has no circle, not even of types. */
import type { House, Manifest } from '../house.ts'
import type { Rule } from '../rule.ts'
import { resolvePath, workspaceImports } from './import-directions.ts'

type Edge = { readonly to: string; readonly line: number }

export const noCycles: Rule = {
  sentence: 'no file imports itself, over however many others, types included',
  reason:
    'files in a circle can only be read, tested and moved together. Put what both need into a file that imports neither.',
  *find(house) {
    const graph = edges(house)
    const done = new Set<string>()
    for (const start of graph.keys()) {
      if (done.has(start)) continue
      const circle = circleFrom(graph, start)
      if (circle === undefined) continue
      for (const path of circle) done.add(path)
      const line = graph.get(start)?.find(({ to }) => to === (circle[1] ?? start))?.line ?? 1
      yield { path: start, line, what: `is in a circle: ${[...circle, start].join(' → ')}` }
    }
  },
  examples: [
    {
      files: {
        'packages/engine/src/a.ts': "import { b } from './b.ts'",
        'packages/engine/src/b.ts': "import './d.ts'\nimport type { C } from './c.ts'",
        'packages/engine/src/c.ts': "export { a } from './a.ts'",
        'packages/engine/src/d.ts': "import './e.ts'",
        'packages/engine/src/e.ts': '',
      },
      finds: ['packages/engine/src/a.ts:1'],
    },
    {
      files: {
        'packages/engine/package.json': '{"name": "@posthorn/engine", "exports": {".": "./src/index.ts"}}',
        'packages/engine/src/index.ts': "export * from './a.ts'",
        'packages/engine/src/a.ts': "\nimport { a } from '@posthorn/engine'",
      },
      finds: ['packages/engine/src/index.ts:1'],
    },
    {
      files: { 'packages/engine/src/a.ts': "\nimport type { A } from './a.ts'\nexport type { A }" },
      finds: ['packages/engine/src/a.ts:2'],
    },
  ],
}

function edges(house: House): Map<string, Edge[]> {
  const graph = new Map<string, Edge[]>(house.sources.map(({ path }) => [path, []]))
  const add = (from: string, to: string | undefined, line: number) => {
    if (to !== undefined && graph.has(to)) graph.get(from)?.push({ to, line })
  }
  for (const { path, imports } of house.sources) {
    for (const { specifier, line } of imports)
      if (specifier.startsWith('.')) add(path, resolvePath(path, specifier), line)
  }
  for (const { each, path, specifier, line } of workspaceImports(house)) {
    const target = targetOf(each.manifest, `.${specifier.slice(each.name.length)}`)
    add(path, target && resolvePath(`${each.folder}/package.json`, target), line)
  }
  return graph
}

/** The shortest way from a file back to it, if there is one. */
function circleFrom(graph: ReadonlyMap<string, readonly Edge[]>, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const { to } of graph.get(path) ?? []) {
      if (to === start) return wayTo(path, cameFrom)
      if (cameFrom.has(to)) continue
      cameFrom.set(to, path)
      queue.push(to)
    }
  }
  return undefined
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end]
  for (let path = cameFrom.get(end); path !== undefined; path = cameFrom.get(path)) way.unshift(path)
  return way
}

function targetOf(manifest: Manifest, subpath: string): string | undefined {
  const target = manifest.exports?.[subpath]
  return typeof target === 'string' ? target : undefined
}
