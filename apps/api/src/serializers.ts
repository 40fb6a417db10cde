/**
 * Serializers of answers, each compiled once in a process, and when the first answer needs it. Nearly all answers of nearly
 * all routes are described by the same few schemas, refusals above all; compiled for every route anew, they take most of
 * the time of a start, and most are never needed.
 */
import compilerOf, {
  type Options,
  type SerializerCompiler,
  type SerializerFactory,
} from '@fastify/fast-json-stringify-compiler'

type Serializer = ReturnType<SerializerCompiler>
type Known = { readonly serialize: Serializer; compile(): Serializer }

const known = new Map<string, Known>()

/** In place of the framework's own, which it builds on. */
export const buildSerializer: SerializerFactory = (externalSchemas, options?: Options) => {
  const compiler = compilerOf()(externalSchemas, options)
  // What a reference leads to has a name of its own, and there is one schema of each name: `namedSchemas`.
  const names = Object.keys(externalSchemas ?? {}).join()
  return (route) => {
    const key = `${names} ${JSON.stringify([route.schema, options])}`
    const found = known.get(key) ?? whenNeeded(() => compiler(route))
    known.set(key, found)
    return found.serialize
  }
}

/**
 * Compiles what no answer has needed yet. Answers how many there are.
 *
 * @throws Error of the compiler, as the first answer would
 */
export function compileAll(): number {
  for (const { compile } of known.values()) compile()
  return known.size
}

function whenNeeded(make: () => Serializer): Known {
  let compiled: Serializer | undefined
  function compile(): Serializer {
    compiled ??= make()
    return compiled
  }
  return { compile, serialize: (data) => (compiled ?? compile())(data) }
}
