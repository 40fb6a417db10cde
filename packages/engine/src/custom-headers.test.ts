import { Problem } from '@posthorn/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { customHeaders } from './custom-headers.ts'

test('names come back in lower case, values as they are', () => {
  expect(customHeaders({ 'X-Api-Key': 'a b\t~', 'x!#$%&*+.^_`|~': '' })).toEqual({
    'x-api-key': 'a b\t~',
    'x!#$%&*+.^_`|~': '',
  })
})

test('whatever is accepted, fetch would accept as well, and no line can be broken out of', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { maxKeys: 4 }),
      (given) => {
        let headers: Record<string, string>
        try {
          headers = customHeaders(given)
        } catch (error) {
          expect(error).toBeInstanceOf(Problem)
          return
        }
        for (const [name, value] of Object.entries(headers)) {
          expect(() => new Headers([[name, value]])).not.toThrow()
          expect(name + value).not.toMatch(/[\r\n\0]/)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('every header that cannot be set is named', () => {
  try {
    customHeaders({ host: 'a', 'x-ok': 'b', 'Content-Encoding': 'gzip' })
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({
      code: 'invalid_header',
      errors: [
        { pointer: '/headers/host', detail: expect.stringContaining('reserved') },
        { pointer: '/headers/Content-Encoding', detail: expect.stringContaining('reserved') },
      ],
    })
  }
})
