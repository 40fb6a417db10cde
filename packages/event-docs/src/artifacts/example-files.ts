/** The examples as files, and the same as signed requests. */
import type { Artifacts, MakeArtifact } from '../artifact.ts'
import { type Documentation, latestVersion } from '../documentation.ts'
import type { Example } from '../examples/examples.ts'
import { documentedEvent, signedDelivery } from '../signed-delivery.ts'
import type { DocumentedEventType } from '../source.ts'
import { addresses } from './addresses.ts'
import { jsonArtifact } from './json.ts'

export type ExampleFile = { readonly file: string; readonly example: Example }

const fileLengthMax = 60

/** The examples of the newest version, each with a name for its file: `example-2`. */
export function exampleFiles(documentation: Documentation, eventType: DocumentedEventType): ExampleFile[] {
  const version = latestVersion(eventType)
  if (version === undefined) return []
  const taken = new Set<string>()
  return documentation.examplesOf(version.event_type, version.version).examples.map((example) => {
    const plain = fileNameOf(example.name)
    let file = plain
    for (let number = 2; taken.has(file); number += 1) file = `${plain}-${number}`
    taken.add(file)
    return { file, example }
  })
}

/** Makes the examples, because files are called after them. */
export function exampleArtifacts(documentation: Documentation): Artifacts {
  return new Map(documentation.source.event_types.flatMap((eventType) => [...artifactsOf(documentation, eventType)]))
}

/** One of those, for which only the examples of its own event type are made. */
export function exampleArtifact(documentation: Documentation, path: string): MakeArtifact | undefined {
  const [folder, type] = path.split('/')
  if (folder !== addresses.examples) return undefined
  const eventType = documentation.source.event_types.find(({ event_type }) => event_type.name === type)
  return eventType && artifactsOf(documentation, eventType).get(path)
}

function artifactsOf(documentation: Documentation, eventType: DocumentedEventType): Map<string, MakeArtifact> {
  const artifacts = new Map<string, MakeArtifact>()
  const type = eventType.event_type.name
  for (const { file, example } of exampleFiles(documentation, eventType)) {
    artifacts.set(addresses.example(type, file), () => jsonArtifact(documentedEvent(type, example)))
    artifacts.set(addresses.signedExample(type, file), () =>
      jsonArtifact(signedRequest(documentation, { type, file, example })),
    )
  }
  return artifacts
}

/** In the form of `requests` in `test-vectors.json`, so that one program reads both. */
function signedRequest(documentation: Documentation, { type, file, example }: { type: string } & ExampleFile) {
  const { secret, timestamp, headers, body } = signedDelivery(documentation, type, example)
  const id = headers.find(({ name }) => name === 'webhook-id')?.value
  return {
    name: `${type}, ${file}`,
    secrets: [secret],
    method: 'POST',
    headers: headers.map(({ name, value }) => [name, value]),
    body,
    now: timestamp,
    tolerance_seconds: documentation.source.meta.signature.tolerance_seconds,
    expected: { valid: true, id, timestamp },
  }
}

function fileNameOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, fileLengthMax)
    .replaceAll(/^-+|-+$/g, '')
  return plain === '' ? 'example' : plain
}
