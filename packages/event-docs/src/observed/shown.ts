/**
 * What of other people's data may be named. Counts are always told; a name or a value only where it looks like one that a
 * program was written with, and not like a person, a number of a card or a sentence.
 */

const nameForm = /^[A-Za-z_$][A-Za-z0-9_$-]{0,63}$/
const valueForm = /^[A-Za-z][A-Za-z0-9_.:-]{0,39}$/
/** Numbers of people, cards and telephones are longer. */
const longNumber = /[0-9]{5}/
/** Ids: a half of a UUID or of a hash. */
const longHex = /(?=[a-f]*[0-9])[0-9a-f]{8}/i
/** A small whole number is a code. */
const numberMax = 9_999

/** Whether the name of a member that no schema declares may be told. */
export function isShownName(name: string): boolean {
  return nameForm.test(name) && !longNumber.test(name) && !longHex.test(name)
}

/** Whether a value may be told that stands where the schema lists values, and is none of them. */
export function isShownValue(value: unknown): boolean {
  if (value === null || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) <= numberMax
  return typeof value === 'string' && valueForm.test(value) && !longNumber.test(value) && !longHex.test(value)
}
