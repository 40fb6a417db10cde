/**
 * Free text that can be stored: PostgreSQL takes neither U+0000 nor half of a surrogate pair.
 */
import { Type } from 'typebox'
import { form } from '../forms.ts'

/** JSON-Schema pattern (with the flag `u`, as the standard asks) of text without U+0000 and lone surrogates. */
export const storablePattern = form(
  '^[^\\u0000\\ud800-\\udfff]*$',
  'must not hold the character NUL (U+0000) or half of a surrogate pair, which cannot be stored',
)

const storableForm = new RegExp(storablePattern, 'u')

/** Whether a text can be stored. */
export function isStorableText(text: string): boolean {
  return storableForm.test(text)
}

export function Text(options: { maxLength: number; minLength?: number; description?: string; examples?: string[] }) {
  return Type.String({ pattern: storablePattern, ...options })
}

/** Time of day and date, RFC 3339 in UTC with milliseconds. */
export function Time(description?: string) {
  return Type.String({
    format: 'date-time',
    examples: ['2026-11-23T14:03:00.000Z'],
    ...(description === undefined ? {} : { description }),
  })
}

/** Operator's own data beside an object: stored and given back, never looked at. */
export function Metadata() {
  return Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    description: 'Your own data. Stored and given back, never looked at. At most 16 KiB of JSON.',
    examples: [{ plan: 'enterprise' }],
  })
}

/** A JSON object whose members are all texts. */
export function Texts(options: { description?: string; examples?: Record<string, string>[] } = {}) {
  return Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' }, ...options })
}
