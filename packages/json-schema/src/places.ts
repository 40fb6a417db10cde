/**
 * What does not fit, in words: a place and a sentence for each error of Ajv. The only place that words them, for requests,
 * for the data of events and for schemas alike.
 *
 * Values are never quoted: they may be secrets. Where the validator runs with `verbose`, what would have been right is
 * read from the schema.
 */
import { formSentence, type ProblemPlace } from '@posthorn/contract'
import type { ErrorObject } from 'ajv/dist/2020.js'
import { nearest } from './nearest.ts'

/** Places named in one refusal. */
const placesMax = 20

/** What must be written where a schema names one of these formats. */
const formats: ReadonlyMap<unknown, string> = new Map([
  ['date-time', 'a time with its offset, such as 2026-11-26T09:00:00Z'],
  ['date', 'a date, such as 2026-11-26'],
  ['time', 'a time of day with its offset, such as 09:00:00Z'],
  ['duration', 'a duration, such as P3DT12H'],
  ['email', 'an e-mail address, such as ops@acme.example'],
  ['uri', 'a URI, such as https://acme.example/a'],
  ['uuid', 'a UUID, such as 8e03978e-40d5-43dd-bc93-6894a57f9324'],
])

/** What is read of an error. `parentSchema` is there with `verbose` only. */
export type FormError = Pick<ErrorObject, 'instancePath' | 'params' | 'message'> &
  Partial<Pick<ErrorObject, 'keyword' | 'schemaPath' | 'propertyName' | 'parentSchema'>>

/** Ajv's errors as places, each once: several branches of an `anyOf` often say the same. */
export function placesOf(errors: readonly FormError[]): ProblemPlace[] {
  const places = new Map<string, ProblemPlace>()
  for (const error of withoutNoise(errors)) {
    const place = placeOf(error)
    places.set(`${place.pointer} ${place.detail}`, place)
    if (places.size === placesMax) break
  }
  return [...places.values()]
}

/**
 * Without what only sums up the errors before it, and, where a value may have one of several types, without the types
 * that it was plainly not meant to have. Errors come in the order of checking, so those of the branches stand right before
 * that of their choice, and all is done in one walk: there may be very many.
 */
function withoutNoise(errors: readonly FormError[]): FormError[] {
  const kept: FormError[] = []
  for (const error of errors) {
    if (error.keyword === 'propertyNames') continue
    const isChoice = error.keyword === 'anyOf' || error.keyword === 'oneOf'
    if (!isChoice) kept.push(error)
    else for (const one of chosen(error, branchesBefore(error, kept))) kept.push(one)
  }
  return kept
}

/** Takes the errors of a choice's branches off the end. */
function branchesBefore({ schemaPath, instancePath }: FormError, kept: FormError[]): FormError[] {
  let start = kept.length
  while (start > 0) {
    const { schemaPath: path, instancePath: place = '' } = kept[start - 1] ?? {}
    const isWithin =
      path?.startsWith(`${schemaPath}/`) && (place === instancePath || place.startsWith(`${instancePath}/`))
    if (!isWithin) break
    start -= 1
  }
  return kept.splice(start)
}

/** What is worth telling of a choice that fails. */
function chosen(choice: FormError, branches: readonly FormError[]): readonly FormError[] {
  if (branches.length === 0) return [choice]
  const others = branches.filter((error) => error.keyword !== 'type' || error.instancePath !== choice.instancePath)
  return others.length > 0 ? others : [{ ...choice, ...typesOf(branches) }]
}

/** One error of the type in place of several. */
function typesOf(types: readonly FormError[]): Pick<FormError, 'keyword' | 'params'> {
  return { keyword: 'type', params: { type: [...new Set(types.flatMap(({ params }) => params['type']))] } }
}

function placeOf(error: FormError): ProblemPlace {
  const { instancePath, params, propertyName } = error
  const extra = params['additionalProperty'] ?? params['unevaluatedProperty']
  if (typeof extra === 'string') {
    return { pointer: `${instancePath}/${escaped(extra)}`, detail: unknownMember(extra, error) }
  }
  if (propertyName !== undefined) {
    return {
      pointer: `${instancePath}/${escaped(propertyName)}`,
      detail: `cannot be a name here: it ${detailOf(error)}`,
    }
  }
  const tag = params['tag']
  if (error.keyword === 'discriminator' && typeof tag === 'string') {
    return { pointer: `${instancePath}/${escaped(tag)}`, detail: oneOf(tagsOf(tag, error.parentSchema)) }
  }
  return { pointer: instancePath, detail: detailOf(error) }
}

function unknownMember(name: string, { parentSchema }: FormError): string {
  const meant = nearest(name, Object.keys(Object(parentSchema?.['properties'])))
  return `is not known here${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

/** The values that tell the forms apart. */
function tagsOf(tag: string, schema: FormError['parentSchema']): unknown[] {
  const forms: unknown[] = Array.isArray(schema?.['oneOf']) ? schema['oneOf'] : []
  return forms.flatMap((form) => {
    const member = Object(Object(Object(form).properties)[tag])
    return member.enum ?? member.const ?? []
  })
}

function detailOf({ keyword, message, params }: FormError): string {
  const { limit, allowedValues, pattern, type, passingSchemas } = params
  switch (keyword) {
    case 'enum':
      return oneOf(allowedValues)
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`
    case 'pattern':
      return formSentence(String(pattern)) ?? message ?? 'does not fit'
    case 'format':
      return `must be ${formats.get(params['format']) ?? `of the format ${params['format']}`}`
    case 'type':
      return `must be ${inWords([type].flat().map(String))}`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`
    case 'maxLength':
      return `must have at most ${counted(limit, 'character')}`
    case 'minItems':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} items`
    case 'maxItems':
      return `must have at most ${counted(limit, 'item')}`
    case 'minProperties':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} members`
    case 'maxProperties':
      return `must have at most ${counted(limit, 'member')}`
    case 'uniqueItems':
      return 'must not contain the same item twice'
    case 'anyOf':
      return 'fits none of the forms that it may have'
    case 'oneOf':
      return passingSchemas
        ? 'fits several of the forms of which it may have one'
        : 'fits none of the forms that it may have'
    default:
      return message ?? 'does not fit'
  }
}

function oneOf(values: unknown): string {
  if (!Array.isArray(values) || values.length === 0) return 'does not fit'
  if (values.length === 1) return `must be ${JSON.stringify(values[0])}`
  return `must be one of ${values.map((value) => JSON.stringify(value)).join(', ')}`
}

function counted(limit: unknown, noun: string): string {
  return `${limit} ${noun}${limit === 1 ? '' : 's'}`
}

/** `string`, `string or null`, `string, array or null`. */
function inWords(types: readonly string[]): string {
  const last = types.at(-1) ?? ''
  return types.length < 2 ? last : `${types.slice(0, -1).join(', ')} or ${last}`
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
