/**
 * Serializers of answers, each compiled once in a process. Nearly all answers of nearly all routes are described by the
 * same few schemas, refusals above all; compiled for every route anew, they take most of the time of a start.
 */
import compilerOf, {
  type Options,
  type SerializerCompiler,
  type SerializerFactory,
} from '@fastify/fast-json-stringify-compiler'

type Serializer = ReturnType<SerializerCompiler>

const compiled = new Map<string, Serializer>()

/** In place of the framework's own, which it builds on. */
export const buildSerializer: SerializerFactory = (externalSchemas, options?: Options) => {
  const compile = compilerOf()(externalSchemas, options)
  // What a reference leads to has a name of its own, and there is one schema of each name: `namedSchemas`.
  const names = Object.keys(externalSchemas ?? {}).join()
  return (route) => {
    const key = `${names} ${JSON.stringify([route.schema, options])}`
    const known = compiled.get(key)
    if (known !== undefined) return known
    const serializer = compile(route)
    compiled.set(key, serializer)
    return serializer
  }
}
