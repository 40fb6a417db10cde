import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { generateKeyPair, parsePrivateKey, parsePublicKey } from './key-pair.ts'
import { generateSecret, parseSecret, type SigningKey } from './secret.ts'
import { sign, signedHeaders, type WebhookContent } from './sign.ts'

const key = parseSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
const content = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' }
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='

test('the three headers carry exactly what was signed', () => {
  expect(signedHeaders(content, [key])).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': signature,
  })
})

test('several keys give their signatures in the order of the keys, one space apart', () => {
  const keys = Array.from({ length: 10 }, () => parseSecret(generateSecret(randomBytes)))

  expect(sign(content, keys)).toBe(keys.map((each) => sign(content, [each])).join(' '))
})

test('key pairs sign before secrets, however the keys are ordered, and each in its own order', () => {
  const [one, two] = [generateKeyPair(randomBytes), generateKeyPair(randomBytes)].map(({ privateKey }) =>
    parsePrivateKey(privateKey),
  )
  if (one === undefined || two === undefined) throw new Error('two were made')
  const other = parseSecret(generateSecret(randomBytes))

  const inOrder = [one, two, key, other].map((each) => sign(content, [each])).join(' ')
  expect(sign(content, [key, one, other, two])).toBe(inOrder)
})

test('signing leaves the body as it was', () => {
  const body = Buffer.from(content.body)
  sign({ ...content, body }, [key])

  expect(body.toString()).toBe(content.body)
})

test('a view into a larger buffer signs only its own bytes', () => {
  const body = new TextEncoder().encode(`--${content.body}--`).subarray(2, 2 + content.body.length)

  expect(sign({ ...content, body }, [key])).toBe(signature)
})

describe('an id is refused', () => {
  test.each(['', '.', 'msg.1', 'msg 1', 'msg,1', 'msg/1', 'msg_1\n', '\tmsg_1', 'msg_ä', 'msg_1\r\nx: y'])(
    '%j',
    (id) => {
      expect(() => sign({ ...content, id }, [key])).toThrow(
        expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'invalid_id' } }),
      )
    },
  )

  test('when it is no string', () => {
    expect(() => sign({ ...content, id: 17 as unknown as string }, [key])).toThrow(
      expect.objectContaining({ code: 'invalid_id' }),
    )
  })
})

describe('a timestamp is refused', () => {
  test.each([
    ['a fraction', 1614265330.5],
    ['before 1970', -1],
    ['milliseconds', 1614265330000],
    ['not a number', Number.NaN],
    ['endless', Number.POSITIVE_INFINITY],
    ['text', '1614265330' as unknown as number],
    ['a date', new Date(1614265330000) as unknown as number],
  ])('when it is %s', (_, timestamp) => {
    expect(() => sign({ ...content, timestamp }, [key])).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'invalid_timestamp' } }),
    )
  })
})

describe('a body is refused', () => {
  test.each<[string, unknown]>([
    ['Object', { test: 1 }],
    ['Array', [1]],
    ['Null', null],
    ['Undefined', undefined],
    ['Number', 1],
    ['ArrayBuffer', new ArrayBuffer(8)],
    ['Uint16Array', new Uint16Array(8)],
  ])('when it is not raw: %s', (received, body) => {
    expect(() => sign({ ...content, body } as WebhookContent, [key])).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'body_not_raw', received } }),
    )
  })
})

describe('keys are refused', () => {
  test.each<[string, string, unknown]>([
    ['there is none', 'none', []],
    ['there are more than ten', 'too_many', Array.from({ length: 11 }, () => key)],
    ['one is the text of a secret', 'not_a_signing_key', [key, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']],
    ['one is the public half of a pair', 'not_a_signing_key', [parsePublicKey(generateKeyPair(randomBytes).publicKey)]],
    ['a single one comes without a list', 'not_a_signing_key', key],
  ])('when %s', (_, reason, keys) => {
    expect(() => sign(content, keys as SigningKey[])).toThrow(
      expect.objectContaining({ name: 'WebhookArgumentError', failure: { code: 'invalid_keys', reason } }),
    )
  })
})
