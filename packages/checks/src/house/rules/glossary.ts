/**
 * One thing, one name: the words that docs/glossary.md replaces do not occur in names of ours, be it identifiers, files,
 * models, columns or routes.
 *
 * Checked are words that mean nothing else here. Others of the glossary's column "Not" (`message`, `client`, `token`,
 * `kind`, `task`, `worker`, `sender`, `owner`, `admin`, `backfill` …) also have a meaning of their own, of an `Error` or
 * of a role, and only a reader can tell.
 */
import type { House } from '../house.ts'
import type { Finding, Rule } from '../rule.ts'
import { isReference, type Node, type Source, walk } from '../source.ts'

/** What is not said, and what is said instead. */
const replaced: Readonly<Record<string, string>> = {
  account: 'tenant',
  application: 'tenant',
  consumer: 'tenant, or receiver',
  topic: 'event type',
  notification: 'event',
  destination: 'subscription',
  endpoint: 'subscription',
  webhook: 'subscription, event or delivery',
  recipient: 'receiver',
}

/** Names that others gave. */
const given: readonly { name: RegExp; where: RegExp; because: string }[] = [
  { name: /^webhook([-_]?)(id|timestamp|signature)$/i, where: /./, because: 'headers of Standard Webhooks' },
  {
    name: /^WEBHOOK_SECRET$/,
    where: /^packages\/(event-docs|checks\/src\/listen)\//,
    because: 'what receivers call it in the code samples for them',
  },
  {
    name: /webhook/i,
    where: /^packages\/signing\//,
    because: 'the words of Standard Webhooks, for a reader of the spec',
  },
  {
    name: /^webhooks$/,
    where: /openapi|event-type|\/jobs\/publishers|\/routes\/audit/,
    because: 'a member of an OpenAPI document',
  },
  { name: /^standard[-_]?webhooks?$/i, where: /./, because: 'the name of the spec' },
  { name: /^application_name$/, where: /./, because: 'a parameter of PostgreSQL connections' },
  { name: /^destination_/, where: /\/http\/tunnels\.ts$/, because: 'words of the header Proxy-Status (RFC 9209)' },
  { name: /^log_destination$/, where: /./, because: 'a setting of PostgreSQL' },
  { name: /^destination$/, where: /^packages\/engine\/src\/telemetry\.ts$/, because: "pino's word for where lines go" },
  { name: /./, where: /\/house\/rules\/glossary\.ts$/, because: 'this list' },
]

type Name = { readonly name: string; readonly line: number }

export const glossary: Rule = {
  sentence: 'nothing of ours has a name that the glossary replaces',
  reason:
    'whoever reads two names looks for two things. Use the word of docs/glossary.md; a name that somebody else gave is exempted, with the reason, in packages/checks/src/house/rules/glossary.ts.',
  *find(house) {
    for (const [path, names] of ourNames(house)) {
      const seen = new Set<string>()
      for (const { name, line } of names) {
        const word = words(name).find((each) => Object.hasOwn(replaced, each))
        if (word === undefined || seen.has(name)) continue
        seen.add(name)
        if (given.some((exemption) => exemption.name.test(name) && exemption.where.test(path))) continue
        yield { path, line, what: `"${name}" says ${word}: say ${replaced[word]}` } satisfies Finding
      }
    }
  },
  examples: [
    {
      files: {
        'packages/engine/src/webhooks.ts': '',
        'packages/engine/src/a.ts': [
          "import { Endpoint } from 'library'",
          'const tenantId = library.endpoint.consumerId // endpoint',
          'function findEndpoints(url: string, { applicationId }: Options) {}',
          "const text = 'An endpoint is a webhook'",
          "const headers = { 'webhook-id': 1, application_name: 2, 'webhook-secret': 3 }",
          "tell({ what: 'endpoint_failed' })",
          'type Recipient = { topics: string[] }',
        ].join('\n'),
        'apps/api/src/routes/a.ts': "app.get('/v1/webhooks/{id}', run)",
        'prisma/schema.prisma': 'model Subscription { // an endpoint\n  id String @map("endpoint_id") /// webhook\n}',
        'prisma/migrations/1/migration.sql': '-- endpoint\ncreate table consumers (id uuid);',
      },
      finds: [
        'packages/engine/src/webhooks.ts:1',
        'packages/engine/src/a.ts:3',
        'packages/engine/src/a.ts:3',
        'packages/engine/src/a.ts:5',
        'packages/engine/src/a.ts:6',
        'packages/engine/src/a.ts:7',
        'packages/engine/src/a.ts:7',
        'apps/api/src/routes/a.ts:1',
        'prisma/schema.prisma:2',
        'prisma/migrations/1/migration.sql:2',
      ],
    },
  ],
}

function* ourNames({ tree, sources }: House): Iterable<[path: string, names: readonly Name[]]> {
  for (const path of tree.keys()) yield [path, path.split('/').map((name) => ({ name, line: 1 }))]
  for (const source of sources) yield [source.path, [...identifiers(source), ...namesInTexts(source)]]
  for (const [path, text] of tree) {
    const comment = path.endsWith('.prisma') ? /\/\/.*/ : path.endsWith('.sql') ? /--.*/ : undefined
    if (comment !== undefined) yield [path, namesInLines(text, comment)]
  }
}

/** Every name that a source introduces: what it refers to, or takes from a library, was named elsewhere. */
function identifiers({ program, lineOf }: Source): Name[] {
  const names: Name[] = []
  const imported = new Set<string>()
  walk(program, (node, parent, key) => {
    const name = node.type === 'Identifier' || node.type === 'PrivateIdentifier' ? node['name'] : undefined
    if (typeof name !== 'string') return
    if (parent?.type === 'ImportSpecifier' && key === 'imported') imported.add(name)
    else if (!isTaken(parent, key)) names.push({ name, line: lineOf(node) })
  })
  return names.filter(({ name }) => !imported.has(name))
}

function isTaken(parent: Node | undefined, key: string): boolean {
  if (parent?.type === 'TSQualifiedName') return key === 'right'
  return parent?.type === 'MemberExpression' && key === 'property' && !isReference(parent, key)
}

/** Texts that are names (`endpoint_failed`, `dispatch-shard`, quoted keys) and the parts of routes. */
function namesInTexts({ path, texts }: Source): Name[] {
  return texts.flatMap(({ value, line }) => {
    if (/^[a-z0-9]+([-_][a-z0-9]+)+$/i.test(value)) return [{ name: value, line }]
    const isRoute = path.startsWith('apps/') && /^(\/[\w{}:.\0-]+)+$/.test(value)
    return isRoute ? value.split('/').map((name) => ({ name, line })) : []
  })
}

function namesInLines(text: string, comment: RegExp): Name[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.replace(comment, '').matchAll(/\w+/g)].map(([name]) => ({ name, line: index + 1 })),
    )
}

/** `findEndpoints` → find, endpoint: single words, lower-case, without the plural's s. */
function words(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .map((word) => word.replace(/s$/, ''))
}
