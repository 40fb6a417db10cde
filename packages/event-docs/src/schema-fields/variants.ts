/** How the forms that a field comes in are told apart, and called. */
import { type Alternative, canonical, constantsOf, isObject, type Keywords, objectOf, shown } from '@posthorn/contract'
import { textIn } from './remarks.ts'

/** A form, with what it says that the others do not say. */
export type Form = { readonly alternative: Alternative; readonly own: readonly Keywords[] }

export type Forms = {
  readonly common: readonly Keywords[]
  readonly forms: readonly Form[]
  /** The member that has another value in each of them. */
  readonly discriminator: { readonly name: string; readonly values: readonly unknown[] } | undefined
}

/** @param alternatives of one type */
export function formsOf(alternatives: readonly Alternative[]): Forms {
  const common = commonParts(alternatives)
  const forms = alternatives.map((alternative) => {
    return { alternative, own: alternative.parts.filter((part) => !common.includes(part)) }
  })
  return { common, forms, discriminator: declared(common, forms) ?? distinct(alternatives) }
}

/** What stands in every one of them. */
export function commonParts(alternatives: readonly Alternative[]): Keywords[] {
  const [first, ...others] = alternatives
  return [...new Set(first?.parts ?? [])].filter((part) => others.every(({ parts }) => parts.includes(part)))
}

export function labelOf({ own, alternative }: Form, value: { value: unknown } | undefined, words: string): string {
  const title = textIn(own, 'title') ?? referenceIn(own)
  if (title !== undefined) return title
  if (value !== undefined) return typeof value.value === 'string' ? value.value : shown(value.value)
  const [constant] = constantsOf(alternative.parts)
  return constant === undefined ? words : `${constant[0]}: ${shown(constant[1])}`
}

/** The name of the definition that it refers to. */
function referenceIn(parts: readonly Keywords[]): string | undefined {
  const reference = textIn(parts, '$ref')
  const name = reference?.split('/').at(-1)?.replace(/^#/, '').replaceAll('~1', '/').replaceAll('~0', '~')
  return name === '' ? undefined : name
}

/** A member that is one constant in each form, and another one in each. */
function distinct(alternatives: readonly Alternative[]): Forms['discriminator'] {
  if (alternatives.length < 2) return undefined
  const constants = alternatives.map(({ parts }) => constantsOf(parts))
  for (const name of constants[0]?.keys() ?? []) {
    if (!constants.every((each) => each.has(name))) continue
    const values = constants.map((each) => each.get(name))
    if (new Set(values.map(canonical)).size === values.length) return { name, values }
  }
  return undefined
}

/** OpenAPI's `discriminator`: the value is the name of the definition, or what a mapping says. */
function declared(common: readonly Keywords[], forms: readonly Form[]): Forms['discriminator'] {
  const given = common.map((part) => part['discriminator']).find(isObject)
  const name = given?.['propertyName']
  if (typeof name !== 'string') return undefined
  const mapping = Object.entries(objectOf(given?.['mapping']))
  const values = forms.map(({ own, alternative }) => {
    const constants = constantsOf(alternative.parts)
    if (constants.has(name)) return constants.get(name)
    const reference = textIn(own, '$ref')
    return mapping.find(([, target]) => target === reference)?.[0] ?? referenceIn(own)
  })
  return values.includes(undefined) ? undefined : { name, values }
}
