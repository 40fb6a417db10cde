/**
 * What a site has published, read back. Somebody else may have put it there: nothing in it is followed, everything is
 * bounded, and a schema has to be the one whose hash the index names.
 */
import { eventTypeNamePattern, limits } from '@posthorn/contract'
import { once, placesOf, schemaFaults } from '@posthorn/json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type Static, Type } from 'typebox'
import { addresses } from '../addresses.ts'
import { sha256 } from '../json.ts'
import { schemaIndexFormat } from '../published-schema.ts'
import { without } from '../schema-document.ts'

const indexBytesMax = 16 * 1024 * 1024
/** A schema with its examples. */
const schemaBytesMax = 8 * 1024 * 1024
/** Some are the author's own. No rule is about them, but that of the size, and so much is read at the most. */
const added = ['$schema', '$id', 'title', 'description', 'examples']
const eventTypesMax = 10_000
const versionsMax = 10_000

const hash = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** As much of the index as a comparison reads. It may have more. */
const PublishedIndex = Type.Object({
  format: Type.Literal(schemaIndexFormat),
  event_types: Type.Array(
    Type.Object({
      name: Type.String({ pattern: eventTypeNamePattern, maxLength: limits.nameLengthMax }),
      status: Type.Enum(['active', 'archived'], { type: 'string' }),
      latest_version: Type.Integer({ minimum: 0 }),
      versions: Type.Array(Type.Object({ version: Type.Integer({ minimum: 1 }), sha256: hash, source_sha256: hash }), {
        maxItems: versionsMax,
      }),
    }),
    { maxItems: eventTypesMax },
  ),
})
export type PublishedIndex = Static<typeof PublishedIndex>

export type PublishedDocs = {
  readonly index: PublishedIndex
  /** The newest schema of each event type that has one, by its name. */
  readonly schemas: ReadonlyMap<string, unknown>
}

/** What is published cannot be compared with; the message says which file, and why. */
export class PublishedDocsError extends Error {
  override readonly name = 'PublishedDocsError'
  readonly path: string

  constructor(path: string, reason: string) {
    super(`${path} ${reason}`)
    this.path = path
  }
}

/**
 * @param load gives the text of a file below the root of the site, and should itself stop reading at some size
 * @throws PublishedDocsError; whatever `load` throws
 */
export async function readPublished(load: (path: string) => Promise<string>): Promise<PublishedDocs> {
  const index = indexOf(await load(addresses.schemaIndex))
  const schemas = new Map<string, unknown>()
  for (const { name, latest_version: latest, versions } of index.event_types) {
    if (latest === 0) continue
    const path = addresses.schema(name, latest)
    const listed = versions.find(({ version }) => version === latest)
    if (listed === undefined)
      throw new PublishedDocsError(addresses.schemaIndex, `does not list version ${latest} of ${name}`)
    if (schemas.has(name)) throw new PublishedDocsError(addresses.schemaIndex, `lists ${name} twice`)
    schemas.set(name, schemaOf(path, await load(path), listed.sha256))
  }
  return { index, schemas }
}

function indexOf(text: string): PublishedIndex {
  const value = parsed(addresses.schemaIndex, text, indexBytesMax)
  const isIndex = indexForm()
  if (isIndex(value)) return value
  const format = isRecord(value) ? value['format'] : undefined
  if (typeof format === 'string' && /^posthorn-schemas\/\d+$/.test(format) && format !== schemaIndexFormat) {
    const reason = `has the format ${format}, and this version of Posthorn reads ${schemaIndexFormat}. Use the version that built it`
    throw new PublishedDocsError(addresses.schemaIndex, reason)
  }
  const [first] = placesOf(isIndex.errors ?? [])
  const place = first === undefined ? 'has another form' : `is no index of schemas: ${first.pointer} ${first.detail}`
  throw new PublishedDocsError(addresses.schemaIndex, place)
}

function schemaOf(path: string, text: string, expected: string): unknown {
  const schema = parsed(path, text, schemaBytesMax)
  if (sha256(text) !== expected) {
    throw new PublishedDocsError(path, 'is not what the index says: its SHA-256 is another one')
  }
  // What a site adds to the schema of its author does not count against what an author may write.
  const [fault] = schemaFaults(isRecord(schema) ? without(schema, added) : schema)
  if (fault !== undefined) throw new PublishedDocsError(path, `cannot be used: ${fault.pointer} ${fault.detail}`)
  return schema
}

function parsed(path: string, text: string, bytesMax: number): unknown {
  const bytes = Buffer.byteLength(text)
  if (bytes > bytesMax) throw new PublishedDocsError(path, `is ${bytes} bytes long; at most ${bytesMax} are read`)
  try {
    return JSON.parse(text)
  } catch {
    throw new PublishedDocsError(path, 'is no JSON')
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

const indexForm = once(() => new Ajv2020({ strict: false }).compile<PublishedIndex>(PublishedIndex))
