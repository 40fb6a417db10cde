/** Libraries that only one place of the house may touch. */
import { isTest, packageNameOf } from '../house.ts'
import { inSources, type Rule } from '../rule.ts'

type Confinement = { readonly isAllowed: (path: string) => boolean; readonly where: string }

const confinements: Readonly<Record<string, Confinement>> = {
  undici: {
    isAllowed: (path) =>
      path.startsWith('apps/dispatcher/src/http/') || path.startsWith('packages/bench/src/children/'),
    where:
      'apps/dispatcher/src/http: whatever sends, sends through the address guard and the deadlines there (benchmarks alone measure undici itself)',
  },
  'pg-boss': {
    isAllowed: (path) => path === 'packages/engine/src/jobs.ts' || path === 'apps/dispatcher/src/dispatcher.ts',
    where: 'engine/src/jobs.ts and dispatcher/src/dispatcher.ts: jobs are a detail that no rule may know',
  },
  pg: {
    isAllowed: (path) =>
      path.startsWith('packages/engine/src/db/') || path === 'packages/engine/src/work-hints.ts' || isTest(path),
    where: 'engine/src/db, engine/src/work-hints.ts (which listens on a connection of its own) and tests',
  },
}

export const confinedPackages: Rule = {
  sentence: 'undici, pg-boss and pg are imported only where they belong',
  reason:
    'a library that is used in one place can be guarded, understood and replaced there. Call what that place exports.',
  find: inSources(function* ({ path, imports }) {
    for (const { specifier, line } of imports) {
      const name = packageNameOf(specifier) ?? ''
      const confinement = Object.hasOwn(confinements, name) ? confinements[name] : undefined
      if (confinement !== undefined && !confinement.isAllowed(path))
        yield { path, line, what: `imports ${name}, which belongs to ${confinement.where}` }
    }
  }),
  examples: [
    {
      files: {
        'apps/dispatcher/src/http/pool.ts': "import { Agent } from 'undici'",
        'packages/bench/src/children/load/load.ts': "import { Pool } from 'undici'",
        'apps/dispatcher/src/delivering.ts': "import type { Agent } from 'undici'",
        'packages/engine/src/jobs.ts': "import { PgBoss } from 'pg-boss'",
        'packages/engine/src/holding.ts': "import type { Job } from 'pg-boss'",
        'packages/engine/src/db/database.ts': "import pg from 'pg'",
        'packages/engine/src/holding.test.ts': "import pg from 'pg'",
        'apps/api/src/app.ts': "\nimport pg from 'pg'",
      },
      finds: ['apps/dispatcher/src/delivering.ts:1', 'packages/engine/src/holding.ts:1', 'apps/api/src/app.ts:2'],
    },
  ],
}
