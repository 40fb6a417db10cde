import { createHash } from 'node:crypto'
import { parseApiKey, registerAdminKey } from '@posthorn/engine'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi, world } from '../testing/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

test('201 with the key this once; only its hash is stored', async () => {
  const { status, body } = await api.ask('POST', '/v1/api-keys', {
    name: 'billing',
    permissions: [],
    role: 'publisher',
    expires_at: '2999-01-01T00:00:00Z',
  })
  expect(status).toBe(201)
  const { key, ...told } = body
  expect(key).toMatch(/^phk_[A-Za-z0-9]{33}$/)
  expect(told).toEqual({
    id: expect.stringMatching(/^key_/),
    name: 'billing',
    role: 'publisher',
    permissions: [],
    tenant: null,
    hint: key.slice(0, 8),
    created_at: expect.any(String),
    expires_at: '2999-01-01T00:00:00.000Z',
    revoked_at: null,
  })
  const rows = await api.db.prisma.apiKey.findMany({ where: { name: 'billing' } })
  expect(rows.map((row) => Buffer.from(row.hash).toString('hex'))).toEqual([
    createHash('sha256').update(key).digest('hex'),
  ])
  expect(JSON.stringify(rows)).not.toContain(key)
  const list = await api.ask('GET', '/v1/api-keys')
  expect(list.text).not.toContain(key)
  expect(list.text).not.toContain('hash')
})

test('keys do not repeat, and every letter has its chance', async () => {
  const keys = await Promise.all(
    Array.from(
      { length: 40 },
      async () => (await api.ask('POST', '/v1/api-keys', { name: 'n', role: 'viewer' })).body.key,
    ),
  )
  expect(new Set(keys).size).toBe(40)
  expect(new Set(keys.flatMap((key) => [...key.slice(4)])).size).toBeGreaterThan(55)
})

test.each([
  [{ name: 'x' }, 'invalid_request', ''],
  [{ name: '', role: 'admin' }, 'invalid_request', '/name'],
  [{ name: 'x', role: 'owner' }, 'invalid_request', '/role'],
  [{ name: 'x', role: 'tenant' }, 'invalid_request', '/tenant'],
  [{ name: 'x', role: 'admin', tenant: 'acme' }, 'invalid_request', '/tenant'],
  [{ name: 'x', role: 'tenant', tenant: 'nobody' }, 'tenant_not_found', '/tenant'],
  [{ name: 'x', role: 'admin', expires_at: 'never' }, 'invalid_request', '/expires_at'],
  [{ name: 'x', role: 'admin', expires_at: '2026-02-30T00:00:00Z' }, 'invalid_request', '/expires_at'],
  [{ name: 'x', role: 'admin', expires_at: '2020-01-01T00:00:00Z' }, 'invalid_request', '/expires_at'],
  [{ name: 'x', role: 'admin', key: 'phk_mine' }, 'invalid_request', '/key'],
])('422 when a key is asked for with %j', async (wrong, code, pointer) => {
  const { status, body } = await api.ask('POST', '/v1/api-keys', wrong)
  expect([status, body.code, body.errors[0].pointer]).toEqual([422, code, pointer])
})

test('200 with the keys, newest first, revoked ones included', async () => {
  await using own = await startTestApi()
  const { body } = await own.ask('POST', '/v1/api-keys', { name: 'gone', role: 'viewer' })
  expect((await own.ask('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204)
  const first = await own.ask('GET', '/v1/api-keys?limit=1')
  expect(first.status).toBe(200)
  expect(first.body.data).toMatchObject([{ id: body.id, revoked_at: expect.any(String) }])
  const rest = await own.ask('GET', `/v1/api-keys?cursor=${first.body.next_cursor}`)
  expect(rest.body.data).toHaveLength(5)
})

test('204 when a key is revoked, again too, and the time of the first stays', async () => {
  const { body } = await api.ask('POST', '/v1/api-keys', { name: 'twice', role: 'viewer' })
  expect((await api.ask('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204)
  const first = await api.db.prisma.apiKey.findFirstOrThrow({ where: { name: 'twice' } })
  expect((await api.ask('DELETE', `/v1/api-keys/${body.id}`)).status).toBe(204)
  const second = await api.db.prisma.apiKey.findFirstOrThrow({ where: { name: 'twice' } })
  expect(second.revokedAt).toEqual(first.revokedAt)
})

test.each(['key_00000000000000000000000000', 'phk_x', 'x'])('404 when there is no key %s', async (id) => {
  const { status, body } = await api.ask('DELETE', `/v1/api-keys/${id}`)
  expect([status, body.code]).toEqual([404, 'api_key_not_found'])
})

test("the operator's own key is an admin's, and another one given before stops working", async () => {
  const [first, second] = [`phk_${'a'.repeat(40)}`, `phk_${'b'.repeat(40)}`]
  await using own = await startTestApi({ settings: { POSTHORN_ADMIN_KEY: first } })
  expect((await own.ask('GET', '/v1/api-keys', undefined, { as: first })).status).toBe(200)
  await registerAdminKey({ db: own.db, world }, first)
  expect((await own.ask('GET', '/v1/api-keys', undefined, { as: first })).status).toBe(200)
  await registerAdminKey({ db: own.db, world }, second)
  expect((await own.ask('GET', '/v1/api-keys', undefined, { as: first })).status).toBe(401)
  expect((await own.ask('GET', '/v1/api-keys', undefined, { as: second })).status).toBe(200)
  expect((await own.ask('GET', '/v1/api-keys', undefined, { as: 'admin' })).status).toBe(200)
})

test.each(['', 'phk_short', `phk_${'a'.repeat(26)}`, `phk_${'ü'.repeat(30)}`, 'a'.repeat(40)])(
  '%s is no key',
  (text) => {
    expect(() => parseApiKey(text)).toThrow(/is no API key/)
  },
)
