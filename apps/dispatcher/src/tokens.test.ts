import { parseAllowedReceivers, type TokenGrant } from '@posthorn/engine'
import { describe, expect, test } from 'vitest'
import type { RawReceiver } from './http/testing/raw-receiver.ts'
import { openSender, receiverSaying, receiverThat, shortTimeoutMs } from './http/testing/sending.ts'
import { createTokens } from './tokens.ts'

const subscriptionId = '01900000-0000-7000-8000-000000000005'
const secret = 'canary-4f9d2c7be1a8'
const never = new AbortController().signal
const limits = { waitMs: 5_000, timeoutMs: 5_000 }

function grantOf(issuer: { url: string }, more: Partial<TokenGrant> = {}): TokenGrant {
  return {
    subscriptionId,
    sealed: Uint8Array.of(1),
    tokenUrl: `${issuer.url}/token`,
    clientId: 'posthorn',
    clientSecret: secret,
    scope: null,
    audience: null,
    clientAuthentication: 'client_secret_basic',
    ...more,
  }
}

function answer(status: number, body: string, headers = ''): string {
  return `HTTP/1.1 ${status} Word\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
}

function granting(more: object = {}): string {
  return answer(200, JSON.stringify({ access_token: 'token-1', token_type: 'Bearer', expires_in: 3600, ...more }))
}

/** A token source over a real sender, with a clock of its own for the life of tokens. */
function openTokens(options: Parameters<typeof openSender>[0] = {}) {
  const clock = { nowMs: 0 }
  const tokens = createTokens(openSender(options), () => clock.nowMs)
  return { ...tokens, clock }
}

/** How many times a token was asked for. */
function asked({ received }: RawReceiver): number {
  return received.join('').match(/POST \/token/g)?.length ?? 0
}

describe('a token', () => {
  test('is asked for with the credentials in a header, form-encoded, as RFC 6749 §2.3.1 has it', async () => {
    const issuer = await receiverSaying(granting())
    const grant = grantOf(issuer, { clientId: 'a:b c', clientSecret: 'x%/+ü', scope: 'events.write events.read' })
    expect(await openTokens().get(grant, limits, never)).toEqual({ token: 'token-1', kept: false })
    const basic = Buffer.from('a%3Ab+c:x%25%2F%2B%C3%BC').toString('base64')
    expect(issuer.received[0]).toContain(`authorization: Basic ${basic}\r\n`)
    expect(issuer.received[0]).toContain('content-type: application/x-www-form-urlencoded\r\n')
    expect(issuer.received[0]).toMatch(/\r\n\r\ngrant_type=client_credentials&scope=events.write\+events.read$/)
  })

  test('is asked for with the credentials in the body, where that is wanted', async () => {
    const issuer = await receiverSaying(granting())
    const grant = grantOf(issuer, { clientAuthentication: 'client_secret_post', audience: 'https://api.test/' })
    await openTokens().get(grant, limits, never)
    expect(issuer.received[0]).not.toContain('authorization')
    expect(issuer.received[0]).toMatch(
      /grant_type=client_credentials&audience=https%3A%2F%2Fapi.test%2F&client_id=posthorn&client_secret=canary-4f9d2c7be1a8$/,
    )
  })

  test('is asked for once by many at the same time, and kept for those who come later', async () => {
    const issuer = await receiverSaying(granting())
    const tokens = openTokens()
    const answers = await Promise.all(Array.from({ length: 50 }, () => tokens.get(grantOf(issuer), limits, never)))
    expect(answers).toEqual(Array(50).fill({ token: 'token-1', kept: false }))
    expect(await tokens.get(grantOf(issuer), limits, never)).toEqual({ token: 'token-1', kept: true })
    expect(asked(issuer)).toBe(1)
  })

  test('is of one subscription and of one version of its credentials', async () => {
    const issuer = await receiverSaying(granting())
    const tokens = openTokens()
    const other = { subscriptionId: '01900000-0000-7000-8000-000000000006' }
    const changed = { sealed: Uint8Array.of(2) }
    for (const more of [{}, other, changed, other, changed]) await tokens.get(grantOf(issuer, more), limits, never)
    expect(asked(issuer)).toBe(3)
  })

  test.each([
    ['an hour', 3600, 3_570_000],
    ['an hour, as a text', '3600', 3_570_000],
    ['ten seconds', 10, 5_000],
    ['a century', 3_155_760_000, 86_370_000],
    ['a number too large to be one', 1e308 * 10, 86_370_000],
    ['a time that nobody told', undefined, 270_000],
    ['null', null, 270_000],
  ])('that lives for %s is renewed in time', async (_what, expiresIn, keptMs) => {
    const body = JSON.stringify({ access_token: 'token-1', token_type: 'bearer', expires_in: expiresIn })
    const issuer = await receiverSaying(
      answer(200, expiresIn === Number.POSITIVE_INFINITY ? body.replace('null', '1e999') : body),
    )
    const { clock, get } = openTokens()
    await get(grantOf(issuer), limits, never)
    clock.nowMs = keptMs - 1
    expect(await get(grantOf(issuer), limits, never)).toMatchObject({ kept: true })
    clock.nowMs = keptMs
    expect(await get(grantOf(issuer), limits, never)).toMatchObject({ kept: false })
    expect(asked(issuer)).toBe(2)
  })

  test.each([0, -1, -1e300, '-3600', 'soon', true, [3600], {}])(
    'that lives for %j is used, and not kept',
    async (expiresIn) => {
      const issuer = await receiverSaying(granting({ expires_in: expiresIn }))
      const tokens = openTokens()
      for (let i = 0; i < 2; i += 1)
        expect(await tokens.get(grantOf(issuer), limits, never)).toEqual({ token: 'token-1', kept: false })
      expect(asked(issuer)).toBe(2)
    },
  )

  test('that a receiver refused is not used again, and a newer one is not dropped for it', async () => {
    let made = 0
    const issuer = await receiverThat((socket) => {
      made += 1
      socket.write(granting({ access_token: `token-${made}` }))
    })
    const tokens = openTokens()
    const grant = grantOf(issuer)
    await tokens.get(grant, limits, never)
    tokens.drop(grant, 'token-1')
    expect(await tokens.get(grant, limits, never)).toEqual({ token: 'token-2', kept: false })
    tokens.drop(grant, 'token-1')
    expect(await tokens.get(grant, limits, never)).toEqual({ token: 'token-2', kept: true })
  })

  test('is kept for 4,000 subscriptions, those that were used last', async () => {
    const issuer = await receiverSaying(granting())
    const tokens = openTokens()
    await tokens.get(grantOf(issuer, { subscriptionId: 'first' }), limits, never)
    const ask = (from: number) =>
      Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          tokens.get(grantOf(issuer, { subscriptionId: `other ${from + index}` }), limits, never),
        ),
      )
    for (let from = 0; from < 4_000; from += 50) await ask(from)
    expect(asked(issuer)).toBe(4_001)
    expect(await tokens.get(grantOf(issuer, { subscriptionId: 'other 3999' }), limits, never)).toMatchObject({
      kept: true,
    })
    expect(await tokens.get(grantOf(issuer, { subscriptionId: 'first' }), limits, never)).toMatchObject({ kept: false })
  })
})

describe('a token URL that does harm', () => {
  test.each<[string, string | Uint8Array, RegExp]>([
    ['refuses the client', answer(401, '{"error":"invalid_client"}'), /answered 401 invalid_client\./],
    ['asks for patience', answer(429, ''), /answered 429\./],
    ['fails', answer(500, '<html>'), /answered 500\./],
    ['redirects', answer(302, '', 'location: http://127.0.0.1:1/\r\n'), /answered 302\./],
    ['repeats the secret as its error', answer(400, `{"error":"${secret}"}`), /answered 400\./],
    ['answers with what is no JSON', answer(200, 'access_token=a'), /no JSON object/],
    ['answers with NaN', answer(200, '{"access_token":"a","token_type":"Bearer","expires_in":NaN}'), /no JSON object/],
    ['answers with a list', answer(200, '[]'), /no JSON object/],
    ['answers with nothing', answer(200, ''), /no JSON object/],
    [
      'answers with invalid UTF-8',
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n'), Uint8Array.of(123, 34, 255, 125)]),
      /no JSON object/,
    ],
    ['gives no token', granting({ access_token: undefined }), /no usable access_token/],
    ['gives a number', granting({ access_token: 5 }), /no usable access_token/],
    ['gives an empty token', granting({ access_token: '' }), /no usable access_token/],
    ['gives a token with a line end', granting({ access_token: 'a\r\nx-evil: 1' }), /no usable access_token/],
    ['gives a token with a space', granting({ access_token: 'a b' }), /no usable access_token/],
    ['gives a token with a letter beyond ASCII', granting({ access_token: 'ä' }), /no usable access_token/],
    ['gives a huge token', granting({ access_token: 'a'.repeat(8_193) }), /more than 8192 characters/],
    ['gives a token of another type', granting({ token_type: 'mac' }), /no token_type "Bearer"/],
    ['gives a token of no type', granting({ token_type: undefined }), /no token_type "Bearer"/],
    ['answers at too great length', granting({ padding: 'a'.repeat(17_000) }), /too long or broken off/],
    ['is no HTTP', 'SSH-2.0\r\n\r\n', /could not be used \(response_malformed\)/],
    ['sends only interim answers', 'HTTP/1.1 103 Word\r\n\r\n'.repeat(200), /could not be used \(response_malformed\)/],
  ])('and %s is a failed attempt that says so, and the next one asks anew', async (_what, bytes, detail) => {
    const issuer = await receiverSaying(bytes)
    const tokens = openTokens()
    for (let i = 0; i < 2; i += 1) {
      const failed = await tokens.get(grantOf(issuer), limits, never)
      expect(failed).toEqual({ failure: { code: 'auth_failed', detail: expect.stringMatching(detail) } })
      expect(JSON.stringify(failed)).not.toContain(secret)
    }
    expect(asked(issuer)).toBe(2)
  })

  test('and never ends its answer is read for 64 KiB only', async () => {
    const issuer = await receiverThat((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      const pour = () => {
        while (socket.writable && socket.write(`1000\r\n${' '.repeat(4096)}\r\n`));
      }
      socket.on('drain', pour)
      pour()
    })
    expect(await openTokens().get(grantOf(issuer), limits, never)).toMatchObject({ failure: { code: 'auth_failed' } })
    await issuer.allClosed()
  })

  test('and says nothing costs no more than the time that is left', async () => {
    const issuer = await receiverThat(() => undefined)
    const tokens = openTokens()
    const waiting = tokens.get(grantOf(issuer), { waitMs: shortTimeoutMs, timeoutMs: 5_000 }, never)
    expect(await waiting).toMatchObject({ failure: { code: 'auth_failed', detail: expect.stringContaining('0.3 s') } })
    // The request goes on for others, and ends by its own limit.
    const joined = tokens.get(grantOf(issuer), { waitMs: shortTimeoutMs, timeoutMs: 5_000 }, never)
    expect(await joined).toMatchObject({ failure: { code: 'auth_failed' } })
    expect(asked(issuer)).toBe(1)
    for (const socket of issuer.connections) socket.destroy()
    await issuer.allClosed()
  })

  test('and may not be called is not called', async () => {
    const issuer = await receiverSaying(granting())
    const tokens = openTokens({ policy: { allowHttp: true, allowed: parseAllowedReceivers('127.0.0.2') } })
    expect(await tokens.get(grantOf(issuer), limits, never)).toMatchObject({
      failure: { code: 'auth_failed', detail: expect.stringContaining('(blocked_address)') },
    })
    expect(issuer.connections).toEqual([])
  })

  test('is given up with everything else, which is no failure of the receiver', async () => {
    const breakOff = new AbortController()
    const issuer = await receiverThat(() => breakOff.abort())
    expect(await openTokens().get(grantOf(issuer), limits, breakOff.signal)).toMatchObject({
      failure: { code: 'aborted' },
    })
    await issuer.allClosed()
  })
})
