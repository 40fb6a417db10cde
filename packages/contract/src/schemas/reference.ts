import { type Static, type TSchema, Type } from 'typebox'

/** A schema with a name of its own: it is defined once in the OpenAPI document and referred to everywhere else. */
export type NamedSchema = TSchema & { readonly $id: string }

/** Gives a schema its name. */
export function named<T extends TSchema>(name: string, schema: T): T & { readonly $id: string } {
  return Object.assign(schema, { $id: name, title: name } as const)
}

/** Refers to a named schema. */
export function reference<T extends NamedSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` })
}
