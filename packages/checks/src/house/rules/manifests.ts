/** The `package.json` of each package. */
import { catalogOf } from '../catalog.ts'
import { declared, type House, isTest, packageNameOf } from '../house.ts'
import { lineWith, type Rule } from '../rule.ts'

export const exportsDeclared: Rule = {
  sentence: 'every package says what it exports',
  reason: 'without `exports` every file is public. A package that nobody imports says `"exports": {}`.',
  *find({ packages }) {
    for (const { folder, manifest } of packages) {
      if (manifest.exports === undefined) yield { path: `${folder}/package.json`, line: 1, what: 'has no "exports"' }
    }
  },
  examples: [
    {
      files: {
        'apps/api/package.json': '{"name": "@posthorn/api"}',
        'packages/checks/package.json': '{"name": "@posthorn/checks", "exports": {}}',
      },
      finds: ['apps/api/package.json:1'],
    },
  ],
}

export const oneVersion: Rule = {
  sentence:
    'a version is named in the catalog of pnpm-workspace.yaml and nowhere else, and everything named there is used',
  reason:
    'two packages with two versions of one library is a bug that shows late. Say `catalog:`, `catalog:<name>` for what a named catalog has another version of, with its reason there, or `workspace:*` for our own.',
  *find(house) {
    const used = new Set<string>()
    for (const { path, manifest } of manifests(house)) {
      for (const [name, version] of declared(manifest)) {
        used.add(name)
        if (/^(catalog:[a-z]*|workspace:\*)$/.test(version)) continue
        yield { path, line: lineWith(house.tree.get(path) ?? '', `"${name}"`), what: `${name} has version ${version}` }
      }
    }
    const workspace = 'pnpm-workspace.yaml'
    for (const { name, line } of catalogOf(house.tree.get(workspace) ?? '')) {
      if (!used.has(name)) yield { path: workspace, line, what: `no package uses ${name}` }
    }
  },
  examples: [
    {
      files: {
        'package.json': '{\n"devDependencies": {"turbo": "2.0.0"}}',
        'apps/api/package.json':
          '{\n"dependencies": {"fastify": "catalog:", "ajv": "catalog:old",\n"pino": "^10.0.0", "@posthorn/engine": "workspace:*"}}',
        'pnpm-workspace.yaml':
          'packages:\n  - apps/*\ncatalog:\n  # ours\n  "@types/node": 1\n  fastify: 5\n\nother:\n  pg: 1\n',
      },
      finds: ['package.json:2', 'apps/api/package.json:3', 'pnpm-workspace.yaml:5'],
    },
  ],
}

/** Tools that a script calls by another name than their package's. */
const commands: Readonly<Record<string, string>> = {
  typescript: 'tsc',
  '@biomejs/biome': 'biome',
  '@hey-api/openapi-ts': 'openapi-ts',
}
/** Used, but by no import and no script of the package that declares them. */
const usedOtherwise: Readonly<Record<string, string>> = {
  node: 'puts the Node that runs everything in front of PATH',
  typescript: 'editors look for it at the root',
  '@biomejs/biome': 'called by packages/checks/src/run.ts',
  turbo: 'called by packages/checks/src/run.ts',
  '@prisma/client': 'imported by the generated client',
}

export const dependenciesUsed: Rule = {
  sentence: 'every declared dependency is used',
  reason:
    'what nobody uses is still downloaded, updated and audited. Remove it from the package.json and, if it was the last, from the catalog.',
  *find(house) {
    for (const { path, manifest, sources } of manifests(house)) {
      const words = new Set(Object.values(manifest.scripts ?? {}).flatMap((script) => script.split(/[\s;&|=]+/)))
      const named = new Set(
        sources.flatMap(({ imports, texts }) => [
          ...imports.map(({ specifier }) => packageNameOf(specifier)),
          ...texts.map(({ value }) => packageNameOf(value)),
        ]),
      )
      for (const name of declared(manifest).keys()) {
        const isUsed = named.has(name) || words.has(commands[name] ?? name) || usedOtherwise[name] !== undefined
        const typed = /^@types\/(.+)$/.exec(name)?.[1]
        const areTypesUsed = typed !== undefined && (typed === 'node' || named.has(typed))
        if (!isUsed && !areTypesUsed)
          yield { path, line: lineWith(house.tree.get(path) ?? '', `"${name}"`), what: `nothing uses ${name}` }
      }
    }
  },
  examples: [
    {
      files: {
        'package.json':
          '{"scripts": {"start": "knip --a && b"},\n"devDependencies": {"knip": "", "node": "",\n"rimraf": ""}}',
        'apps/api/package.json':
          '{"scripts": {"types": "tsc"}, "dependencies": {"fastify": "", "native-a": "",\n"pino": ""}, "devDependencies": {"typescript": "", "@types/pg": "", "pg": "",\n"@types/react": ""}}',
        'apps/api/src/a.ts': "import fastify from 'fastify/types.js'\nconst a = 'native-a'\nimport type pg from 'pg'",
      },
      finds: ['package.json:3', 'apps/api/package.json:2', 'apps/api/package.json:3'],
    },
  ],
}

export const importsDeclared: Rule = {
  sentence: 'every import is declared by the package that imports',
  reason:
    'what is found only because a neighbour installed it is gone when the neighbour is. Declare it: in "dependencies" when it runs in production, in "devDependencies" for tests and types.',
  *find({ packages }) {
    for (const { name: self, manifest, sources } of packages) {
      const all = declared(manifest)
      const atRunTime = declared({ ...manifest, devDependencies: {} })
      for (const { path, imports } of sources) {
        for (const { specifier, isType, line } of imports) {
          const name = packageNameOf(specifier)
          if (name === undefined || name === self) continue
          if (!all.has(name) && !(isType && all.has(`@types/${name}`)))
            yield { path, line, what: `imports ${name}, which is not declared` }
          else if (!isType && !isTest(path) && !atRunTime.has(name))
            yield { path, line, what: `imports ${name}, which is declared for development only` }
        }
      }
    }
  },
  examples: [
    {
      files: {
        'apps/api/package.json':
          '{"name": "@posthorn/api", "dependencies": {"fastify": ""}, "devDependencies": {"vitest": "", "@types/pg": ""}}',
        'apps/api/src/a.ts': [
          "import fastify from 'fastify'",
          "import { b } from '@posthorn/api'",
          "import { readFile } from 'node:fs'",
          "import type pg from 'pg'",
          "import type { Logger } from 'pino'",
          "import { test } from 'vitest'",
        ].join('\n'),
        'apps/api/src/a.test.ts': "import { test } from 'vitest'\nawait import('fast-check')",
      },
      finds: ['apps/api/src/a.ts:5', 'apps/api/src/a.ts:6', 'apps/api/src/a.test.ts:2'],
    },
  ],
}

function manifests(house: House) {
  const root = { path: 'package.json', manifest: house.rootManifest, sources: [] }
  const others = house.packages.map(({ folder, manifest, sources }) => ({
    path: `${folder}/package.json`,
    manifest,
    sources,
  }))
  return [root, ...others]
}
