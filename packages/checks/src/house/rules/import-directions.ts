/** Who may import whom: the table of the house's packages, and the doors between them. */
import { declared, type House, type Package, packageNameOf } from '../house.ts'
import { lineWith, type Rule } from '../rule.ts'

/**
 * `contract, signing → json-schema → {engine, event-docs} → {api, dispatcher} → posthorn`,
 * `contract → sdk → {web, posthorn}`.
 */
const mayImport: Readonly<Record<string, readonly string[] | 'all'>> = {
  '@posthorn/contract': [],
  '@posthorn/signing': [],
  '@posthorn/json-schema': ['@posthorn/contract'],
  '@posthorn/engine': ['@posthorn/contract', '@posthorn/json-schema', '@posthorn/signing'],
  '@posthorn/sdk': ['@posthorn/contract'],
  '@posthorn/event-docs': ['@posthorn/contract', '@posthorn/json-schema', '@posthorn/signing'],
  '@posthorn/api': [
    '@posthorn/contract',
    '@posthorn/json-schema',
    '@posthorn/signing',
    '@posthorn/engine',
    '@posthorn/event-docs',
  ],
  '@posthorn/dispatcher': ['@posthorn/contract', '@posthorn/signing', '@posthorn/engine'],
  '@posthorn/web': ['@posthorn/contract', '@posthorn/sdk'],
  posthorn: 'all',
  '@posthorn/bench': 'all',
  '@posthorn/checks': 'all',
}
/** They look at the house from outside. */
const importedByNobody = ['@posthorn/checks', '@posthorn/bench']

export const importDirections: Rule = {
  sentence: 'imports between packages go one way',
  reason:
    'a rule that knows its edge cannot be used by another edge. Move what both need down, or pass it in. The table is in packages/checks/src/house/rules/import-directions.ts.',
  *find(house) {
    const names = new Set(house.packages.map(({ name }) => name))
    for (const each of house.packages) {
      const manifestPath = `${each.folder}/package.json`
      if (mayImport[each.name] === undefined)
        yield { path: manifestPath, line: 1, what: `${each.name} is missing in the table of import directions` }
      for (const name of declared(each.manifest).keys()) {
        if (!names.has(name) || isAllowed(each, name)) continue
        const line = lineWith(house.tree.get(manifestPath) ?? '', `"${name}"`)
        yield { path: manifestPath, line, what: `${each.name} may not depend on ${name}` }
      }
      for (const { path, imports } of each.sources) {
        for (const { specifier, line } of imports) {
          const name = packageNameOf(specifier)
          if (name !== undefined && names.has(name) && !isAllowed(each, name))
            yield { path, line, what: `${each.name} may not import ${name}` }
        }
      }
    }
  },
  examples: [
    {
      files: {
        'packages/contract/package.json': '{"name": "@posthorn/contract"}',
        'packages/engine/package.json':
          '{\n"name": "@posthorn/engine",\n"devDependencies": {"@posthorn/api": "workspace:*"}}',
        'packages/engine/src/a.ts': "import { b } from '@posthorn/contract'\nimport type { C } from '@posthorn/api'",
        'apps/api/package.json': '{"name": "@posthorn/api"}',
        'apps/api/src/a.ts': "import { a } from '@posthorn/engine'\nconst b = await import('@posthorn/checks')",
        'packages/checks/package.json': '{"name": "@posthorn/checks"}',
        'packages/checks/src/a.ts': "import { a } from '@posthorn/api'",
      },
      finds: ['packages/engine/package.json:3', 'packages/engine/src/a.ts:2', 'apps/api/src/a.ts:2'],
    },
    {
      files: { 'packages/extra/package.json': '{"name": "@posthorn/extra"}' },
      finds: ['packages/extra/package.json:1'],
    },
  ],
}

export const exportsOnly: Rule = {
  sentence: 'a package is entered only through its exports',
  reason: 'what is not exported may change without asking anybody. Export it by name, or do without.',
  *find(house) {
    for (const { each, path, specifier, line } of workspaceImports(house)) {
      const subpath = `.${specifier.slice(each.name.length)}`
      if (each.manifest.exports?.[subpath] === undefined)
        yield { path, line, what: `${each.name} does not export "${subpath}"` }
    }
  },
  examples: [
    {
      files: {
        'packages/engine/package.json': '{"name": "@posthorn/engine", "exports": {".": "./src/index.ts"}}',
        'apps/api/src/a.ts': "import { a } from '@posthorn/engine'\nimport { b } from '@posthorn/engine/src/b.ts'",
      },
      finds: ['apps/api/src/a.ts:2'],
    },
  ],
}

export const relativeInside: Rule = {
  sentence: 'a relative import stays in its package',
  reason:
    'a path into another package is an import that its package.json and its exports do not know. Import it by name.',
  *find({ packages }) {
    for (const { folder, sources } of packages) {
      for (const { path, imports } of sources) {
        for (const { specifier, line } of imports) {
          if (specifier.startsWith('.') && !resolvePath(path, specifier).startsWith(`${folder}/`))
            yield { path, line, what: `imports ${specifier}` }
        }
      }
    }
  },
  examples: [
    {
      files: {
        'apps/api/src/routes/a.ts':
          "import { b } from '../b.ts'\nimport type { C } from '../../../dispatcher/src/c.ts'",
        'apps/api/src/b.ts': "export * from '../../../prisma/c.ts'",
      },
      finds: ['apps/api/src/routes/a.ts:2', 'apps/api/src/b.ts:1'],
    },
  ],
}

/** The path of a file that another one imports relatively. */
export function resolvePath(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1)
}

/** Every import of one package of the house by another, or by itself. */
export function* workspaceImports(
  house: House,
): Iterable<{ each: Package; path: string; specifier: string; line: number }> {
  const byName = new Map(house.packages.map((each) => [each.name, each]))
  for (const { path, imports } of house.sources) {
    for (const { specifier, line } of imports) {
      const each = byName.get(packageNameOf(specifier) ?? '')
      if (each !== undefined) yield { each, path, specifier, line }
    }
  }
}

function isAllowed(from: Package, name: string): boolean {
  const allowed = mayImport[from.name]
  if (name === from.name) return true
  return !importedByNobody.includes(name) && (allowed === 'all' || allowed?.includes(name) === true)
}
