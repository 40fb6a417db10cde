/** Whatever calls somebody outside goes through the address guard. */
import { isTest } from '../house.ts'
import { inSources, type Rule } from '../rule.ts'
import { child, childrenOf, isReference, nameOf, textOf, walk } from '../source.ts'

/** Of Node's modules for the network, what opens a connection or asks a name server. */
const opening: Readonly<Record<string, readonly string[]>> = {
  net: ['connect', 'createConnection', 'Socket'],
  tls: ['connect', 'TLSSocket'],
  http: ['get', 'request', 'Agent', 'ClientRequest'],
  https: ['get', 'request', 'Agent'],
  http2: ['connect'],
  dgram: ['createSocket', 'Socket'],
  dns: ['lookup', 'lookupService', 'resolve', 'resolve4', 'resolve6', 'Resolver', 'promises'],
  'dns/promises': ['lookup', 'lookupService', 'resolve', 'resolve4', 'resolve6', 'Resolver'],
}
const globals = new Set(['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'])

/** Where it belongs, and who calls nobody but Posthorn itself. */
const allowed: readonly { path: string; why: string }[] = [
  { path: 'apps/dispatcher/src/http/', why: 'the guard stands in connect.ts' },
  { path: 'packages/engine/src/address-resolver.ts', why: 'resolves for the guard' },
  { path: 'apps/posthorn/src/demo/', why: 'calls its own API' },
  { path: 'apps/posthorn/src/docs-origins.ts', why: 'reads the site that the operator names, on their command line' },
  { path: 'packages/sdk/', why: 'calls the API it is given' },
  { path: 'apps/web/', why: 'calls its own API, from a browser' },
  { path: 'packages/bench/', why: 'measures' },
]

export const guardedCalls: Rule = {
  sentence: 'whatever calls out goes through the address guard',
  reason:
    "a tenant's URL, or any other that we did not choose, may lead into the operator's own network. Send with the sender of apps/dispatcher/src/http, whose connections are judged. Who calls Posthorn alone is listed in packages/checks/src/house/rules/guarded-calls.ts.",
  find: inSources(function* ({ path, program, lineOf }) {
    if (isTest(path) || allowed.some((place) => path.startsWith(place.path))) return
    const found: { line: number; what: string }[] = []
    walk(program, (node, parent, key) => {
      const name = nameOf(node)
      if (name !== undefined && globals.has(name) && isReference(parent, key))
        found.push({ line: lineOf(node), what: `uses ${name}` })
      const module = textOf(child(node, 'source'))?.replace(/^node:/, '') ?? ''
      const names = Object.hasOwn(opening, module) ? opening[module] : undefined
      if (names === undefined || node['importKind'] === 'type' || node['exportKind'] === 'type') return
      if (node.type === 'ExportAllDeclaration' || node.type === 'ImportExpression')
        found.push({ line: lineOf(node), what: `imports all of ${module}` })
      for (const specifier of childrenOf(node, 'specifiers')) {
        if (specifier['importKind'] === 'type' || specifier['exportKind'] === 'type') continue
        // A namespace or a default has everything in it.
        const imported = nameOf(child(specifier, 'imported') ?? child(specifier, 'exported')) ?? '*'
        if (imported === '*' || names.includes(imported))
          found.push({ line: lineOf(specifier), what: `imports ${imported} of ${module}` })
      }
    })
    for (const { line, what } of found) yield { path, line, what }
  }),
  examples: [
    {
      files: {
        'apps/dispatcher/src/http/connect.ts': "import { connect } from 'node:net'",
        'apps/api/src/a.ts':
          "import { createServer } from 'node:http'\nimport type { Socket } from 'node:net'\nimport { isIP, type Socket as Other } from 'node:net'",
        'apps/api/src/b.ts': "const answer = await fetch('https://example.com')\nconst c = { fetch: 1 }",
        'apps/api/src/c.ts': "import { request } from 'node:https'",
        'packages/engine/src/d.ts':
          "import * as net from 'node:net'\nimport tls from 'tls'\nimport { lookup } from 'node:dns/promises'\nexport * from 'node:net'\nconst a = await import('node:http')",
        'packages/engine/src/e.test.ts': "import { connect } from 'node:net'\nawait fetch('http://127.0.0.1')",
        'apps/posthorn/src/demo/f.ts': 'await fetch(origin)',
      },
      finds: [
        'apps/api/src/b.ts:1',
        'apps/api/src/c.ts:1',
        'packages/engine/src/d.ts:1',
        'packages/engine/src/d.ts:2',
        'packages/engine/src/d.ts:3',
        'packages/engine/src/d.ts:4',
        'packages/engine/src/d.ts:5',
      ],
    },
  ],
}
