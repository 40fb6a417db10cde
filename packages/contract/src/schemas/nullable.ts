import { type Static, type TSchema, Type } from 'typebox'

/**
 * A value or `null`, in JSON Schema's short form where there is one (`type: ["string", "null"]`), which generated clients
 * and documentation show as one type and not as a choice of two.
 */
export function Nullable<T extends TSchema>(schema: T) {
  const written = Object.fromEntries(Object.entries(schema))
  if (typeof written['type'] === 'string') {
    const words = Array.isArray(written['enum']) ? { enum: [...written['enum'], null] } : {}
    return Type.Unsafe<Static<T> | null>({ ...written, ...words, type: [written['type'], 'null'] })
  }
  return Type.Unsafe<Static<T> | null>({ anyOf: [schema, { type: 'null' }] })
}
