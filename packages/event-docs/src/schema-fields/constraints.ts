/** What the keywords of a schema ask for beside the type, as short texts. */
import { boundOf, isClosed, type JsonType, type Keywords, limitOf, listOf, objectOf, shown } from '@posthorn/contract'

/** Of a pattern; longer ones are cut. */
const textLengthMax = 120

/** @param parts that all apply at once */
export function constraintsOf(type: JsonType, parts: readonly Keywords[]): string[] {
  switch (type) {
    case 'string':
      return [
        ...sizeIn('character', parts, 'minLength', 'maxLength'),
        ...formatsIn(parts),
        ...textsIn(parts, 'pattern').map((pattern) => `pattern ${cut(pattern)}`),
        ...textsIn(parts, 'contentEncoding').map((encoding) => `encoded in ${cut(encoding)}`),
        ...textsIn(parts, 'contentMediaType').map((mediaType) => `contains ${cut(mediaType)}`),
      ]
    case 'number':
      return [...rangeIn(parts), ...multiplesIn(parts), ...formatsIn(parts)]
    case 'array':
      return [
        ...sizeIn('item', parts, 'minItems', 'maxItems'),
        ...(parts.some((part) => part['uniqueItems'] === true) ? ['unique items'] : []),
      ]
    case 'object':
      return [
        ...sizeIn('member', parts, 'minProperties', 'maxProperties'),
        ...(parts.some(isClosed) ? ['no other members'] : []),
        ...parts.flatMap(namesIn),
        ...parts.flatMap(dependenciesIn),
      ]
    case 'null':
    case 'boolean':
      return []
  }
}

function sizeIn(what: string, parts: readonly Keywords[], least: string, most: string): string[] {
  const min = Math.max(limitOf(parts, least, 'min'), 0)
  const max = limitOf(parts, most, 'max')
  const counted = (count: number) => `${count} ${what}${count === 1 ? '' : 's'}`
  if (min > 0 && min === max) return [`exactly ${counted(min)}`]
  if (min > 0 && Number.isFinite(max)) return [`${min} to ${counted(max)}`]
  if (min > 0) return [`at least ${counted(min)}`]
  return Number.isFinite(max) ? [`at most ${counted(max)}`] : []
}

function rangeIn(parts: readonly Keywords[]): string[] {
  const texts: string[] = []
  for (const [end, sign] of [
    ['min', '>'],
    ['max', '<'],
  ] as const) {
    const { limit, exclusive } = boundOf(parts, end, undefined)
    const equal = sign === '>' ? '≥' : '≤'
    if (Number.isFinite(limit)) texts.push(`${exclusive ? sign : equal} ${limit}`)
  }
  return texts
}

function multiplesIn(parts: readonly Keywords[]): string[] {
  const multiples = new Set(parts.map((part) => part['multipleOf']).filter((given) => typeof given === 'number'))
  return [...multiples].map((multiple) => `multiple of ${multiple}`)
}

function formatsIn(parts: readonly Keywords[]): string[] {
  return textsIn(parts, 'format').map((format) => `format ${cut(format)}`)
}

/** How the names of members have to look. */
function namesIn(part: Keywords): string[] {
  const names = objectOf(part['propertyNames'])
  const values = listOf(names['enum'])
  if (values.length > 0)
    return [`names: ${values.slice(0, 10).map(shown).join(', ')}${values.length > 10 ? ', …' : ''}`]
  const texts = constraintsOf('string', [names])
  return texts.length > 0 ? [`names: ${texts.join(', ')}`] : []
}

function dependenciesIn(part: Keywords): string[] {
  return Object.entries(objectOf(part['dependentRequired'])).flatMap(([name, needed]) => {
    const names = listOf(needed).filter((one) => typeof one === 'string')
    return names.length > 0 ? [`with ${cut(name)} also ${names.map(cut).join(', ')}`] : []
  })
}

function textsIn(parts: readonly Keywords[], name: string): string[] {
  return [...new Set(parts.map((part) => part[name]).filter((text) => typeof text === 'string'))]
}

function cut(text: string): string {
  return text.length > textLengthMax ? `${text.slice(0, textLengthMax)}…` : text
}
