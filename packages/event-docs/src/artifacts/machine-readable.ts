/** Every file of the documentation that is for programs, in one list; each is made when it is asked for. */

import { once } from '@posthorn/json-schema'
import type { Artifacts, MakeArtifact } from '../artifact.ts'
import type { Documentation } from '../documentation.ts'
import { addresses } from './addresses.ts'
import { asyncapiText } from './asyncapi.ts'
import { changelogDocument, changelogFeed } from './changelog.ts'
import type { CodeMaker } from './code/code-maker.ts'
import type { DocsWarning } from './code/code-warning.ts'
import { goArtifacts } from './code/go.ts'
import { pythonArtifacts } from './code/python.ts'
import { typescriptArtifacts } from './code/typescript.ts'
import { exampleArtifact, exampleArtifacts } from './example-files.ts'
import { ipRanges } from './ip-ranges.ts'
import { jsonArtifact } from './json.ts'
import { listenProgram } from './listen-program.ts'
import { everythingText, summaryText } from './llms.ts'
import { manifestDocument } from './manifest.ts'
import { openapiDocument } from './openapi.ts'
import { schemaArtifacts, schemaFault } from './published-schema.ts'
import { testVectors } from './test-vectors.ts'

export type MachineReadable = {
  /** All of them. Makes the examples, because files are called after them. */
  readonly artifacts: Artifacts
  /** One of them, for which nothing is made but what is in it. */
  find(path: string): MakeArtifact | undefined
  /** What some event types have less of than they should, and why. Generates the code that was not asked for yet. */
  warnings(): Promise<readonly DocsWarning[]>
}

/** @param maker has to stay usable as long as the artifacts are */
export function machineReadable(documentation: Documentation, maker: CodeMaker): MachineReadable {
  const languages = [typescriptArtifacts, goArtifacts, pythonArtifacts].map((language) =>
    language(documentation, maker),
  )
  const own: [path: string, make: MakeArtifact][] = [
    [addresses.openapi, () => jsonArtifact(openapiDocument(documentation))],
    [addresses.asyncapi, () => ({ contentType: 'application/yaml; charset=utf-8', body: asyncapiText(documentation) })],
    [addresses.testVectors, testVectors],
    [addresses.listen, listenProgram],
    [addresses.manifest, () => jsonArtifact(manifestDocument(documentation))],
    [addresses.ipRanges, () => jsonArtifact(ipRanges(documentation))],
    [addresses.summary, () => summaryText(documentation)],
    [addresses.everything, () => everythingText(documentation)],
    [addresses.changelog, () => changelogDocument(documentation)],
    [addresses.feed, () => changelogFeed(documentation)],
  ]
  const named = new Map<string, MakeArtifact>([
    ...schemaArtifacts(documentation),
    ...languages.flatMap(({ artifacts }) => [...artifacts]),
    ...own,
  ])
  const all = once(() => new Map<string, MakeArtifact>([...named, ...exampleArtifacts(documentation)]))
  return {
    get artifacts() {
      return all()
    },
    find: (path) => named.get(path) ?? exampleArtifact(documentation, path),
    async warnings() {
      const all = [...schemaWarnings(documentation)]
      for (const { warnings } of languages) all.push(...(await warnings()))
      return all
    },
  }
}

function* schemaWarnings({ source }: Documentation): Iterable<DocsWarning> {
  for (const { versions } of source.event_types) {
    for (const version of versions) {
      const fault = schemaFault(version)
      if (fault === undefined) continue
      const artifact = addresses.schema(version.event_type, version.version)
      yield { eventType: version.event_type, artifact, detail: `the schema cannot be published: ${fault}` }
    }
  }
}
