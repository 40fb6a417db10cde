/**
 * What the documentation is made from: what an installation says of itself, and its event types with every version of
 * their schemas. All of it is data from outside: a file that somebody exported, or an installation that somebody named.
 */
import { EventType, EventTypeVersion, Meta, namedSchemas } from '@posthorn/contract'
import { ownForm, placesOf } from '@posthorn/json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type Static, Type } from 'typebox'

/** Changes when a file that was exported before can no longer be read. */
export const sourceFormat = 'posthorn-event-docs/1'

export const DocumentedEventType = Type.Object(
  {
    event_type: EventType,
    versions: Type.Array(EventTypeVersion, { description: 'All, the oldest first' }),
  },
  { additionalProperties: false },
)
export type DocumentedEventType = Static<typeof DocumentedEventType>

export const DocsSource = Type.Object(
  {
    format: Type.Literal(sourceFormat),
    meta: Meta,
    event_types: Type.Array(DocumentedEventType),
  },
  { additionalProperties: false },
)
export type DocsSource = Static<typeof DocsSource>

/** The source cannot be documented: `faults` say what is wrong and where. */
export class DocsSourceError extends Error {
  override readonly name = 'DocsSourceError'
  readonly faults: readonly { pointer: string; detail: string }[]

  constructor(faults: readonly { pointer: string; detail: string }[]) {
    super(faults.map(({ pointer, detail }) => `${pointer === '' ? 'the file' : pointer}: ${detail}`).join('\n'))
    this.faults = faults
  }
}

const faultsMax = 10

/**
 * Reads a source that came from outside.
 *
 * @throws DocsSourceError when it has not the form of one, or two event types cannot be told apart: addresses of pages
 * may end in a file system that does not tell upper from lower case.
 */
export function readSource(value: unknown): DocsSource {
  const hasTheForm = sourceForm()
  if (!hasTheForm(value)) {
    throw new DocsSourceError(placesOf(hasTheForm.errors ?? []).slice(0, faultsMax))
  }
  const faults = [...twins(value)]
  if (faults.length > 0) throw new DocsSourceError(faults.slice(0, faultsMax))
  return value
}

function* twins({ event_types }: DocsSource): Iterable<{ pointer: string; detail: string }> {
  const names = new Map<string, string>()
  for (const [index, { event_type }] of event_types.entries()) {
    const folded = event_type.name.toLowerCase()
    const other = names.get(folded)
    const pointer = `/event_types/${index}/event_type/name`
    if (other === event_type.name) yield { pointer, detail: `there are two event types "${other}"` }
    else if (other !== undefined)
      yield { pointer, detail: `"${other}" and "${event_type.name}" differ only in upper and lower case; rename one` }
    names.set(folded, event_type.name)
  }
}

/** The named schemas refer to one another. */
const options = { schemas: [...namedSchemas], strict: false, validateFormats: false, allErrors: true }
const sourceForm = ownForm(() => new Ajv2020(options).compile<DocsSource>(DocsSource))
