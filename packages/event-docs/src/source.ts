/**
 * What the documentation is made from: what an installation says of itself, and its event types with every version of
 * their schemas. All of it is data from outside: a file that somebody exported, or an installation that somebody named.
 */
import { EventType, EventTypeVersion, Meta, namedSchemas, Observations } from '@posthorn/contract'
import { once, placesOf } from '@posthorn/json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type Static, Type } from 'typebox'

/** Its number grows when a file that was exported before can no longer be read. */
const formatName = 'posthorn-event-docs'
const formatNumber = 1
export const sourceFormat = `${formatName}/${formatNumber}` as const

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
 * @throws DocsSourceError when it has not the form of one, two event types cannot be told apart (addresses of pages may
 * end in a file system that does not tell upper from lower case), or versions are not those of their event type.
 */
export function readSource(value: unknown): DocsSource {
  refuseNewer(value)
  const hasTheForm = sourceForm()
  if (!hasTheForm(value)) {
    throw new DocsSourceError(placesOf(hasTheForm.errors ?? []).slice(0, faultsMax))
  }
  const faults = [...twins(value), ...versionFaults(value)]
  if (faults.length > 0) throw new DocsSourceError(faults.slice(0, faultsMax))
  return value
}

/**
 * Reads what an installation says was published.
 *
 * @throws DocsSourceError when it has not the form of it
 */
export function readObservations(value: unknown): Observations {
  const areObservations = observationsForm()
  if (areObservations(value)) return value
  throw new DocsSourceError(placesOf(areObservations.errors ?? []).slice(0, faultsMax))
}

/** Of another form there would be many faults, and none of them would say what to do. */
function refuseNewer(value: unknown): void {
  const format = value !== null && typeof value === 'object' && 'format' in value ? String(value.format) : ''
  const [name, number] = format.split('/')
  if (name !== formatName || !(Number(number) > formatNumber)) return
  const detail = `${JSON.stringify(format)} was exported by a newer version of Posthorn. Use that one, or export it again with this one`
  throw new DocsSourceError([{ pointer: '/format', detail }])
}

/** Files are called by the event type and the number, so both have to be what they say. */
function* versionFaults({ event_types }: DocsSource): Iterable<{ pointer: string; detail: string }> {
  for (const [index, { event_type, versions }] of event_types.entries()) {
    const pointer = `/event_types/${index}`
    if (!isTime(event_type.created_at)) yield { pointer: `${pointer}/event_type/created_at`, detail: 'is no time' }
    let before = 0
    for (const [place, version] of versions.entries()) {
      const own = `${pointer}/versions/${place}`
      if (version.event_type !== event_type.name)
        yield { pointer: `${own}/event_type`, detail: `is a version of another event type than ${event_type.name}` }
      if (version.version <= before)
        yield { pointer: `${own}/version`, detail: `comes after version ${before}; list each once, the oldest first` }
      if (!isTime(version.created_at)) yield { pointer: `${own}/created_at`, detail: 'is no time' }
      before = version.version
    }
  }
}

/** As in RFC 3339, which is what feeds must have. */
function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
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
const sourceForm = once(() => new Ajv2020(options).compile<DocsSource>(DocsSource))
const observationsForm = once(() => new Ajv2020(options).compile<Observations>(Observations))
