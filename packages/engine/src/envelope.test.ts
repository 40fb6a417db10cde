import fc from 'fast-check'
import { expect, test } from 'vitest'
import { envelope } from './envelope.ts'

const type = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}(\.[A-Za-z0-9_-]{1,20}){0,3}$/)
const timestamp = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })

test('the body is valid JSON with the three members of Standard Webhooks, and ends with the bytes of the data', () => {
  fc.assert(
    fc.property(type, timestamp, fc.json(), (name, time, data) => {
      const body = envelope({ type: name, timestamp: time, data })
      expect(JSON.parse(body)).toEqual({ type: name, timestamp: time.toISOString(), data: JSON.parse(data) })
      expect(Object.keys(JSON.parse(body))).toEqual(['type', 'timestamp', 'data'])
      expect(body.endsWith(`"data":${data}}`)).toBe(true)
    }),
  )
})

test('numbers that JavaScript cannot hold, repeated keys and spaces stay as they were published', () => {
  const data = ' {"n":12345678901234567890.10, "n": 1e400 } '
  expect(envelope({ type: 'a', timestamp: new Date(0), data })).toBe(
    `{"type":"a","timestamp":"1970-01-01T00:00:00.000Z","data":${data}}`,
  )
})
