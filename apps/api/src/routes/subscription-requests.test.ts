/** What a subscription says of the requests it wants: their form, the credentials they carry, and which answers are final. */

import { randomBytes } from 'node:crypto'
import { parseId } from '@posthorn/contract'
import { createLogger, createSeal } from '@posthorn/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callbackUrl, startTestApi, type TestApi, world } from '../testing/api.ts'

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
    [{ type: 'oauth2' }, '/auth'],
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

  test('422 without a master key, and the operator is told which setting is missing', async () => {
    await using keyless = await startTestApi()
    const { status, body, text } = await keyless.ask('POST', path, {
      ...draft,
      auth: { type: 'bearer', token: canary },
    })
    expect([status, body.code, body.errors[0].pointer]).toEqual([422, 'invalid_request', '/auth'])
    expect(body.detail).toContain('POSTHORN_MASTER_KEY')
    expect(text).not.toContain(canary)
    expect((await keyless.ask('POST', path, draft)).status).toBe(201)
  })

  test('nothing of them is in the log, whatever was asked', async () => {
    const auth = { type: 'bearer', token: canary }
    const one = await created({ auth })
    await patched(one.id, { auth: { type: 'basic', username: 'a', password: canary } })
    await patched(one.id, { auth: { type: 'bearer', token: `${canary} ` } })
    await api.ask('PATCH', `/v1/subscriptions/${one.id}`, undefined, { text: `{"auth":{"token":"${canary}"` })
    await api.ask('POST', path, { ...draft, url: 'nonsense', auth })
    const log = lines.join('')
    expect(log).toContain('"req')
    expect(log).not.toContain(canary)
    expect(log).not.toContain(Buffer.from(`a:${canary}`).toString('base64'))
  })
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
