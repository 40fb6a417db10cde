/** Names and places of files. */
import { matchingLines, type Rule } from '../rule.ts'

const buckets = /^(utils?|helpers?|common|misc|types)$/

export const noBuckets: Rule = {
  sentence: 'no file or folder is a bucket',
  reason:
    'a file called utils, helpers, common, misc or types takes in everything and says nothing. Let a thing live beside its one user, or give it the name of what it is.',
  *find({ tree }) {
    for (const path of tree.keys()) {
      const bucket = path.split('/').find((part) => buckets.test(part.replace(/\..*$/, '')))
      if (bucket !== undefined) yield { path, line: 1, what: `is, or is in, "${bucket}"` }
    }
  },
  examples: [
    {
      files: {
        'apps/api/src/utils.ts': '',
        'apps/api/src/helpers/text.ts': '',
        'apps/api/src/types.test.ts': '',
        'apps/api/src/event-types.ts': '',
        'docs/common.md': '',
      },
      finds: [
        'apps/api/src/utils.ts:1',
        'apps/api/src/helpers/text.ts:1',
        'apps/api/src/types.test.ts:1',
        'docs/common.md:1',
      ],
    },
  ],
}

/** Everything that may stand at the root, and who wants it there. */
const rootEntries: Readonly<Record<string, string>> = {
  apps: 'the design',
  packages: 'the design',
  prisma: 'the design',
  docs: 'the design',
  'README.md': 'the design',
  'package.json': 'pnpm',
  'pnpm-workspace.yaml': 'pnpm',
  'pnpm-lock.yaml': 'pnpm',
  'turbo.json': 'turbo',
  'tsconfig.base.json': 'every tsconfig.json extends it',
  'biome.json': 'biome looks for it here',
  LICENSE: 'hosts of repositories look for it here',
  '.gitignore': 'git',
  '.ci': 'the machine that judges a change looks for it here',
}

export const tidyRoot: Rule = {
  sentence: 'the root holds only the parts of the house and what a tool forces there',
  reason:
    'the root is the first page that a newcomer reads. Put it where it belongs; if a tool insists, add it with the tool to packages/checks/src/house/rules/files.ts.',
  *find({ tree }) {
    const found = new Set<string>()
    for (const path of tree.keys()) {
      const entry = path.split('/', 1).join()
      if (rootEntries[entry] !== undefined || found.has(entry)) continue
      found.add(entry)
      yield { path, line: 1, what: `"${entry}" is not expected at the root` }
    }
  },
  examples: [
    {
      files: { 'README.md': '', 'apps/api/src/a.ts': '', 'scripts/a.sh': '', 'scripts/b.sh': '', 'jest.config.js': '' },
      finds: ['scripts/a.sh:1', 'jest.config.js:1'],
    },
  ],
}

/** Hosts of package registries; letters in brackets so that this file does not name them. */
const registryHosts =
  /\b(npmj[s]\.(org|com)|yarnpk[g]\.com|npm\.pk[g]\.github\.com|js[r]\.io|pyp[i]\.org|crates\.i[o]|rubygem[s]\.org|nuge[t]\.org|proxy\.golan[g]\.org|repo\d?\.mave[n]\.(apache\.)?org)|:\/\/[^/\s]*\b(registry|npm|verdaccio|artifactory|nexus)\b[^/\s]*/i

export const noRegistryHosts: Rule = {
  sentence: 'no file names the host of a package registry',
  reason:
    'where packages come from is decided by whoever installs; a host in a file overrules mirrors and closed networks.',
  *find({ tree }) {
    for (const [path, text] of tree) yield* matchingLines(path, text, registryHosts, (host) => `names ${host}`)
  },
  examples: [
    {
      files: {
        'pnpm-lock.yaml': `a: 1\n  tarball: https:/${'/'}registry.npm${'js'}.org/a.tgz`,
        'docs/a.md': `Install it from https:/${'/'}npm.example.com/a, or from the npm registry: npm.`,
        'apps/api/src/a.ts': 'const registry = new Registry()\nregistry.metrics()',
        '.npmrc': `registry=//registry.yarn${'pkg'}.com`,
      },
      finds: ['pnpm-lock.yaml:2', 'docs/a.md:1', '.npmrc:1'],
    },
  ],
}
