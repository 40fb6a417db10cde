import { parseSecret, verify, WebhookVerificationError } from '@posthorn/signing'
import vectors from '@posthorn/signing/vectors.json' with { type: 'json' }
import { describe, expect, test } from 'vitest'
import { bodyOf, freshRequest, type RequestVector, requestVectors } from './fresh-requests.ts'

const nowSeconds = 1_800_000_000

describe('a published request that is signed anew', () => {
  test.each(requestVectors)('is judged as before: $name', (vector) => {
    for (let second = 0; second < 5; second += 1) {
      const now = nowSeconds + second
      const { headers, body } = freshRequest(vector, now)
      expect(judged(headers, body, vector.secrets, now)).toEqual(
        judged(vector.headers, body, vector.secrets, vector.now),
      )
      expect(body).toEqual(bodyOf(vector))
    }
  })

  test.each(requestVectors)('is judged so for ten seconds more: $name', (vector) => {
    const { headers, body } = freshRequest(vector, nowSeconds)
    expect(judged(headers, body, vector.secrets, nowSeconds + 10)).toEqual(
      judged(vector.headers, body, vector.secrets, vector.now),
    )
  })

  test.each(requestVectors)('carries neither the old time nor an old signature: $name', (vector) => {
    const { headers } = freshRequest(vector, nowSeconds)
    expect(headers.map(([name]) => name)).toEqual(vector.headers.map(([name]) => name))
    for (const [name, value] of headers) {
      if (/-timestamp$/i.test(name)) expect(vector.headers).not.toContainEqual([name, value || 'none'])
      for (const { scheme, signature } of vectors.signatures)
        if (scheme === 'v1') expect(value).not.toContain(signature)
    }
  })
})

test('all published requests are sent but those with another tolerance and those that HTTP would mend', () => {
  const names = new Set(requestVectors.map(({ name }) => name))
  expect(vectors.requests.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([
    'no tolerance, no difference',
    'signatures: a space in front',
    'signatures: a space at the end',
    'one second old where none is allowed',
  ])
})

function judged(
  headers: readonly (readonly string[])[],
  body: Buffer,
  secrets: RequestVector['secrets'],
  now: number,
): unknown {
  const record: Record<string, string[]> = {}
  for (const [name = '', value = ''] of headers) record[name] = [...(record[name] ?? []), value]
  try {
    return verify({ headers: record, body, keys: secrets.map(parseSecret), now: new Date(now * 1000) }).id
  } catch (error) {
    if (error instanceof WebhookVerificationError) return error.code
    throw error
  }
}
