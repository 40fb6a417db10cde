/**
 * JSON whose numbers mean what is written. JavaScript reads `12345678901234567890` as another number; here such a number
 * keeps its text, and is compared and printed by it. A number that JavaScript holds exactly stays a plain one, so `1.0`
 * and `1` are the same.
 *
 * Cost: linear in the text. Texts without long numbers, which are nearly all, cost one search beyond `JSON.parse`.
 */

/** A number that JavaScript cannot hold. `JSON.stringify` prints it as it was written. */
export class ExactNumber {
  readonly text: string
  readonly decimal: Decimal

  /** @param text a number of JSON */
  constructor(text: string) {
    this.text = text
    this.decimal = decimalOf(text)
  }

  toJSON(): unknown {
    return rawJson(this.text)
  }
}

export type JsonNumber = number | ExactNumber

/** 0.`digits` × 10^`magnitude`; no zeros at either end of the digits, and none at all for zero. */
export type Decimal = { readonly negative: boolean; readonly digits: string; readonly magnitude: number }

/**
 * Where a number may be one that a double does not hold: more than 15 significant digits, or an exponent of three. Up to
 * 15 digits every decimal has a double of its own (IEEE 754, DBL_DIG), and doubles order them as they are.
 */
const perhapsInexact = /[0-9][0-9.]{15}|[0-9][eE][+-]?[0-9]{3}/
/** Beyond it exponents are all alike. No operand of a filter comes near (`filterNumberExponentMax`). */
const magnitudeMax = 2 ** 50

/**
 * Reads JSON. Members given twice: the last one counts, as everywhere in JavaScript.
 *
 * @throws SyntaxError when the text is no JSON
 */
export function readExactJson(text: string): unknown {
  if (!perhapsInexact.test(text)) return JSON.parse(text)
  // The third parameter is ES2026; a reviver without it would see the rounded number only.
  return JSON.parse(text, (_name, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? exactly(value, context.source) : value,
  )
}

/** Negative, zero or positive, as the first is less than, equal to or greater than the second. Never NaN. */
export function compareNumbers(a: JsonNumber, b: JsonNumber): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  return compareDecimals(decimal(a), decimal(b))
}

/** A text that is the same for the same number and no other. */
export function numberKey(number: JsonNumber): string {
  const { negative, digits, magnitude } = decimal(number)
  return digits === '' ? '0' : `${negative ? '-' : ''}${digits}e${magnitude}`
}

function exactly(value: number, source: string): JsonNumber {
  if (String(value) === source) return value
  const exact = new ExactNumber(source)
  return Number.isFinite(value) && compareDecimals(exact.decimal, decimal(value)) === 0 ? value : exact
}

function decimal(number: JsonNumber): Decimal {
  // The shortest text of a double is the decimal that it was read from, wherever `readExactJson` left it a double.
  return typeof number === 'number' ? decimalOf(String(number)) : number.decimal
}

function compareDecimals(a: Decimal, b: Decimal): number {
  const signs = signOf(a) - signOf(b)
  if (signs !== 0) return signs
  const size = a.magnitude - b.magnitude || (a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0)
  return a.negative ? -size : size
}

function signOf({ negative, digits }: Decimal): number {
  if (digits === '') return 0
  return negative ? -1 : 1
}

function decimalOf(text: string): Decimal {
  const negative = text.startsWith('-')
  const [mantissa = '', exponent = '0'] = text.slice(negative ? 1 : 0).split(/[eE]/)
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = whole + fraction
  let start = 0
  while (all.charCodeAt(start) === zero) start += 1
  let end = all.length
  while (end > start && all.charCodeAt(end - 1) === zero) end -= 1
  if (start === end) return { negative: false, digits: '', magnitude: 0 }
  const shift = Math.max(-magnitudeMax, Math.min(magnitudeMax, Number(exponent)))
  return { negative, digits: all.slice(start, end), magnitude: whole.length - start + shift }
}

const zero = 0x30

/** TypeScript does not know it yet (ES2026). */
const { rawJSON: rawJson } = JSON as typeof JSON & { rawJSON(text: string): unknown }
