/**
 * A schema as people read it: a tree of fields, each a row of a table, with everything in words that a cell can hold.
 * Texts come from the author of the schema, a stranger: they are data wherever they are shown.
 */

/** One of the values that a field may have. */
export type FieldValue = {
  readonly value: unknown
  readonly title: string | undefined
  readonly description: string | undefined
}

export type FieldValues = {
  readonly list: readonly FieldValue[]
  /** There are so many more than are listed. */
  readonly more: number
  /** Values that are not listed may come, now or later. */
  readonly open: boolean
}

export const sensitivities = ['sensitive', 'personal data'] as const
export type Sensitivity = (typeof sensitivities)[number]

/** What may stand at a place of the data. */
export type FieldContent = {
  /** In words: `string`, `string or null`, `array of objects`, `map of integers`, `any value`. */
  readonly types: string
  readonly nullable: boolean
  /** Short texts: `1 to 64 characters`, `≥ 0`, `format date-time`. Those of items or members begin with `each item:`. */
  readonly constraints: readonly string[]
  /** Of the field, or of each of its items. Undefined when any value of its types may come. */
  readonly values: FieldValues | undefined
  /** The path of the field that this one is like, with all its members: the recursion ends here. */
  readonly refersTo: string | undefined
  /** Its members; those of each of its items; slots of a tuple. Where there are variants: what all of them have. */
  readonly children: readonly SchemaField[]
  /** The forms that it comes in, when there are several. */
  readonly variants: readonly SchemaVariant[]
}

export type SchemaField = FieldContent & {
  /** As in a `SchemaChange`: `data.lines[].total`, `data.labels{}` for any member of a map. */
  readonly path: string
  /** The last step of the path: `total`, `[0]`, `{}`. */
  readonly name: string
  /** 0 for `data` itself. */
  readonly depth: number
  readonly required: boolean
  readonly title: string | undefined
  readonly description: string | undefined
  readonly default: { readonly value: unknown } | undefined
  readonly examples: readonly unknown[]
  readonly deprecated: boolean
  readonly sensitivity: readonly Sensitivity[]
  /** The first version that has it, and every one since. Undefined when that is not known. */
  readonly since: number | undefined
}

export type SchemaVariant = FieldContent & {
  /** Where its members stand; that of an item or a member of a map when the field is a collection. */
  readonly path: string
  /** Its title, the name of the definition that it refers to, or the value of its discriminator. */
  readonly label: string
  readonly description: string | undefined
  /** The member whose value tells it from the other variants. */
  readonly discriminator: { readonly path: string; readonly value: unknown } | undefined
}

export type SchemaFields = {
  /** `data` itself. Undefined when it is too much for a table; then the warnings say why, and a page shows the source. */
  readonly root: SchemaField | undefined
  readonly renderable: boolean
  /** What the table does not show, with the place. */
  readonly warnings: readonly string[]
}

/** Every field below, itself first, in the order of a table; those of variants behind those that all have. */
export function* eachField(field: SchemaField): Iterable<SchemaField> {
  yield field
  yield* below(field)
}

function* below({ children, variants }: FieldContent): Iterable<SchemaField> {
  for (const child of children) yield* eachField(child)
  for (const variant of variants) yield* below(variant)
}
