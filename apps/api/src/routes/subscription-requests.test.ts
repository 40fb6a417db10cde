/** What a subscription says of the requests it wants: their form, the credentials they carry, and which answers are final. */

import { createPrivateKey, randomBytes } from 'node:crypto'
import { parseId } from '@posthorn/contract'
import { createLogger, createSeal } from '@posthorn/engine'
import { createAuthority, issueCertificate } from '@posthorn/engine/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi, world } from '../testing/api.ts'
import { urlRefusals } from '../testing/url-refusals.ts'

const lines: string[] = []
let api: TestApi
beforeAll(async () => {
  api = await startTestApi({
    seal: createSeal([randomBytes(32)], world),
    logger: createLogger('trace', { write: (line) => lines.push(line) }),
  })
})
afterAll(() => api[Symbol.asyncDispose]())

const draft = { url: callbackUrl, event_types: ['invoice.*'] }
const path = '/v1/tenants/acme/subscriptions'
const canary = 'canary-4f9d2c7be1a8-tail'
const tokenUrl = 'https://93.184.215.14/token'
const oauth2 = {
  type: 'oauth2_client_credentials',
  token_url: tokenUrl,
  client_id: 'posthorn',
  client_secret: canary,
} as const

async function created(more: object = {}) {
  const { status, body } = await api.ask('POST', path, { ...draft, ...more })
  expect(status, JSON.stringify(body)).toBe(201)
  return body
}

function patched(id: string, patch: object) {
  return api.ask('PATCH', `/v1/subscriptions/${id}`, patch)
}

async function rowOf(id: string) {
  const rows = await api.db.prisma.subscription.findMany({ orderBy: { id: 'desc' }, take: 1 })
  const { body } = await api.ask('GET', `/v1/subscriptions/${id}`)
  expect(rows[0]?.createdAt.toISOString()).toBe(body.created_at)
  return rows[0]
}

test('what is left out has its default: the standard format, no final statuses and no credentials', async () => {
  expect(await created()).toMatchObject({ payload_format: 'standard', final_statuses: [], auth: null })
})

test('format and final statuses are kept, changed, and cleared by null', async () => {
  const one = await created({ payload_format: 'cloudevents-binary', final_statuses: [422, 400] })
  expect(one).toMatchObject({ payload_format: 'cloudevents-binary', final_statuses: [400, 422] })
  const changed = await patched(one.id, { payload_format: 'raw', final_statuses: [301] })
  expect(changed.body).toMatchObject({ payload_format: 'raw', final_statuses: [301] })
  const cleared = await patched(one.id, { payload_format: null, final_statuses: null })
  expect(cleared.body).toMatchObject({ payload_format: 'standard', final_statuses: [] })
})

test.each([
  [{ payload_format: 'cloudevents' }, '/payload_format'],
  [{ final_statuses: [200] }, '/final_statuses/0'],
  [{ final_statuses: [299] }, '/final_statuses/0'],
  [{ final_statuses: [600] }, '/final_statuses/0'],
  [{ final_statuses: [400.5] }, '/final_statuses/0'],
  [{ final_statuses: [400, 400] }, '/final_statuses'],
  [{ final_statuses: Array.from({ length: 21 }, (_, index) => 430 + index) }, '/final_statuses'],
  [{ final_statuses: [400, 410] }, '/final_statuses/1'],
  [{ final_statuses: [429] }, '/final_statuses/0'],
  [{ final_statuses: [503] }, '/final_statuses/0'],
  [{ headers: { 'ce-id': 'x' } }, '/headers/ce-id'],
])('422 when a subscription is made or changed with %j', async (more, pointer) => {
  const one = await created()
  for (const answer of [await api.ask('POST', path, { ...draft, ...more }), await patched(one.id, more)]) {
    expect(answer.status).toBe(422)
    expect(answer.body.errors.map((place: { pointer: string }) => place.pointer)).toContain(pointer)
  }
})

describe('credentials', () => {
  test.each([
    [
      { type: 'basic', username: 'acme', password: canary },
      { type: 'basic', username: 'acme', hint: null },
    ],
    [
      { type: 'bearer', token: canary },
      { type: 'bearer', hint: '…tail' },
    ],
    [
      { type: 'bearer', token: 'short' },
      { type: 'bearer', hint: null },
    ],
    [
      { type: 'api_key', header: 'X-Token', value: canary },
      { type: 'api_key', header: 'x-token', hint: '…tail' },
    ],
    [
      { type: 'api_key', header: 'Authorization', value: `K ${canary}` },
      { type: 'api_key', header: 'authorization', hint: '…tail' },
    ],
    [
      { ...oauth2, scope: 'a b', client_authentication: 'client_secret_post' },
      {
        type: 'oauth2_client_credentials',
        token_url: tokenUrl,
        client_id: 'posthorn',
        scope: 'a b',
        client_authentication: 'client_secret_post',
        hint: '…tail',
      },
    ],
    [
      { ...oauth2, token_url: 'HTTPS://93.184.215.14:443/a/../token', audience: 'https://api.test/' },
      {
        type: 'oauth2_client_credentials',
        token_url: tokenUrl,
        client_id: 'posthorn',
        audience: 'https://api.test/',
        client_authentication: 'client_secret_basic',
        hint: '…tail',
      },
    ],
  ])('%j are shown as %j, by every route, and stored sealed', async (auth, shown) => {
    const one = await created({ auth })
    expect(one.auth).toEqual(shown)
    for (const read of [`/v1/subscriptions/${one.id}`, '/v1/subscriptions?limit=250']) {
      const { text } = await api.ask('GET', read)
      expect(text).toContain(one.id)
      expect(text).not.toContain(canary)
    }
    const row = await rowOf(one.id)
    expect(row?.authType).toBe(auth.type)
    expect(row?.authSealed?.length).toBeGreaterThan(37)
    expect(Buffer.from(row?.authSealed ?? []).includes(canary)).toBe(false)
    expect(JSON.stringify(row?.authShown)).not.toContain(canary)
  })

  test('they are replaced as a whole, stay when they are not named, and are removed by null', async () => {
    const one = await created({ auth: { type: 'basic', username: 'a', password: canary } })
    const before = await rowOf(one.id)
    expect((await patched(one.id, { timeout_ms: 2000 })).body.auth).toEqual(one.auth)
    expect((await rowOf(one.id))?.authSealed).toEqual(before?.authSealed)
    const partly = await patched(one.id, { auth: { password: 'other' } })
    expect([partly.status, partly.body.code]).toEqual([422, 'invalid_request'])
    const replaced = await patched(one.id, { auth: { type: 'bearer', token: 'x' } })
    expect(replaced.body.auth).toEqual({ type: 'bearer', hint: null })
    const removed = await patched(one.id, { auth: null })
    expect(removed.body.auth).toBeNull()
    expect(await rowOf(one.id)).toMatchObject({ authSealed: null, authType: null, authShown: null })
  })

  test.each([
    [{ type: 'oauth2' }, '/auth/type'],
    [{ token: canary }, '/auth'],
    [{ type: 'basic', username: 'a' }, '/auth'],
    [{ type: 'basic', username: 'a:b', password: canary }, '/auth/username'],
    [{ type: 'basic', username: 'a', password: `${canary}\r\n` }, '/auth/password'],
    [{ type: 'basic', username: '', password: '' }, '/auth'],
    [{ type: 'bearer', token: '' }, '/auth/token'],
    [{ type: 'bearer', token: `${canary} ` }, '/auth/token'],
    [{ type: 'bearer', token: `${canary}\r\nx: y` }, '/auth/token'],
    [{ type: 'bearer', token: `${canary}ü` }, '/auth/token'],
    [{ type: 'bearer', token: canary, username: 'a' }, '/auth/username'],
    [{ type: 'api_key', header: 'x-a', value: ` ${canary}` }, '/auth/value'],
    [{ type: 'api_key', header: 'x a', value: canary }, '/auth/header'],
    [{ type: 'api_key', header: 'host', value: canary }, '/auth/header'],
    [{ type: 'api_key', header: 'Cookie', value: canary }, '/auth/header'],
    [{ type: 'api_key', header: 'webhook-id', value: canary }, '/auth/header'],
    [{ type: 'api_key', header: 'ce-id', value: canary }, '/auth/header'],
    [{ type: 'api_key', header: 'x-a', value: `a${'x'.repeat(4096)}` }, '/auth/value'],
    [{ ...oauth2, client_id: '' }, '/auth/client_id'],
    [{ ...oauth2, client_id: 'ä' }, '/auth/client_id'],
    [{ ...oauth2, client_secret: undefined }, '/auth'],
    [{ ...oauth2, client_secret: `${canary}\n` }, '/auth/client_secret'],
    [{ ...oauth2, client_secret: `${canary}${'x'.repeat(4096)}` }, '/auth/client_secret'],
    [{ ...oauth2, scope: 'a  b' }, '/auth/scope'],
    [{ ...oauth2, scope: '"a"' }, '/auth/scope'],
    [{ ...oauth2, audience: '' }, '/auth/audience'],
    [{ ...oauth2, client_authentication: 'private_key_jwt' }, '/auth/client_authentication'],
    [{ ...oauth2, token_url: '' }, '/auth/token_url'],
    [{ ...oauth2, grant_type: 'password' }, '/auth/grant_type'],
    ['Bearer x', '/auth'],
  ])('422 when they are %j, at %s, without repeating them', async (auth, pointer) => {
    const one = await created()
    for (const answer of [await api.ask('POST', path, { ...draft, auth }), await patched(one.id, { auth })]) {
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request'])
      expect(answer.body.errors.map((place: { pointer: string }) => place.pointer)).toContain(pointer)
      expect(answer.text).not.toContain(canary)
    }
    expect((await api.ask('GET', `/v1/subscriptions/${one.id}`)).body.auth).toBeNull()
  })

  test('a mistake is told of the chosen type only', async () => {
    const { body } = await api.ask('POST', path, { ...draft, auth: { type: 'basic', username: 'a' } })
    expect(body.errors).toEqual([{ pointer: '/auth', detail: "must have required property 'password'" }])
  })

  test('422 when a custom header and the credentials set the same header, whichever comes first', async () => {
    const auth = { type: 'api_key', header: 'X-Token', value: canary }
    const headers = { 'x-token': 'a' }
    const made = await api.ask('POST', path, { ...draft, auth, headers })
    const withAuth = await created({ auth })
    const withHeader = await created({ headers })
    for (const answer of [made, await patched(withAuth.id, { headers }), await patched(withHeader.id, { auth })]) {
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_header'])
      expect(answer.body.errors[0].pointer).toBe('/headers/x-token')
    }
    const swapped = await patched(withHeader.id, { auth, headers: { 'x-token': null } })
    expect(swapped.status).toBe(200)
  })

  test('they do not go along to another host: whoever moves the URL gives them again, or removes them', async () => {
    const auth = { type: 'bearer', token: canary }
    const elsewhere = 'https://93.184.215.15/hooks'
    const one = await created({ auth })
    expect((await patched(one.id, { url: `${callbackUrl}/other` })).status).toBe(200)
    for (const url of [elsewhere, `${new URL(callbackUrl).origin}:8443/`]) {
      const refused = await patched(one.id, { url })
      expect([refused.status, refused.body.code, refused.body.errors[0].pointer]).toEqual([
        422,
        'invalid_request',
        '/auth',
      ])
    }
    expect((await api.ask('GET', `/v1/subscriptions/${one.id}`)).body.url).toBe(`${callbackUrl}/other`)
    expect((await patched(one.id, { url: elsewhere, auth })).body).toMatchObject({ url: elsewhere, auth: one.auth })
    expect((await patched(one.id, { url: callbackUrl, auth: null })).body).toMatchObject({
      url: callbackUrl,
      auth: null,
    })
    expect((await patched(one.id, { url: elsewhere })).status).toBe(200)
  })

  test.each([
    ['nonsense', 'not_a_url'],
    ['http://93.184.215.14/token', 'scheme'],
    ['https://10.0.0.1/token', 'blocked_address'],
    ['https://169.254.169.254/latest', 'blocked_address'],
    ['https://login.internal/token', 'hostname'],
    [`https://posthorn:${canary}@93.184.215.14/token`, 'credentials'],
    ['https://login.example.com/token', 'unresolvable'],
  ] as const)(
    '422 when the token URL is %s: it is held to the rules of callback URLs (%s)',
    async (token_url, reason) => {
      const auth = { ...oauth2, token_url }
      const one = await created()
      for (const answer of [await api.ask('POST', path, { ...draft, auth }), await patched(one.id, { auth })]) {
        expect([answer.status, answer.body.code]).toEqual([422, 'invalid_url'])
        expect(answer.body.errors).toEqual([
          { pointer: '/auth/token_url', detail: expect.stringMatching(urlRefusals[reason]) },
        ])
        expect(answer.text).not.toContain(canary)
      }
    },
  )

  test('a foreign tenant does not learn by a token URL what the operator’s network resolves', async () => {
    const other = await api.ask('POST', '/v1/tenants/globex/subscriptions', draft)
    const auth = { ...oauth2, token_url: 'https://login.example.com/token' }
    const answer = await api.ask('PATCH', `/v1/subscriptions/${other.body.id}`, { auth }, { as: 'tenant' })
    expect([answer.status, answer.body.code]).toEqual([404, 'subscription_not_found'])
  })

  test('they are erased when the subscription is deleted', async () => {
    const one = await created({ auth: { type: 'bearer', token: canary } })
    const [row] = await api.db.prisma.subscription.findMany({ orderBy: { id: 'desc' }, take: 1 })
    expect((await api.ask('DELETE', `/v1/subscriptions/${one.id}`)).status).toBe(204)
    expect(await api.db.prisma.subscription.findUnique({ where: { id: row?.id ?? '' } })).toMatchObject({
      authSealed: null,
      authType: null,
      authShown: null,
      deletedAt: expect.any(Date),
    })
  })

  test('nothing of them is in the log, whatever was asked', async () => {
    const auth = { type: 'bearer', token: canary }
    const one = await created({ auth })
    await patched(one.id, { auth: { type: 'basic', username: 'a', password: canary } })
    await patched(one.id, { auth: { type: 'bearer', token: `${canary} ` } })
    await api.ask('PATCH', `/v1/subscriptions/${one.id}`, undefined, { text: `{"auth":{"token":"${canary}"` })
    await api.ask('POST', path, { ...draft, url: 'nonsense', auth })
    await patched(one.id, { auth: oauth2 })
    await patched(one.id, { auth: { ...oauth2, token_url: 'https://10.0.0.1/' } })
    const log = lines.join('')
    expect(log).toContain('"req')
    expect(log).not.toContain(canary)
    expect(log).not.toContain(Buffer.from(`a:${canary}`).toString('base64'))
  })
})

describe('TLS settings', () => {
  const authority = createAuthority('Root')
  const client = issueCertificate(authority, { host: 'posthorn.test' })
  const other = issueCertificate(authority, { host: 'other.test' })
  const whole = {
    client_certificate: client.certificate,
    client_key: client.key,
    ca_certificates: authority.certificate,
  }
  const keyLines = [client, other].flatMap(({ key }) => key.split('\n').slice(1, -2))
  const certificate = (name: string) => ({
    subject: `CN=${name}`,
    fingerprint_sha256: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
    not_after: '2099-01-01T00:00:00.000Z',
  })

  function expectNoKey(text: string) {
    for (const line of keyLines) expect(text).not.toContain(line)
  }

  test('are shown by fingerprint, subject and end, by every route, and stored sealed', async () => {
    const one = await created({ tls: whole })
    expect(one.tls).toEqual({
      client_certificate: certificate('posthorn.test'),
      ca_certificates: [certificate('Root')],
    })
    for (const read of [`/v1/subscriptions/${one.id}`, '/v1/subscriptions?limit=250']) {
      const { text } = await api.ask('GET', read)
      expect(text).toContain('CN=posthorn.test')
      expect(text).not.toContain('BEGIN')
    }
    const row = await rowOf(one.id)
    for (const part of ['BEGIN', 'posthorn.test']) expect(Buffer.from(row?.tlsSealed ?? []).includes(part)).toBe(false)
    expectNoKey(JSON.stringify(row))
    expect(row?.authSealed).toBeNull()
  })

  test('may be a client certificate alone, or authorities alone', async () => {
    const { ca_certificates, ...certified } = whole
    expect((await created({ tls: certified })).tls).toMatchObject({ ca_certificates: [] })
    expect((await created({ tls: { ca_certificates } })).tls).toMatchObject({ client_certificate: null })
    expect((await created()).tls).toBeNull()
  })

  test('are replaced as a whole, stay when they are not named, and are removed by null', async () => {
    const one = await created({ tls: whole })
    const before = await rowOf(one.id)
    expect((await patched(one.id, { timeout_ms: 2000 })).body.tls).toEqual(one.tls)
    expect((await rowOf(one.id))?.tlsSealed).toEqual(before?.tlsSealed)
    const replaced = await patched(one.id, { tls: { ca_certificates: authority.certificate } })
    expect(replaced.body.tls).toMatchObject({ client_certificate: null, ca_certificates: [{ subject: 'CN=Root' }] })
    expect((await patched(one.id, { tls: null })).body.tls).toBeNull()
    expect(await rowOf(one.id)).toMatchObject({ tlsSealed: null, tlsShown: null })
  })

  const encrypted = createPrivateKey(client.key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString()
  const expired = issueCertificate(authority, { host: 'old.test', expired: true })
  test.each<[string, object | string, string]>([
    ['are empty', {}, '/tls'],
    ['are a text', 'PEM', '/tls'],
    ['have an unknown member', { ...whole, passphrase: 'x' }, '/tls/passphrase'],
    ['lack the key', { ...whole, client_key: undefined }, '/tls/client_key'],
    ['lack the certificate', { ...whole, client_certificate: undefined }, '/tls/client_certificate'],
    ['have the key of another certificate', { ...whole, client_key: other.key }, '/tls/client_key'],
    ['have an encrypted key', { ...whole, client_key: encrypted }, '/tls/client_key'],
    ['have a key that is none', { ...whole, client_key: client.key.slice(0, 60) }, '/tls/client_key'],
    ['have a key that is too long', { ...whole, client_key: client.key.repeat(100) }, '/tls/client_key'],
    ['have a certificate that is none', { ...whole, client_certificate: 'x' }, '/tls/client_certificate'],
    [
      'have a certificate that has expired',
      { client_certificate: expired.certificate, client_key: expired.key },
      '/tls/client_certificate',
    ],
    [
      'have a chain in the wrong order',
      { ...whole, client_certificate: authority.certificate + client.certificate },
      '/tls/client_certificate',
    ],
    [
      'have a key among the certificates',
      { ...whole, client_certificate: client.certificate + client.key },
      '/tls/client_certificate',
    ],
    ['have authorities that are none', { ca_certificates: client.certificate }, '/tls/ca_certificates'],
    [
      'have authorities that are too long',
      { ca_certificates: authority.certificate.repeat(200) },
      '/tls/ca_certificates',
    ],
  ])('422 when they %s, without repeating a key', async (_what, tls, pointer) => {
    const one = await created()
    for (const answer of [await api.ask('POST', path, { ...draft, tls }), await patched(one.id, { tls })]) {
      expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request'])
      expect(answer.body.errors.map((place: { pointer: string }) => place.pointer)).toContain(pointer)
      expectNoKey(answer.text)
    }
    expect((await api.ask('GET', `/v1/subscriptions/${one.id}`)).body.tls).toBeNull()
  })

  test('do not go along to another host, and go with credentials or without them', async () => {
    const elsewhere = 'https://93.184.215.15/hooks'
    const one = await created({ tls: whole, auth: { type: 'bearer', token: canary } })
    expect((await patched(one.id, { url: `${callbackUrl}/other` })).status).toBe(200)
    for (const [patch, pointer] of [
      [{ url: elsewhere, auth: null }, '/tls'],
      [{ url: elsewhere, tls: null }, '/auth'],
    ] as const) {
      const refused = await patched(one.id, patch)
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, pointer])
    }
    const moved = await patched(one.id, { url: elsewhere, auth: null, tls: whole })
    expect(moved.body).toMatchObject({ url: elsewhere, auth: null, tls: one.tls })
  })

  test('are erased when the subscription is deleted', async () => {
    const one = await created({ tls: whole })
    const row = await rowOf(one.id)
    expect((await api.ask('DELETE', `/v1/subscriptions/${one.id}`)).status).toBe(204)
    expect(await api.db.prisma.subscription.findUnique({ where: { id: row?.id ?? '' } })).toMatchObject({
      tlsSealed: null,
      tlsShown: null,
    })
  })

  test('are not in the log, whatever was asked', async () => {
    const one = await created({ tls: whole })
    await patched(one.id, { tls: { ...whole, client_key: other.key } })
    await api.ask('PATCH', `/v1/subscriptions/${one.id}`, undefined, {
      text: JSON.stringify({ tls: whole }).slice(0, -3),
    })
    expect(lines.join('')).toContain('"req')
    expectNoKey(lines.join(''))
  })
})

test('422 when TLS settings are given with a URL that is not https, or the URL is changed to such a one', async () => {
  await using open = await startTestApi({ policy: { allowHttp: true, allowed: [] } })
  const tls = { ca_certificates: createAuthority().certificate }
  const plain = { ...draft, url: 'http://93.184.215.14/hooks' }
  const made = await open.ask('POST', path, { ...plain, tls })
  const { body: one } = await open.ask('POST', path, plain)
  const { body: two } = await open.ask('POST', path, { ...draft, tls })
  const given = await open.ask('PATCH', `/v1/subscriptions/${one.id}`, { tls })
  const moved = await open.ask('PATCH', `/v1/subscriptions/${two.id}`, { url: plain.url, tls })
  for (const answer of [made, given, moved]) {
    expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([422, 'invalid_request', '/tls'])
  }
  const both = await open.ask('PATCH', `/v1/subscriptions/${two.id}`, { url: plain.url, tls: null })
  expect([both.status, both.body.tls]).toEqual([200, null])
})

test('where names are left to the egress proxy, a URL is saved without being looked up, and addresses are still guarded', async () => {
  await using behind = await startTestApi({ policy: { allowHttp: false, allowed: [], namesLeftToProxy: true } })
  const urls = ['https://hooks.example.com/', 'https://10.0.0.1/', 'https://hooks.internal/']
  const answers = await Promise.all(urls.map((url) => behind.ask('POST', path, { ...draft, url })))
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
    [201, undefined],
    [422, 'invalid_url'],
    [422, 'invalid_url'],
  ])
})

test('the body shown beside attempts has the form of the newest of them', async () => {
  const one = await created({ event_types: ['*'] })
  await api.ask('POST', '/v1/events', { tenant: 'acme', type: 'invoice.paid', data: { n: 1 } })
  const { body: found } = await api.ask('GET', `/v1/deliveries?subscription=${one.id}`)
  const id = parseId('delivery', found.data[0].id) ?? ''
  const delivery = await api.db.prisma.delivery.findUniqueOrThrow({ where: { id } })
  const made = (number: number, requestHeaders: object) => ({
    id: crypto.randomUUID().replace(/^.{13}/, delivery.id.slice(0, 13)),
    tenantId: 'acme',
    deliveryId: delivery.id,
    eventId: delivery.eventId,
    subscriptionId: delivery.subscriptionId,
    number,
    trigger: 'automatic',
    startedAt: new Date(),
    url: callbackUrl,
    requestHeaders: { ...requestHeaders },
    responseHeaders: {},
    responseBody: new Uint8Array(),
    responseTruncated: false,
    waitMs: 0,
    totalMs: 1,
    ...(number === 3 ? { failureCode: 'aborted' } : { httpStatus: 200 }),
  })
  const shown = async () => {
    const { body } = await api.ask('GET', `/v1/deliveries/${found.data[0].id}/attempts`)
    return JSON.parse(body.request_body)
  }
  await api.db.prisma.attempt.create({ data: made(1, { 'content-type': 'application/json' }) })
  expect(await shown()).toMatchObject({ type: 'invoice.paid', data: { n: 1 } })
  const raw = { 'content-type': 'application/json', 'posthorn-payload-format': 'raw' }
  await api.db.prisma.attempt.create({ data: made(2, raw) })
  // Nobody saw whether the third was sent, so it tells nothing.
  await api.db.prisma.attempt.create({ data: made(3, {}) })
  expect(await shown()).toEqual({ n: 1 })
})
