/**
 * Examples of requests and answers, put together from the examples of their parts, so that each operation of the OpenAPI
 * document shows one. A test holds every one of them to its schema.
 */
type Json = Readonly<Record<string, unknown>>
export type Components = Readonly<Record<string, unknown>>

/** How deep an example goes: lists within lists end somewhere. */
const depthMax = 16

/** @param whole whether members that may be left out are shown too: in answers, which always have them */
export function exampleOf(schema: unknown, components: Components, whole: boolean, depth = 0): unknown {
  if (!isObject(schema) || depth > depthMax) return null
  if (Array.isArray(schema['examples']) && schema['examples'].length > 0) return schema['examples'][0]
  if (Object.hasOwn(schema, 'const')) return schema['const']
  if (Object.hasOwn(schema, 'default')) return schema['default']
  const { $ref, enum: words, anyOf, oneOf, allOf } = schema
  if (typeof $ref === 'string') return exampleOf(components[$ref.split('/').at(-1) ?? ''], components, whole, depth + 1)
  if (Array.isArray(words)) return words.find((word) => word !== null) ?? null
  const choices: unknown[] = [anyOf, oneOf].find(Array.isArray) ?? []
  const choice = choices.find((one) => !isObject(one) || one['type'] !== 'null')
  if (choice !== undefined) return exampleOf(choice, components, whole, depth + 1)
  if (Array.isArray(allOf)) {
    return Object.assign({}, ...allOf.map((one) => exampleOf(one, components, whole, depth + 1)))
  }
  switch (typeIn(schema['type'])) {
    case 'object':
      return membersOf(schema, components, whole, depth)
    case 'array': {
      const one = exampleOf(schema['items'], components, whole, depth + 1)
      return one === null && depth + 1 > depthMax ? [] : [one]
    }
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? Math.max(schema['minimum'], 1) : 1
    case 'boolean':
      return false
    case 'string':
      return 'text'
    default:
      return null
  }
}

function membersOf(schema: Json, components: Components, whole: boolean, depth: number): Json {
  const required: readonly unknown[] = Array.isArray(schema['required']) ? schema['required'] : []
  const members = isObject(schema['properties']) ? Object.entries(schema['properties']) : []
  const shown = members.filter(([name, member]) => whole || required.includes(name) || hasExample(member))
  return Object.fromEntries(shown.map(([name, member]) => [name, exampleOf(member, components, whole, depth + 1)]))
}

function hasExample(schema: unknown): boolean {
  return isObject(schema) && Array.isArray(schema['examples'])
}

function typeIn(type: unknown): unknown {
  return Array.isArray(type) ? type.find((one) => one !== 'null') : type
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
