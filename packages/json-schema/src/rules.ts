/**
 * What a schema may not contain, whatever a validator would make of it. A name is refused wherever it stands, also inside
 * data such as `const`, because telling the two apart is what such tricks live on.
 */
import { limits, type ProblemPlace } from '@posthorn/contract'

const dialect = 'https://json-schema.org/draft/2020-12/schema'
/** Faults named at once. */
const faultsMax = 20

/** Why a schema cannot be used: JSON Pointers into `{schema}`. Nothing when it keeps to the rules. */
export function schemaFaults(schema: unknown): ProblemPlace[] {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) {
    return [{ pointer: '/schema', detail: 'must be an object' }]
  }
  const bytes = Buffer.byteLength(JSON.stringify(schema))
  if (bytes > limits.schemaBytesMax) {
    return [{ pointer: '/schema', detail: `is ${bytes} bytes long; at most ${limits.schemaBytesMax} are allowed` }]
  }
  const faults: ProblemPlace[] = []
  const todo: { value: unknown; pointer: string; depth: number }[] = [{ value: schema, pointer: '/schema', depth: 1 }]
  for (let one = todo.pop(); one !== undefined && faults.length < faultsMax; one = todo.pop()) {
    const { value, pointer, depth } = one
    if (value === null || typeof value !== 'object') continue
    if (depth > limits.jsonDepthMax) return [{ pointer, detail: `lies deeper than ${limits.jsonDepthMax} levels` }]
    for (const [name, member] of Object.entries(value)) {
      const place = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const fault = Array.isArray(value) ? undefined : faultOf(name, member, { schema, atRoot: depth === 1 })
      if (fault !== undefined) faults.push({ pointer: place, detail: fault })
      todo.push({ value: member, pointer: place, depth: depth + 1 })
    }
  }
  return faults
}

/** A member is judged by its name only where its value is that of the keyword: a property may be *called* `$ref`. */
function faultOf(
  name: string,
  value: unknown,
  { schema, atRoot }: { schema: object; atRoot: boolean },
): string | undefined {
  if (name === '$async' && typeof value === 'boolean') return 'is not part of JSON Schema'
  if (typeof value !== 'string') return undefined
  switch (name) {
    case '$ref':
    case '$dynamicRef':
      if (!value.startsWith('#')) return 'must refer to a place in this schema: #/$defs/…'
      return leadsAstray(schema, value) ? 'must refer to a schema, and there is no schema' : undefined
    case '$recursiveRef':
    case '$data':
      return 'is not part of JSON Schema 2020-12'
    case '$id':
      return atRoot ? undefined : 'may only stand at the root of the schema'
    case '$schema':
      return !atRoot || value.replace(/#$/, '') === dialect ? undefined : `must be ${dialect}`
    default:
      return undefined
  }
}

/**
 * Whether a pointer leads to what every object inherits, or to what is no schema: a compiler that takes it for one checks
 * nothing. What is not there at all the compiler refuses itself.
 */
function leadsAstray(schema: object, reference: string): boolean {
  let node: unknown = schema
  for (const token of reference.split('/').slice(1)) {
    const name = decoded(token).replaceAll('~1', '/').replaceAll('~0', '~')
    if (node === null || typeof node !== 'object') return true
    if (!Object.hasOwn(node, name)) return name in node
    node = Reflect.get(node, name)
  }
  return typeof node !== 'boolean' && (node === null || typeof node !== 'object' || Array.isArray(node))
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token)
  } catch {
    return token
  }
}
