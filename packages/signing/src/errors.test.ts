import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  type ArgumentCode,
  type VerificationCode,
  type VerificationFailure,
  WebhookArgumentError,
  WebhookVerificationError,
} from './errors.ts'

// The compiler refuses these two when a code is missing or unknown.
const verificationCodes = Object.keys({
  missing_header: true,
  invalid_header: true,
  unsupported_scheme: true,
  no_matching_signature: true,
  timestamp_too_old: true,
  timestamp_too_new: true,
} satisfies Record<VerificationCode, true>)
const argumentCodes = Object.keys({
  invalid_secret: true,
  invalid_key: true,
  invalid_keys: true,
  body_not_raw: true,
  invalid_id: true,
  invalid_timestamp: true,
  invalid_now: true,
  invalid_tolerance: true,
  invalid_random_bytes: true,
} satisfies Record<ArgumentCode, true>)

describe('the documentation', () => {
  test('has every error code, each once, in the order of the types, and no other', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

    expect(codesIn(readme)).toEqual([...verificationCodes, ...argumentCodes])
  })

  test('of the vectors has every code of a request and no other', async () => {
    const readme = await readFile(new URL('../vectors/README.md', import.meta.url), 'utf8')

    expect(codesIn(readme.slice(readme.indexOf('| `code` ')))).toEqual(verificationCodes)
  })
})

describe('an error', () => {
  test('is an Error with a name, a code and a message that names what is wrong', () => {
    const error = new WebhookVerificationError({ code: 'missing_header', header: 'webhook-id' })

    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'WebhookVerificationError', code: 'missing_header' })
    expect(error.message).toContain('webhook-id')
  })

  test('of one class is not of the other, so that 400 and 500 are not confused', () => {
    expect(new WebhookArgumentError({ code: 'invalid_now' })).not.toBeInstanceOf(WebhookVerificationError)
  })

  test('has typed data once its code is known', () => {
    expect(
      latenessOf({ code: 'timestamp_too_old', id: 'a', timestamp: 1, ageSeconds: 301, toleranceSeconds: 300 }),
    ).toBe(301)
    expect(latenessOf({ code: 'no_matching_signature', signatures: 1, keys: 1 })).toBe(0)
  })
})

function latenessOf(failure: VerificationFailure): number {
  return failure.code === 'timestamp_too_old' ? failure.ageSeconds : 0
}

/** The codes in the first column of every table. */
function codesIn(markdown: string): string[] {
  return markdown
    .split('\n')
    .map((line) => /^\| (`[a-z_]+`(?:, `[a-z_]+`)*) +\|/.exec(line)?.[1] ?? '')
    .flatMap((cell) => cell.split(', '))
    .map((code) => code.slice(1, -1))
    .filter((code) => code !== '' && code !== 'code')
}
