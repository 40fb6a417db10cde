/** SQL written by hand stands in files of its own. */
import { isTest } from '../house.ts'
import { inSources, type Rule } from '../rule.ts'
import { child, nameOf, walk } from '../source.ts'

/** The second fills and counts the databases of benchmarks; the third writes inside a transaction of the SDK's user. */
const homes = ['packages/engine/src/db/sql/', 'packages/bench/src/sql/', 'packages/sdk/src/sql/']
/** How a statement begins. Said so closely that a sentence for people, which may begin with the same word, is none. */
const statements = [
  /^select\s+(distinct\s+|all\s+)?(\*|\d|\$|\0|\(|[\w."]+\s*(,|\(|::|\bas\b|\bfrom\b))/,
  /^insert\s+into\s+\S+\s*(\(|values|select|default)/,
  /^update\s+(only\s+)?[\w."]+\s+((as\s+)?\w+\s+)?set\s+[\w."(]/,
  /^delete\s+from\s+\S+(\s+(where|using|returning)\b|;?$)/,
  /^with\s+(recursive\s+)?\w+\s*(\([^)]*\)\s*)?as\s+(not\s+)?(materialized\s+)?\(/,
  /^(create|alter|drop)\s+(or\s+replace\s+|unique\s+|temp(orary)?\s+|unlogged\s+|materialized\s+)*(table|index|database|function|trigger|extension|sequence|publication)\s/,
  /^(create|alter|drop)\s+(or\s+replace\s+)?(view|schema|type|role|policy)\s+\S+\s*(;|\(|(as|on|for|with|add|owner|authorization|cascade)\b)/,
  /^(un)?listen\s+\S+;?$/,
  /^notify\s+\S+(\s*,.*)?;?$/,
  /^(begin|commit|rollback|start)(;|\s+(work|transaction|isolation\s.*)\b)/,
  /^truncate\s+(table\s+)?[\w."]+\s*(,|;|$|(cascade|restrict|restart)\b)/,
  /^(vacuum|analyze|reindex)\s+(\(|table\b|index\b|database\b|verbose\b)/,
  /^lock\s+table\s/,
  /^copy\s+\S+\s+(\([^)]*\)\s+)?(from|to)\s/,
  /^set\s+(local|session)\s+\S+\s*(=|to)\s/,
  /^explain\s+(\(|analyze|select|insert|update|delete|with)/,
]
const prismaRaw = /^\$(query|execute)Raw(Unsafe)?$/

export const rawSql: Rule = {
  sentence: 'SQL stands only in engine/src/db/sql, in bench/src/sql, in sdk/src/sql and in migrations',
  reason:
    'a statement by hand owes the reader what it locks, which index it walks and what two callers at once see. Give it a file with a function in packages/engine/src/db/sql.',
  find: inSources(function* ({ path, texts, program, lineOf }) {
    if (homes.some((home) => path.startsWith(home)) || isTest(path)) return
    for (const { value, line } of texts) {
      const text = value.trim().toLowerCase()
      if (statements.some((statement) => statement.test(text))) yield { path, line, what: `has SQL: ${opening(text)}` }
    }
    const calls: { line: number; what: string }[] = []
    walk(program, (node, parent, key) => {
      const property = node.type === 'MemberExpression' ? nameOf(child(node, 'property')) : undefined
      if (property === undefined) return
      const isCalled = parent?.type === 'CallExpression' && key === 'callee'
      if (prismaRaw.test(property) || (property === 'query' && isCalled))
        calls.push({ line: lineOf(node), what: `calls .${property}` })
    })
    for (const { line, what } of calls) yield { path, line, what }
  }),
  examples: [
    {
      files: {
        'packages/engine/src/holding.ts': [
          'const a = `',
          '  update backlog set ready = false`',
          "const b = 'Update the subscription: set a new URL'",
          "const c = 'select * from event'",
          "const d = 'with due as (select 1) select 2'",
          `const e = \`select \${columns} from event\``,
          'await db.prisma.$queryRaw`listen work`',
          'await pool.query(wanted)',
          'const { query } = request',
          'const f = request.query.limit',
        ].join('\n'),
        'packages/engine/src/db/sql/hold.ts': "await pool.query('select 1')",
        'packages/bench/src/sql/fill.ts': "await pool.query('select 1')",
        'packages/engine/src/db/hold.test.ts': "await pool.query('select 1')",
        'apps/api/src/text.ts': [
          "const a = ['select a tenant', 'delete from the list what you do not need', 'begin', 'with care']",
          "const c = ['Select all events', 'Truncate long bodies', 'Create role admin', 'Analyze failures']",
          "const b = ['create table event (id uuid)', 'LISTEN work', 'begin;', 'insert into event values (1)']",
        ].join('\n'),
      },
      finds: [
        'packages/engine/src/holding.ts:1',
        'packages/engine/src/holding.ts:4',
        'packages/engine/src/holding.ts:5',
        'packages/engine/src/holding.ts:6',
        'packages/engine/src/holding.ts:7',
        'packages/engine/src/holding.ts:7',
        'packages/engine/src/holding.ts:8',
        'apps/api/src/text.ts:3',
        'apps/api/src/text.ts:3',
        'apps/api/src/text.ts:3',
        'apps/api/src/text.ts:3',
      ],
    },
  ],
}

function opening(text: string): string {
  return JSON.stringify(text.replaceAll('\0', '…').replaceAll(/\s+/g, ' ').slice(0, 40))
}
